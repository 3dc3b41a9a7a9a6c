// Breakpoints on ports (Intel SDM volume 3, 17.2.4, R/W field 10): with CR4.DE they trap after IN or OUT to any of their ports, REP OUTS after each
// iteration; with CR4.DE clear they are silent. With DE set DR4 is #UD, with DE clear it is DR6. What traps prints DR6's low bits.
// exit: 22
// serial: 00000001 00000001 00000001 00000001 00000003 00000004 ffff0ff0 00000001
#include "guest.h"
main:   GATE 1, trap
        GATE 6, invalid
        movl %cr4, %eax
        orl $8, %eax
        movl %eax, %cr4
        movl $0x80, %eax
        movl %eax, %dr0
        movl $0x81, %eax
        movl %eax, %dr1
        movl $0x00220405, %eax                  // 0: port, 1 byte; 1: port, 1 byte, with G1 off and L1 on
        movl %eax, %dr7
        inb $0x80, %al
        outb %al, $0x80
        movl $text, %esi
        movw $0x80, %dx
        movl $2, %ecx
        rep outsb                               // two traps
        outw %ax, $0x80                         // both ports at once
        outb %al, $0x82                         // neither
        movl %cr4, %eax
        andl $~8, %eax
        movl %eax, %cr4
        outb %al, $0x80                         // silent
        movl traps, %eax
        subl $1, %eax
        call puthex
        xorl %eax, %eax
        movl %eax, %dr7
        .byte 0x0f, 0x21, 0xe0                  // movl %dr4, %eax
        call puthex
        movl %cr4, %eax
        orl $8, %eax
        movl %eax, %cr4
        .byte 0x0f, 0x21, 0xe0
        movl undefined, %eax
        call puthex
        EXIT 22
trap:   pushl %eax
        incl traps
        movl %dr6, %eax
        andl $15, %eax
        call puthex
        movl $0xffff0ff0, %eax
        movl %eax, %dr6
        popl %eax
        iret
invalid:
        incl undefined
        addl $3, (%esp)
        iret
        .data
traps:  .long 0
undefined:
        .long 0
text:   .ascii "ab"
