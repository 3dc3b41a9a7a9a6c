// Which debug exceptions leave RF in the saved image (APM volume 2, 3.1.6 and 13.2.3): general detection, which is a fault, does; a step and a data breakpoint, which
// are traps, do not, though BD, which the processor never clears, is left over in DR6 and GD is set again. Prints DR6 and RF for each #DB.
// exit: 34
// serial: ffff2ff0 00010000 ffff6ff0 00000000 ffff2ff1 00000000
#include "guest.h"
#define GD 0x2000
main:   GATE 1, debug
        movl $cell, %eax
        movl %eax, %dr0
        movl $0x400 + GD, %eax
        movl %eax, %dr7
        movl %dr3, %eax                         // general detection

        pushl $0x102
        movl $0x400 + GD, %eax
        movl %eax, %dr7
        popfl
        nop                                     // a step

        movl $0xffff2ff0, %eax                  // BD alone is left over
        movl %eax, %dr6
        movl $0x000f0401 + GD, %eax
        movl %eax, %dr7
        movl cell, %eax                         // a data breakpoint
        EXIT 34

debug:  pushl %eax
        andl $~0x100, 12(%esp)
        movl %dr6, %eax
        call puthex
        movl 12(%esp), %eax
        andl $0x10000, %eax
        call puthex
        popl %eax
        iret
        .data
        .balign 4
cell:   .long 0
