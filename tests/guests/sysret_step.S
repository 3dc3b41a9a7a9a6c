// Long mode: SYSRET traps by the TF that it loads, though the kernel was not stepped: #DB before the user's first instruction (as hypervisors' tests find on
// hardware; a single step is due after the instruction at whose end TF is set, for SYSCALL and SYSRET alone). The exit value tells after how many it came.
// exit: 20
#include "guest.h"
main:   LONG_PAGES PTE_U
        movl $trap, %eax
        movw %ax, idt + 16
        movw $CODE64, idt + 18
        movw $0x8e00, idt + 20
        shrl $16, %eax
        movw %ax, idt + 22
        movl $0, idt + 24
        movl $0, idt + 28
        movl $tss, %eax
        movw $103, gdt_tss
        movw %ax, gdt_tss + 2
        shrl $16, %eax
        movb %al, gdt_tss + 4
        movb $0x89, gdt_tss + 5
        movl $stack_top, tss + 4
        lidt wide_idt_pointer
        SET_EFER 0x101                  // LME, SCE
        incl %ecx                       // STAR
        xorl %eax, %eax
        movl $0x002b0028, %edx
        wrmsr
        SET_PAGING
        ljmp $CODE64, $long
        .code64
long:   movw $TSS, %ax
        ltr %ax
        xorl %ebx, %ebx
        movl $user, %ecx
        movl $0x102, %r11d              // TF
        sysretq
user:   incl %ebx
        incl %ebx
1:      jmp 1b
trap:   movq %dr6, %rax
        andl $0x4000, %eax
        jz 1f
        leal 20(%rbx), %eax
1:      outb %al, $0xf4
        jmp 1b
        .code32
        .data
wide_idt_pointer:
        .word 2 * 16 - 1
        .long idt
        .bss
        .balign 4096
pdpt:   .skip 4096
large:  .skip 4096
tss:    .skip 104
