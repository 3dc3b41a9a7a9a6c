// What comes first when several events meet between two instructions (Intel SDM volume 3, 6.9, table 6-2): traps of the instruction before, external
// interrupts, an instruction breakpoint, faults of decoding. An interrupt waits in the PIC; each handler runs with IF clear and says who it is:
// T a trap (data breakpoint), I the interrupt, B the instruction breakpoint, U the invalid opcode. A data breakpoint set off by MOV SS waits for the
// instruction after it.
// exit: 23
// serial: TI IBU TI T
#include "guest.h"
main:   call pic_init
        GATE 0x20, external
        GATE 1, debug
        GATE 6, invalid
        movl $cell, %eax
        movl %eax, %dr0
        movl $here, %eax
        movl %eax, %dr1
        movl $0x000f0401, %eax                  // 0: read or write, 4 bytes
        movl %eax, %dr7

        call pend                               // a trap and the interrupt after the same instruction
        sti
        movl cell, %eax                         // (in the shadow of STI)
        cli
        call blank

        movl $0x404, %eax                       // 1: execute
        movl %eax, %dr7
        call pend                               // interrupt, breakpoint and invalid opcode before the same instruction
        pushfl
        orl $0x200, (%esp)
        popfl
here:   ud2
        cli
        call blank

        movl $0x000f0401, %eax
        movl %eax, %dr7
        call pend
        sti
        movw cell, %ss                          // holds the trap and the interrupt back
        nop
        cli
        call blank
        movw cell, %ss                          // without an interrupt, too
        nop
        EXIT 23

// Leaves IRQ 0 waiting: the timer's channel 0 in mode 0 with a short count.
pend:   OUT8 0x21, 0xfe
        OUT8 0x43, 0x30
        OUT8 0x40, 1
        OUT8 0x40, 0
1:      OUT8 0x20, 0x0a                         // until the request register has it
        inb $0x20, %al
        testb $1, %al
        jz 1b
        ret
blank:  movb $' ', %al
        jmp putc

external:
        pushl %eax
        movb $'I', %al
        call putc
        pushl %edx
        OUT8 0x21, 0xff
        OUT8 0x20, 0x20
        popl %edx
        popl %eax
        iret
debug:  pushl %eax
        movl %dr6, %eax
        testb $2, %al
        jnz 1f
        movb $'T', %al
        jmp 2f
1:      movb $'B', %al
        orl $0x10000, 12(%esp)                  // RF
2:      call putc
        movl $0xffff0ff0, %eax
        movl %eax, %dr6
        popl %eax
        iret
invalid:
        pushl %eax
        movb $'U', %al
        call putc
        popl %eax
        addl $2, (%esp)
        iret
        .data
        .balign 4
cell:   .long DATA32
