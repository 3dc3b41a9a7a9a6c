// TF: a trap after each instruction, after each iteration of REP, not after the one that POPF begins with, and none in the
// handler. INT n clears it. (QEMU with -icount counts 12: it begins a finished REP once more to find its count zero. Hardware traps three times for three
// iterations: Intel SDM volume 2, REP, and volume 3, 17.3.1.4.)
// exit: 11
// serial: 0000000b 0000400b
#include "guest.h"
main:   GATE 1, trap
        GATE 0x2f, soft
        cld
        movl $0x2000, %esi
        movl $0x3000, %edi
        movl $3, %ecx
        pushfl
        popl %eax
        movl %eax, %ebx
        orl $0x100, %eax
        pushl %eax
        popfl                           // sets TF: no trap yet
        nop                             // 1
        rep movsb                       // 2, 3, 4
        movl $1, %eax                   // 5
        int $0x2f                       // none: the handler runs with TF clear; IRET restores it, no trap yet
        addl %eax, %eax                 // 6
        cpuid                           // 7
        nop                             // 8
        pushl %ebx                      // 9
        nop                             // 10
        popfl                           // 11: TF was set when it began
        nop
        movl count, %eax
        call puthex
        movl %dr6, %eax                 // BS
        andl $0x400f, %eax
        orl count, %eax
        call puthex
        movb count, %al
        jmp exit
trap:   incl count
        iret
soft:   nop
        iret
        .data
count:  .long 0
