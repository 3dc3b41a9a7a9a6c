// Reads the first sector of a disk again and again, and stops for ever when a completion comes too early.
//
// The driver writes the command, does some work of a few thousand instructions, and only then says that it waits, in `waiting`. The bug: the handler
// takes a completion for a stray one, and drops it, when nobody waits yet. A disk that takes its usual time never shows it.
// `reads` counts the sectors that have come.
#include "../guest.h"
main:   call pic_init
        GATE 0x2e, completed
        OUT8 0x21, 0xfb                         // the cascade
        OUT8 0xa1, 0xbf                         // IRQ14
        OUT8 0x3f6, 0
        PRINT "reading"
again:  OUT8 0x1f2, 1
        OUT8 0x1f3, 0
        OUT8 0x1f4, 0
        OUT8 0x1f5, 0
        OUT8 0x1f6, 0xe0
        OUT8 0x1f7, 0x20
        sti
        movl $5000, %ecx                        // what comes from here on …
1:      loop 1b
        cli
        movl $1, waiting                        // … to here is lost
2:      cmpl $0, done
        jne 3f
        sti
        hlt
        cli
        jmp 2b
3:      movl $0, waiting
        movl $0, done
        movw $0x1f0, %dx
        movl $buffer, %edi
        movl $256, %ecx
        rep insw
        incl reads
        jmp again

completed:
        pushl %eax
        pushl %edx
        movw $0x1f7, %dx
        inb %dx, %al
        movl waiting, %eax
        movl %eax, done
        movb $0x20, %al
        outb %al, $0xa0
        outb %al, $0x20
        popl %edx
        popl %eax
        iret

        .data
        .balign 4
        .globl reads
reads:  .long 0
waiting:
        .long 0
done:   .long 0
        .bss
buffer: .skip 512
        .section .note.GNU-stack, "", @progbits
