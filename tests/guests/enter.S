// ENTER on a stack of 16 bits (Intel SDM volume 2 and APM volume 3, ENTER): only SP moves, but with an operand of 32 bits the frame pointer, pushed and at last
// moved to EBP, is the whole of ESP. With one of 16 bits the upper half of EBP stays. What is told: ESP, EBP, and what was pushed.
// exit: 17
// serial: 00017fec 00017ffc 12345678 cafe0001 00017ffc 00017ff4 12347ffe 56787ffe
#include "guest.h"
#define ESP_BEFORE 0x18000
#define EBP_BEFORE 0x12345678
.macro ON_SMALL_STACK instruction:vararg
        movw $DATA16, %ax
        movw %ax, %ss
        movl $ESP_BEFORE, %esp
        movl $EBP_BEFORE, %ebp
        \instruction
        movl %esp, %ebx
        movw $DATA32, %ax
        movw %ax, %ss
        movl $stack_top, %esp
        movl %ebx, %eax
        call puthex
        movl %ebp, %eax
        call puthex
.endm
.macro TELL address
        movl \address, %eax
        call puthex
.endm

main:   movl $0xcafe0001, 0x5674                // the outer frame pointer, below SS:BP
        ON_SMALL_STACK enterl $8, $2
        TELL 0x7ffc
        TELL 0x7ff8
        TELL 0x7ff4
        ON_SMALL_STACK enterw $8, $1
        TELL 0x7ffc
        EXIT 17
