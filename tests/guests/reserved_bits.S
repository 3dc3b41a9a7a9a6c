// Reserved bits of paging entries (Intel SDM volume 3, 4.3, 4.4.2 and 4.7), each tried alone in an entry that is otherwise good: with 32-bit paging bit 21 of an
// entry for 4 MiB; with PAE paging bits 40 to 62, bit 63 unless EFER.NXE, and bits 13 to 20 of an entry for 2 MiB. A reserved bit is a page fault with P and RSVD,
// whatever the access. Prints the refused bits above bit 12, low half and high half where there is one, then all error codes seen.
// cpu: ramet-v2
// exit: 25
// serial: 00200000 001fe000 ffffff00 00000000 ffffff00 001fe000 7fffff00 00000000 7fffff00 00000009
#include "guest.h"
#define WINDOW 0x400000

main:   GATE 14, fault
        movl $0x83, page_directory              // the first 4 MiB
        movl $page_directory, %eax
        movl %eax, %cr3
        movl $0x10, %eax                        // PSE
        movl %eax, %cr4
        call paging
        movl $page_directory + 4, %edi
        movl $0x400083, (%edi)
        call try                                // bits 13 to 20 are address bits 32 to 39

        movl %cr0, %eax
        andl $0x7fffffff, %eax
        movl %eax, %cr0
        movl $directory + PTE_P, pointers
        movl $0x83, directory
        movl $0x200083, directory + 8
        movl $0x20, %eax
        movl %eax, %cr4
        movl $pointers, %eax
        movl %eax, %cr3
        call paging
        call pae
        movl $0xc0000080, %ecx
        rdmsr
        orl $0x800, %eax                        // NXE
        wrmsr
        call pae
        movl errors, %eax
        call puthex
        EXIT 25

paging: movl %cr0, %eax
        orl $0x80000000, %eax
        movl %eax, %cr0
        ret

pae:    movl $directory + 16, %edi
        movl $0x83, (%edi)                      // 2 MiB
        call try
        addl $4, %edi
        call try
        movl $table + 3, directory + 16         // 4 KiB
        movl $table, %edi
        movl $3, (%edi)
        call try
        addl $4, %edi
        jmp try

// Each bit of the word at EDI, from 13 on in a low half, read through WINDOW.
try:    movl (%edi), %esi
        xorl %ebp, %ebp
        xorl %ecx, %ecx
        testl %esi, %esi
        jz 1f
        movl $13, %ecx
1:      movl %esi, %eax
        btsl %ecx, %eax
        movl %eax, (%edi)
        movl %cr3, %eax
        movl %eax, %cr3
        movl WINDOW, %eax
        jmp 3f
refused:
        btsl %ecx, %ebp
3:      incl %ecx
        cmpl $32, %ecx
        jne 1b
        movl %esi, (%edi)
        movl %ebp, %eax
        jmp puthex

fault:  popl %eax
        orl %eax, errors
        movl $refused, (%esp)
        iret
        .data
errors: .long 0
        .bss
        .balign 4096
directory:      .skip 4096
table:  .skip 4096
pointers:       .skip 32
