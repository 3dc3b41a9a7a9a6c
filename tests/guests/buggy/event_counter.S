// Counts bytes of the serial port, which come by interrupt, and loses one now and then.
//
// The handler counts an event in `events`. The main loop moves the count to `handled` and sets it to zero, with interrupts on. The bug: an event that
// arrives between those two instructions, at one of two boundaries in a loop of some thousand instructions, is counted and then wiped out.
// Both are words in memory, for a test to look at: after everything has arrived, events + handled is the number of bytes.
#include "../guest.h"
main:   call pic_init
        GATE 0x24, received
        OUT8 COM1 + 3, 0x83                     // 115200 baud, 8N1
        OUT8 COM1, 1
        OUT8 COM1 + 1, 0
        OUT8 COM1 + 3, 3
        OUT8 COM1 + 4, 0x0b                     // DTR, RTS, OUT2
        OUT8 COM1 + 1, 1                        // an interrupt for each byte
        OUT8 0x21, 0xef
        PRINT "counting"
        sti
count:  movl events, %eax
        addl %eax, handled                      // what comes from here on …
        movl $0, events                         // … is lost here
        movl $1000, %ecx
1:      loop 1b
        jmp count

received:
        pushl %eax
        pushl %edx
        movw $COM1, %dx
        inb %dx, %al
        incl events
        movb $0x20, %al
        outb %al, $0x20
        popl %edx
        popl %eax
        iret

        .data
        .balign 4
        .globl events, handled
events: .long 0
handled:
        .long 0
        .section .note.GNU-stack, "", @progbits
