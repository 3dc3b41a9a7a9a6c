// SYSENTER and SYSEXIT (Intel SDM volume 2): the MSRs give CS, ESP and EIP; SS is the next descriptor, SYSEXIT's are 16 and 24 above; IF is cleared on the way in.
// exit: 19
// serial: 00000008 00000010 00000000 0000001b 00000023
#include "guest.h"
main:   movl $0x174, %ecx
        xorl %edx, %edx
        movl $CODE32, %eax
        wrmsr
        incl %ecx
        movl $stack_top, %eax
        wrmsr
        incl %ecx
        movl $kernel, %eax
        wrmsr
        movl $user_code, %eax           // SYSEXIT's descriptors, at 18h and 20h
        movl 0x00(%eax), %ebx
        movl %ebx, gdt + 0x18
        movl 0x04(%eax), %ebx
        movl %ebx, gdt + 0x1c
        movl 0x08(%eax), %ebx
        movl %ebx, gdt + 0x20
        movl 0x0c(%eax), %ebx
        movl %ebx, gdt + 0x24
        pushl $0x3202                   // IF, IOPL 3
        popfl
        sysenter
kernel: movl %cs, %eax
        call puthex
        movl %ss, %eax
        call puthex
        pushfl
        popl %eax
        andl $0x200, %eax
        call puthex
        pushl $0x3002
        popfl
        movl $user, %edx
        movl $user_stack, %ecx
        sysexit
user:   movl %cs, %eax
        call puthex
        movl %ss, %eax
        call puthex
        movw $0x23, %ax
        movw %ax, %ds
        EXIT 19
        .data
        .balign 8
user_code:
        .quad 0x00cffb000000ffff
        .quad 0x00cff3000000ffff
        .bss
        .skip 1024
user_stack:
