// TF and HLT: the step after HLT is a debug exception, which ends the halt, and its handler returns to the next instruction (Intel SDM volume 2, HLT: "a debug
// exception … will resume execution"; volume 3, 17.3.1.4). Interrupts are off, so nothing else would.
// exit: 4
// serial: stepped on
#include "guest.h"
main:   GATE 1, trap
        pushl $0x102
        popfl
        hlt
halted: nop
        pushl $2
        popfl                           // the last step
        PRINT " on"
        movb steps, %al
        jmp exit
// Counts; says when the step was HLT's.
trap:   cmpl $halted, (%esp)
        jne 1f
        pushal
        PRINT "stepped"
        popal
1:      incb steps
        iret
        .data
steps:  .byte 0
