// The local APIC's timer: periodic ticks, then one shot; its count runs down.
// exit: 5
// serial: pppp1
#include "guest.h"
#define LAPIC 0xfee00000
main:   call pic_init
        GATE 0x30, tick
        movl $0x1ff, LAPIC + 0xf0       // enabled, spurious vector FFh
        movl $0x3, LAPIC + 0x3e0        // divide by 16
        movl $0x20030, LAPIC + 0x320    // periodic, vector 30h
        movl $2000, LAPIC + 0x380
        sti
1:      hlt
        cmpl $4, ticks
        jb 1b
        movb $'1', letter
        movl $0x30, LAPIC + 0x320       // one shot
        movl $3000, LAPIC + 0x380
        movl LAPIC + 0x390, %eax
        cmpl $3000, %eax
        ja bad
2:      cmpl $5, ticks
        jb 2b
        cmpl $0, LAPIC + 0x390
        jne bad
        movb ticks, %al
        jmp exit
bad:    EXIT 1
tick:   pushl %eax
        incl ticks
        movb letter, %al
        call putc
        movl $0, LAPIC + 0xb0
        popl %eax
        iret
        .data
ticks:  .long 0
letter: .byte 'p'
