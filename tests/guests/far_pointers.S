// Far pointers of 64-bit code have offsets of 32 bits whatever REX.W says (APM volume 3, CALL, JMP and LFS, and as AMD's processors do it): LGS, LSS, JMP and
// CALL; what CALL pushes has 64 bits with it. Prints both halves of what LGS loads, GS, what LSS loads, and the depth of the stack in JMP's and CALL's target.
// exit: 33
// serial: 90001000 00000000 00000010 00001234 00000000 00000010
#include "guest.h"
main:   LONG_PAGES
        LONG_MODE
long:   movl $stack_top, %esp
        movq $-1, %rbx
        rex.w lgs high(%rip), %ebx
        movl %ebx, %eax
        call hex
        movq %rbx, %rax
        shrq $32, %rax
        call hex
        movl %gs, %eax
        call hex
        rex.w lss low(%rip), %ebx
        movl %ebx, %eax
        call hex
        rex.w ljmp *jump(%rip)
jumped: movl $stack_top, %eax
        subl %esp, %eax
        call hex
        rex.w lcall *there(%rip)
        EXIT 33
called: movl $stack_top, %eax
        subl %esp, %eax
        call hex
        rex.w lret
// EAX as eight digits and a blank.
hex:    movl %eax, %r9d
        movl $8, %ecx
        movw $COM1, %dx
1:      roll $4, %r9d
        movb %r9b, %al
        andb $15, %al
        addb $'0', %al
        cmpb $'9', %al
        jbe 2f
        addb $'a' - '9' - 1, %al
2:      outb %al, %dx
        loop 1b
        movb $' ', %al
        outb %al, %dx
        ret
        .code32
        .data
        .balign 16
high:   .long 0x90001000
        .word DATA32, 0, 0
low:    .long 0x1234
        .word DATA32, 0, 0
jump:   .long jumped
        .word CODE64, 0, 0
there:  .long called
        .word CODE64, 0, 0
        .bss
        .balign 4096
pdpt:   .skip 4096
large:  .skip 4096
        .text
