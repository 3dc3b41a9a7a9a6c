// The memory type range registers (APM volume 2, 7.7). CPUID announces none and MTRRcap counts none, but hypervisors and firmware read and write them
// without asking: they read as zero, and what is written is ignored. The exit value is the number of #GPs: at MTRRcap, which is read-only, and beyond each group, where no register is.
// exit: 4
#include "guest.h"
.macro EACH first, end
        movl $\first, %ecx
        movl $\end, %esi
        call each
.endm
main:   GATE 13, fault
        xorl %ebx, %ebx
        movl $0xfe, %ecx                // MTRRcap
        rdmsr
        orl %edx, %eax
        jnz wrong
        wrmsr                           // #GP: it is read-only
        EACH 0x200, 0x210               // eight pairs of base and mask
        EACH 0x250, 0x251               // fixed: of 64 KiB, 16 KiB and 4 KiB
        EACH 0x258, 0x25a
        EACH 0x268, 0x270
        EACH 0x2ff, 0x300               // MTRRdefType
        movl $0x210, %ecx
        rdmsr                           // #GP
        movl $0x25a, %ecx
        rdmsr                           // #GP
        movl $0x270, %ecx
        rdmsr                           // #GP
        movb %bl, %al
        jmp exit
each:   movl $0x0c06, %eax              // on, and write-back
        xorl %edx, %edx
        wrmsr
        rdmsr
        orl %edx, %eax
        jnz wrong
        incl %ecx
        cmpl %esi, %ecx
        jne each
        ret
wrong:  EXIT 100
// Goes on after the instruction, which is two bytes long.
fault:  addl $4, %esp
        addl $2, (%esp)
        incl %ebx
        iret
