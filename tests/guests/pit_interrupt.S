// PIT channel 0 through the PIC: ticks wake HLT, and interrupt a loop that never halts.
// exit: 8
// serial: tttttttt
#include "guest.h"
main:   call pic_init
        GATE 0x20, tick
        OUT8 0x43, 0x34                 // channel 0, mode 2, low and high byte
        OUT8 0x40, 0xe9                 // 1193: about a millisecond
        OUT8 0x40, 0x04
        OUT8 0x21, 0xfe
        sti
1:      hlt
        cmpl $4, ticks
        jb 1b
2:      incl %ebp
        movl %ebp, %eax
        imull $0x10dcd, %eax
        cmpl $8, ticks
        jb 2b
        cli
        movb ticks, %al
        jmp exit
tick:   pushl %eax
        incl ticks
        movb $'t', %al
        call putc
        movb $0x20, %al
        outb %al, $0x20
        popl %eax
        iret
        .data
ticks:  .long 0
