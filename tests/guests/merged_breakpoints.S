// MOV SS holds its data breakpoint back, but on AMD's processors not an instruction breakpoint on what follows (kvm-unit-tests' emulator test expects it of all but
// Intel's): one #DB reports both, before the instruction, as none may find the handler's stack of the IST in use. Prints B0 to B3 for each #DB, and how many.
// exit: 25
// serial: 00000003 00000001
#include "guest.h"
main:   GATE 1, trap
        movl $selector, %eax
        movl %eax, %dr0
        movl $follows, %eax
        movl %eax, %dr1
        movl $0x00070405, %eax          // 0: read or write, 2 bytes; 1: execute
        movl %eax, %dr7
        movw selector, %ss
follows:
        nop
        xorl %eax, %eax
        movl %eax, %dr7
        movl traps, %eax
        call puthex
        EXIT 25
trap:   incl traps
        cmpl $follows, (%esp)
        jne wrong
        orl $0x10000, 8(%esp)           // RF
        pushl %eax
        movl %dr6, %eax
        andl $15, %eax
        call puthex
        popl %eax
        iret
wrong:  EXIT 1
        .data
selector:
        .word DATA32
traps:  .long 0
