// An interrupt gate of 16 bits (Intel SDM volume 2, INT n, and volume 3, 21.4; APM volume 2, 4.7.5): its offset has 16 bits, whatever stands in the upper half, and
// the frame is IP, CS and FLAGS of 16 bits. What is told: the frame's size, its CS, and how its IP differs from the next instruction's.
// exit: 16
// serial: 00000006 00000008 00000000
#include "guest.h"
main:   movl $handler, %eax                     // the TSS's descriptor as a code segment that begins with the handler
        movw $handler_end - handler - 1, gdt_tss
        movw %ax, gdt_tss + 2
        shrl $16, %eax
        movb %al, gdt_tss + 4
        movw $0x409b, gdt_tss + 5
        movl $TSS << 16, idt + 0x20 * 8         // offset 0
        movl $0xffff8600, idt + 0x20 * 8 + 4
        int $0x20
back:   EXIT 1

handler:
        movl $1f, %eax                          // out of the segment that begins here
        pushl $CODE32
        pushl %eax
        lret
handler_end:
1:      movl $stack_top, %eax
        subl %esp, %eax
        call puthex
        movzwl 2(%esp), %eax
        call puthex
        movl $back, %eax
        subw (%esp), %ax
        movzwl %ax, %eax
        call puthex
        EXIT 16
