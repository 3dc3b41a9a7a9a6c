// Descriptors of 16 bytes in long mode (Intel SDM volume 3, 3.5.2, 5.8.3.1 and 7.2.3; volume 2, LLDT and LTR; APM volume 2, 4.8.3): an upper half with a type, a base that is
// not canonical, a type of legacy mode, and an upper half beyond the table are #GP of the selector; an absent one is #NP. For LTR, LLDT and a call gate, which also
// refuses a code segment that is not of 64 bits and a target that is not canonical. Each as vector and error code; then what a good LTR leaves: the busy
// bit and TR; and a good call through the gate.
// exit: 33
// serial: 0000d068 0000d068 0000d068 0000b068 0000d088 0000d068 0000d068 0000d068 0000b068 0000d088 0000d068 0000b068 0000d008 0000d000 0000d088 0000008b 00000068 0000007e
#include "guest.h"
#define SLOT 0x68
#define LAST 0x88                       // whose second half the table does not reach

// Entries of the log: vector and error code; execution goes on behind.
.macro REFUSED instruction:vararg
        movl $9991f, %ebx
        \instruction
9991:
.endm
.macro DESCRIPTOR type, second=0, third=0
        movl $0x00000067, big_gdt + SLOT(%rip)
        movl $\type << 8, big_gdt + SLOT + 4(%rip)
        movl $\second, big_gdt + SLOT + 8(%rip)
        movl $\third, big_gdt + SLOT + 12(%rip)
.endm
.macro LONG_GATE selector, type=0x8c, upper=0, third=0
        movl $gate_target, %ecx
        movw %cx, big_gdt + SLOT(%rip)
        movw $\selector, big_gdt + SLOT + 2(%rip)
        movw $\type << 8, big_gdt + SLOT + 4(%rip)
        shrl $16, %ecx
        movw %cx, big_gdt + SLOT + 6(%rip)
        movl $\upper, big_gdt + SLOT + 8(%rip)
        movl $\third, big_gdt + SLOT + 12(%rip)
.endm
.macro GATE64 vector, handler
        movl $\handler, %eax
        movw %ax, idt + \vector * 16
        movw $CODE64, idt + \vector * 16 + 2
        movw $0x8e00, idt + \vector * 16 + 4
        shrl $16, %eax
        movw %ax, idt + \vector * 16 + 6
        movl $0, idt + \vector * 16 + 8
        movl $0, idt + \vector * 16 + 12
.endm

main:   movl $gdt, %esi
        movl $big_gdt, %edi
        movl $0x58 / 4, %ecx
        rep movsl
        lgdt big_gdt_pointer
        GATE64 11, absent
        GATE64 13, general
        LONG_PAGES
        SET_EFER
        movl %cr0, %eax
        orl $0x80000000, %eax
        movl %eax, %cr0
        movl $log, %edi
        ljmp $CODE64, $wide
        .code64
wide:   movl $SLOT, %eax
        movl $LAST, %edx
        DESCRIPTOR 0x89, 0, 0x100
        REFUSED ltr %ax
        DESCRIPTOR 0x89, 0x8000
        REFUSED ltr %ax
        DESCRIPTOR 0x81
        REFUSED ltr %ax
        DESCRIPTOR 0x09
        REFUSED ltr %ax
        REFUSED ltr %dx
        DESCRIPTOR 0x82, 0, 0x1f00
        REFUSED lldt %ax
        DESCRIPTOR 0x82, 0xffff
        REFUSED lldt %ax
        DESCRIPTOR 0x8b
        REFUSED lldt %ax
        DESCRIPTOR 0x02
        REFUSED lldt %ax
        REFUSED lldt %dx
        LONG_GATE CODE64, 0x8c, 0, 0x100
        REFUSED lcall *far_slot(%rip)
        LONG_GATE CODE64, 0x0c
        REFUSED lcall *far_slot(%rip)
        LONG_GATE CODE32
        REFUSED lcall *far_slot(%rip)
        LONG_GATE CODE64, 0x8c, 0x8000
        REFUSED lcall *far_slot(%rip)
        REFUSED lcall *far_last(%rip)
        DESCRIPTOR 0x89, 0xffff8000
        ltr %ax
        movzbl big_gdt + SLOT + 5(%rip), %eax
        stosl
        str %eax
        stosl
        LONG_GATE CODE64
        lcall *far_slot(%rip)
        movl $CODE32, %eax
        pushq %rax
        movl $report, %eax
        pushq %rax
        lretq

gate_target:
        movl $0x7e, %eax
        stosl
        lretq
absent: popq %rcx
        orl $0xb000, %ecx
        jmp 1f
general:
        popq %rcx
        orl $0xd000, %ecx
1:      movl %ecx, (%rdi)
        addl $4, %edi
        movq %rbx, (%rsp)
        iretq

        .code32
report: movl $stack_top, %esp
        movl $log, %esi
1:      lodsl
        pushl %edi
        call puthex
        popl %edi
        cmpl %esi, %edi
        jne 1b
        EXIT 33

        .data
        .balign 8
big_gdt:
        .skip 0x88
        .long 0x00000067, 0x00008900            // the first half of a descriptor
big_gdt_pointer:
        .word . - big_gdt - 1
        .long big_gdt
far_slot:
        .long 0
        .word SLOT
far_last:
        .long 0
        .word LAST
        .bss
        .balign 4
log:    .skip 256
        .balign 4096
pdpt:   .skip 4096
large:  .skip 4096
