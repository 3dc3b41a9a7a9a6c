// Debug traps that MOV SS holds back (Intel SDM volume 3, 6.8.3): INT1's own #DB takes a data breakpoint of the MOV SS with it, for a second #DB at its
// handler's first instruction would find the same stack of the IST; a software interrupt lets the breakpoint through to its handler's first instruction.
// Single steps: MOV SS has none, INT1 has none, and what follows INT1's handler has one. An instruction breakpoint hits after MOV SS (merged_breakpoints.S) and after STI.
// exit: 18
// serial: 00000001 00000001 00000002 00000002 00000000 00004000 00000006
#include "guest.h"
main:   GATE 1, trap
        GATE 0x30, software
        movl $selector, %eax
        movl %eax, %dr0
        xorl %eax, %eax
        movl %eax, %dr6
        movl $0x00070401, %eax          // 0: read or write, 2 bytes
        movl %eax, %dr7
        movl $after_int1, wanted
        movw selector, %ss
        .byte 0xf1
after_int1:
        movl $software, wanted
        movw selector, %ss
        int $0x30
        movl $0x0000000c, %eax          // 1: execute
        movl %eax, %dr7
        movl $after_mov_ss, %eax
        movl %eax, %dr1
        movl %eax, wanted
        movw selector, %ss
after_mov_ss:
        nop
        movl $after_sti, %eax
        movl %eax, %dr1
        movl %eax, wanted
        OUT8 0x21, 0xff                 // no interrupt
        sti
after_sti:  nop
        cli
        xorl %eax, %eax
        movl %eax, %dr7
        movl $after_stepped_int1, wanted
        pushfl
        orl $0x100, (%esp)
        movw $DATA32, %ax
        popfl
        movw %ax, %ss
        .byte 0xf1
after_stepped_int1:
        nop                             // steps again: IRET gave TF back
stepped:
        movl traps, %eax
        call puthex
        movl wrong, %eax
        addl $18, %eax
        jmp exit
software:
        iret
// Prints what DR6 says; ends the stepping with the second trap of the stepped stretch.
trap:   pushl %eax
        incl traps
        movl %dr6, %eax
        andl $0x400f, %eax
        call puthex
        testl $0x4000, %eax
        jz 1f
        movl $stepped, wanted
        andl $~0x100, 12(%esp)
1:      orl $0x10000, 12(%esp)          // RF
        xorl %eax, %eax
        movl %eax, %dr6
        movl 4(%esp), %eax
        cmpl %eax, wanted
        je 2f
        incl wrong
2:      popl %eax
        iret
        .data
        .balign 4
selector:
        .long DATA32
wanted: .long 0
traps:  .long 0
wrong:  .long 0
