// Interrupt shadows (Intel SDM volume 2, STI and MOV to SS; volume 3, 6.8.3): with an interrupt pending STI; CLI lets none in, STI; NOP; CLI one, after the
// NOP; POPF has no shadow; MOV SS holds off a single-step trap for one instruction.
// exit: 15
// serial: 00000000 00000001 00000002 00000001
#include "guest.h"
main:   call pic_init
        GATE 0x20, tick
        GATE 1, trap
        call pend
        sti
        cli
        movl ticks, %eax                        // none
        call puthex
        sti
        nop
        cli
        movl ticks, %eax                        // one
        call puthex
        call pend
        movl $expected_ip, wanted
        pushfl
        orl $0x200, (%esp)
        popfl                                   // POPF has no shadow
expected_ip:
        nop
        cli
        movl ticks, %eax
        call puthex
        cmpl $0, wrong
        jne 1f
        pushfl
        orl $0x100, (%esp)
        movw $DATA32, %ax
        popfl
        movw %ax, %ss                           // no trap after this one
        nop
stepped:
        pushfl                                  // traps here, where TF is found set and cleared by the handler
        popl %eax
        movl traps, %eax
        call puthex
        EXIT 15
1:      EXIT 1
// Waits, with interrupts off, until the PIT's line is pending in the PIC.
pend:   OUT8 0x43, 0x30                         // channel 0, mode 0: once
        OUT8 0x40, 0x20
        OUT8 0x40, 0
        OUT8 0x21, 0xfe
1:      inb $0x20, %al                          // IRR
        testb $1, %al
        jz 1b
        ret
tick:   incl ticks
        pushl %eax
        movb $0x20, %al
        outb %al, $0x20
        cmpl $0, wanted
        je 1f
        movl 4(%esp), %eax
        cmpl %eax, wanted
        je 1f
        incl wrong
1:      popl %eax
        iret
trap:   incl traps
        cmpl $stepped, (%esp)
        je 1f
        addl $0x100, traps
1:      andl $~0x100, 8(%esp)
        iret
        .data
ticks:  .long 0
traps:  .long 0
wanted: .long 0
wrong:  .long 0
