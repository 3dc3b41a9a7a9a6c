// PAE paging: every combination of U/S, R/W, NX, CR0.WP, SMEP, SMAP, EFLAGS.AC and privilege, for a read, a write and a fetch. What is allowed and
// what the error code says follows from Intel SDM volume 3, 4.6.1 "Determination of Access Rights" and 4.7 "Page-Fault Exceptions".
// Prints how many agree, and each that does not: combination, what came, what should have.
// cpu: ramet-v2
// exit: 9
// serial: 00000300
#include "guest.h"
#define WINDOW 0x200000
#define USER_PAGE 0x201000
#define WINDOW_FRAME 0x300000
#define USER_FRAME 0x301000
#define USER_DATA_RPL3 0x33
#define HAS_U 1
#define HAS_W 2
#define HAS_NX 4
#define HAS_WP 8
#define HAS_SMEP 16
#define HAS_SMAP 32
#define HAS_AC 64
#define BY_USER 128
#define READ 0
#define WRITE 1
#define FETCH 2
main:   GATE 14, fault
        GATE 0x30, done, 3
        LOAD_TSS
        movl $0x909030cd, WINDOW_FRAME          // int 30h
        movl $snippets, %esi
        movl $USER_FRAME, %edi
        movl $snippets_end - snippets, %ecx
        rep movsb
        movl $pae_directory + PTE_P, pae_pointers
        movl $PTE_P + PTE_W + PTE_PS, pae_directory
        movl $pae_table + PTE_P + PTE_W + PTE_U, pae_directory + 8
        movl $USER_FRAME + PTE_P + PTE_W + PTE_U, pae_table + 8
        movl $0xc0000080, %ecx
        rdmsr
        orl $0x800, %eax                        // NXE
        wrmsr
        movl $0x20, %eax
        movl %eax, %cr4
        movl $pae_pointers, %eax
        movl %eax, %cr3
        movl %cr0, %eax
        orl $0x80000000, %eax
        movl %eax, %cr0
        xorl %ebp, %ebp                         // combination in the low byte, kind of access above it

again:  movl $WINDOW_FRAME + PTE_P, %eax
        xorl %edx, %edx
        testl $HAS_U, %ebp
        jz 1f
        orl $PTE_U, %eax
1:      testl $HAS_W, %ebp
        jz 1f
        orl $PTE_W, %eax
1:      testl $HAS_NX, %ebp
        jz 1f
        orl $0x80000000, %edx
1:      movl %eax, pae_table
        movl %edx, pae_table + 4
        movl %cr0, %eax
        andl $~0x10000, %eax
        testl $HAS_WP, %ebp
        jz 1f
        orl $0x10000, %eax
1:      movl %eax, %cr0
        movl $0x20, %eax
        testl $HAS_SMEP, %ebp
        jz 1f
        orl $0x100000, %eax
1:      testl $HAS_SMAP, %ebp
        jz 1f
        orl $0x200000, %eax
1:      movl %eax, %cr4
        movl %cr3, %eax
        movl %eax, %cr3
        call expect
        movl %ebp, %ecx                         // the snippet, in ours or in the user's copy
        shrl $8, %ecx
        shll $4, %ecx
        movl $2, %eax
        testl $HAS_AC, %ebp
        jz 1f
        orl $0x40000, %eax
1:      testl $BY_USER, %ebp
        jnz user
        pushl %eax
        popfl
        addl $snippets, %ecx
        jmp *%ecx
user:   pushl $USER_DATA_RPL3
        pushl $0
        pushl %eax
        pushl $USER_CODE32
        addl $USER_PAGE, %ecx
        pushl %ecx
        movw $USER_DATA_RPL3, %ax
        movw %ax, %ds
        iret

fault:  popl %ebx                               // error code
        jmp judge
done:   xorl %ebx, %ebx
judge:  movw $DATA32, %ax
        movw %ax, %ds
        movl $stack_top, %esp
        cmpl %ebx, expected
        jne 1f
        incl agreed
        jmp 2f
1:      movl %ebp, %eax
        call puthex
        movl %ebx, %eax
        call puthex
        movl expected, %eax
        call puthex
2:      incl %ebp
        cmpl $0x300, %ebp
        jne again
        movl agreed, %eax
        call puthex
        EXIT 9

// Combination EBP: the error code, or 0 for no fault, in `expected`.
expect: movl %ebp, %ecx
        shrl $8, %ecx
        movl $1, %edx                           // a protection violation
        cmpl $WRITE, %ecx
        jne 1f
        orl $2, %edx
1:      cmpl $FETCH, %ecx
        jne 1f
        orl $16, %edx
1:      testl $BY_USER, %ebp
        jz supervisor
        orl $4, %edx
        testl $HAS_U, %ebp
        jz faults
        cmpl $WRITE, %ecx
        jb passes
        ja 1f
        testl $HAS_W, %ebp
        jz faults
        jmp passes
1:      testl $HAS_NX, %ebp
        jnz faults
        jmp passes
supervisor:
        cmpl $FETCH, %ecx
        je 2f
        movl %ebp, %eax
        andl $HAS_U + HAS_SMAP + HAS_AC, %eax
        cmpl $HAS_U + HAS_SMAP, %eax
        je faults
        cmpl $WRITE, %ecx
        jne passes
        movl %ebp, %eax
        andl $HAS_W + HAS_WP, %eax
        cmpl $HAS_WP, %eax
        je faults
        jmp passes
2:      testl $HAS_NX, %ebp
        jnz faults
        movl %ebp, %eax
        andl $HAS_U + HAS_SMEP, %eax
        cmpl $HAS_U + HAS_SMEP, %eax
        je faults
passes: xorl %edx, %edx
faults: movl %edx, expected
        ret

        .balign 16
snippets:
        movl WINDOW, %eax
        int $0x30
        .balign 16
        movb $0xcd, WINDOW
        int $0x30
        .balign 16
        movl $WINDOW, %eax
        jmp *%eax
        .balign 16
snippets_end:
        .data
expected: .long 0
agreed: .long 0
        .bss
        .balign 4096
pae_directory:  .skip 4096
pae_table:      .skip 4096
pae_pointers:   .skip 32
tss:    .skip 104
