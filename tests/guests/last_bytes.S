// The last bytes below the addresses that are not canonical. An instruction may end with them, and the next one is #GP there; one that does not end with them
// is #GP at its first byte, and no page is looked for beyond (CR2 stays zero). Prints RIP and CR2's upper bits for a NOP, the first of two bytes and the first two of ten.
// exit: 26
// serial: 00000000 00008000 00000000 ffffffff 00007fff 00000000 fffffffe 00007fff 00000000
#include "guest.h"
.macro GATE64 vector, handler
        movl $\handler, %eax
        movw %ax, idt + \vector * 16
        movw $CODE64, idt + \vector * 16 + 2
        movl $0x8e00, idt + \vector * 16 + 4
        shrl $16, %eax
        movw %ax, idt + \vector * 16 + 6
        movl $0, idt + \vector * 16 + 8
.endm
main:   LONG_PAGES
        movl $high_pdpt + PTE_P + PTE_W, page_directory + 255 * 8
        movl $high_directory + PTE_P + PTE_W, high_pdpt + 511 * 8
        movl $high_table + PTE_P + PTE_W, high_directory + 511 * 8
        movl $top + PTE_P + PTE_W, high_table + 511 * 8
        GATE64 13, fault
        GATE64 14, fault
        LONG_MODE
long:   movl $stack_top, %esp
        movq $0x7fffffffffff, %rdi
        movb $0x90, (%rdi)
        call try
        movb $0x0f, (%rdi)
        call try
        decq %rdi
        movw $0x05c7, (%rdi)                    // MOVL, with a displacement and an immediate
        call try
        EXIT 26
try:    xorl %eax, %eax
        movq %rax, %cr2
        movq %rsp, %rbx
        movl $3, %ebp                           // more than once, for whoever keeps what was decoded
1:      movl $2f, %esi
        jmp *%rdi
2:      decl %ebp
        jnz 1b
        movl %r8d, %eax
        call hex
        movq %r8, %rax
        shrq $32, %rax
        call hex
        movq %cr2, %rax
        shrq $16, %rax
        jmp hex
fault:  movq 8(%rsp), %r8
        movq %rbx, %rsp
        jmp *%rsi
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
        .bss
        .balign 4096
pdpt:           .skip 4096
large:          .skip 4096
high_pdpt:      .skip 4096
high_directory: .skip 4096
high_table:     .skip 4096
top:            .skip 4096
        .text
