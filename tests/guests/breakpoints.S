// Debug registers (Intel SDM volume 3, 17.2 and 17.3): an instruction breakpoint is a fault before its instruction, which RF lets pass; a data breakpoint on
// writes is a trap after the access, and reads do not set it off; one on both takes either; a disabled one is silent. DR6 names the breakpoint.
// exit: 18
// serial: 00000001 00000002 00000004
#include "guest.h"
main:   GATE 1, trap
        movl $here, %eax
        movl %eax, %dr0
        movl $cell, %eax
        movl %eax, %dr1
        movl $other, %eax
        movl %eax, %dr2
        xorl %eax, %eax
        movl %eax, %dr6
        movl $0x0fd00415, %eax  // 0: execute; 1: write, 4 bytes; 2: read or write, 4 bytes
        movl %eax, %dr7
here:   nop
        movl cell, %eax                 // a read: silent
        movl %eax, cell
        movl other, %eax
        xorl %eax, %eax
        movl %eax, %dr7
        movl %eax, cell                 // disabled: silent
        movb traps, %al
        addb $15, %al
        jmp exit
trap:   pushl %eax
        movl %dr6, %eax
        andl $15, %eax
        call puthex
        xorl %eax, %eax
        movl %eax, %dr6
        incl traps
        popl %eax
        cmpl $here, (%esp)
        jne 1f
        orl $0x10000, 8(%esp)           // RF
1:      iret
        .data
        .balign 4
cell:   .long 0
other:  .long 0
traps:  .long 0
