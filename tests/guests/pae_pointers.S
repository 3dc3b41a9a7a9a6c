// PAE paging's four page-directory-pointer entries (Intel SDM volume 3, 4.4.1 "PDPTE Registers"): MOV to CR3, and MOV to CR0 or CR4 that changes PG, PAE,
// PGE, PSE or SMEP, load them from memory; a present one with a reserved bit is #GP(0), and neither the register nor the pointers change; what is
// written to the table in between shows only with the next load.
// Prints: a bit for each reserved position refused by MOV to CR3; what the window reads at each step; the #GPs of CR0 and CR4.
// cpu: ramet-v2
// exit: 9
// serial: 000001e6 ffffff00 11111111 11111111 22222222 22222222 11111111 00000000 00000020 00000003 000000a0
#include "guest.h"
#define WINDOW 0x40000000
main:   GATE 13, refused
        movl $0x11111111, 0x200000
        movl $0x22222222, 0x400000
        movl $PTE_P + PTE_W + PTE_PS, pae_directory
        movl $0x200000 + PTE_P + PTE_W + PTE_PS, one
        movl $0x400000 + PTE_P + PTE_W + PTE_PS, two
        movl $pae_directory + PTE_P, pointers
        movl $one + PTE_P, pointers + 8
        movl $0x20, %eax
        movl %eax, %cr4
        movl $pointers, %eax
        movl %eax, %cr3
        movl %cr0, %eax
        orl $0x80000000, %eax
        movl %eax, %cr0

        xorl %ebp, %ebp                         // each bit but P and those of the address
        movl $1, %ecx
1:      btsl %ecx, pointers + 24                // absent: anything goes
        movl %cr3, %eax
        movl $absent, resume
        movl %eax, %cr3
        orl $PTE_P, pointers + 24
        movl $2f, resume
        movl %eax, %cr3
        jmp 3f
absent: EXIT 1
2:      btsl %ecx, %ebp
3:      movl $0, pointers + 24
        incl %ecx
        cmpl $12, %ecx
        jne 1b
        movl %ebp, %eax
        call puthex
        xorl %ebp, %ebp
        xorl %ecx, %ecx
1:      movl $PTE_P, pointers + 24
        btsl %ecx, pointers + 28
        movl $2f, resume
        movl %cr3, %eax
        movl %eax, %cr3
        jmp 3f
2:      btsl %ecx, %ebp
3:      movl $0, pointers + 24
        movl $0, pointers + 28
        incl %ecx
        cmpl $32, %ecx
        jne 1b
        movl %ebp, %eax
        call puthex

        call look
        movl $two + PTE_P, pointers + 8         // in memory only
        invlpg WINDOW
        call look
        movl %cr3, %eax
        movl %eax, %cr3                         // the same value: loads nevertheless
        call look
        movl $one + PTE_P, pointers + 8
        movl $0x60, %eax                        // MCE: loads nothing
        movl %eax, %cr4
        call look
        movl $0xa0, %eax                        // PGE: loads
        movl %eax, %cr4
        call look

        movl $PTE_P + PTE_W, pointers + 16      // PGE again, refused
        movl $1f, resume
        movl $0x20, %eax
        movl %eax, %cr4
        EXIT 2
1:      movl error, %eax
        call puthex
        movl %cr0, %eax                         // paging off needs none; on again is refused
        andl $0x7fffffff, %eax
        movl %eax, %cr0
        orl $0x80000000, %eax
        movl $1f, resume
        movl %eax, %cr0
        EXIT 3
1:      movl faults, %eax
        call puthex
        movl %cr0, %eax
        shrl $30, %eax                          // PG is off still
        andl $2, %eax
        xorl $3, %eax
        call puthex
        movl $0, pointers + 16
        movl %cr0, %eax
        orl $0x80000000, %eax
        movl %eax, %cr0
        movl %cr4, %eax                         // PGE as before
        call puthex
        EXIT 9

look:   movl WINDOW, %eax
        jmp puthex

refused:
        popl error
        incl faults
        movl resume, %eax
        movl %eax, (%esp)
        iret
        .data
resume: .long 0
error:  .long 0
faults: .long 0
        .bss
        .balign 4096
pae_directory:  .skip 4096
one:    .skip 4096
two:    .skip 4096
pointers:
        .skip 32
