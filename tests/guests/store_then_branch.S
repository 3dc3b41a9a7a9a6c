// An SSE register stored to memory right before a conditional jump, which takes no part in the store: 3.0 arrives whole, with either outcome of the jump.
// exit: 1
#include "guest.h"
main:   movl %cr4, %eax
        orl $0x600, %eax
        movl %eax, %cr4
        movsd three, %xmm0
        movl $20, %ebx
1:      movl $0, low
        movl $-1, high
        cmpl $10, %ebx
        movsd %xmm0, low
        je 2f
2:      cmpl $0, low
        jne 3f
        cmpl $0x40080000, high
        jne 3f
        decl %ebx
        jnz 1b
        EXIT 1
3:      EXIT 2
        .data
        .balign 8
three:  .double 3.0
low:    .long 0
high:   .long 0
