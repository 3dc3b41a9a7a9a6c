// Long mode: user code calls the kernel by SYSCALL and comes back by SYSRET; flags are masked and restored.
// exit: 30
// serial: user
#include "guest.h"
main:   LONG_PAGES PTE_U
        SET_EFER 0x101                          // LME, SCE
        movl $0xc0000081, %ecx                  // STAR
        xorl %eax, %eax
        movl $0x002b0028, %edx
        wrmsr
        incl %ecx                               // LSTAR
        movl $kernel, %eax
        xorl %edx, %edx
        wrmsr
        movl $0xc0000084, %ecx                  // SFMASK: DF
        movl $0x400, %eax
        wrmsr
        SET_PAGING
        ljmp $CODE64, $long
        .code64
long:   xorl %ebx, %ebx
        movl $user, %ecx
        movl $0x402, %r11d                      // DF set: the kernel must see it clear
        sysretq
user:   movl $text, %edi
1:      movzbl (%rdi), %eax
        syscall
        incq %rdi
        cmpb $0, (%rdi)
        jne 1b
        pushfq
        popq %rbx                               // DF is back
        movw %cs, %ax
        testb $3, %al
        jz 2f
        shrl $10, %ebx
        andl $1, %ebx
2:      xorl %eax, %eax
        syscall
kernel: testl %eax, %eax
        jz 3f
        pushfq
        popq %r8
        shrl $10, %r8d
        andl $1, %r8d
        addl %r8d, bad(%rip)
        movw $COM1, %dx
        outb %al, %dx
        sysretq
3:      leal 29(%rbx), %eax
        addl bad(%rip), %eax
        outb %al, $0xf4
        hlt
        .code32
        .data
text:   .asciz "user"
bad:    .long 0
        .bss
        .balign 4096
pdpt:   .skip 4096
large:  .skip 4096
