// Long mode: a generator feeds 64-bit integer, x87, SSE2 and packed arithmetic for three million instructions, so that the golden digests cover
// every rounding on the way. No manual says what comes out: what counts is that all builds agree.
// exit: 77
// serial: done
#include "guest.h"
main:   LONG_PAGES
        movl $0xc0000080, %ecx
        rdmsr
        orl $0x100, %eax
        wrmsr
        movl %cr0, %eax
        andl $~4, %eax
        orl $0x80000002, %eax
        movl %eax, %cr0
        ljmp $CODE64, $1f
        .code64
1:      movl $100000, %r8d
        movabsq $0x9e3779b97f4a7c15, %rbx
        movabsq $6364136223846793005, %rbp
        fninit
        fld1
        movl $0x1f80, mxcsr(%rip)
        pxor %xmm0, %xmm0
        pxor %xmm7, %xmm7
2:      imulq %rbp, %rbx
        addq $12345, %rbx
        movq %rbx, %rax
        shrq $11, %rax
        movq %rax, number(%rip)
        movq %rbx, %rcx
        rolq %cl, %rax
        mulq %rbx
        xorq %rdx, %rsi
        adcq %rax, %rdi
        bsrq %rbx, %rdx
        movl %ebx, %eax                 // another rounding each time, x87 and SSE
        andl $0x0c00, %eax
        orl $0x037f, %eax
        movl %eax, control(%rip)
        fldcw control(%rip)
        movl %ebx, %eax
        andl $0x6000, %eax
        orl $0x1f80, %eax
        movl %eax, mxcsr(%rip)
        ldmxcsr mxcsr(%rip)
        fildll number(%rip)
        fdivr %st(1), %st
        fsqrt
        faddp
        cvtsi2sdq number(%rip), %xmm1
        sqrtsd %xmm1, %xmm2
        divsd %xmm1, %xmm2
        addsd %xmm2, %xmm0
        cvtpd2ps %xmm2, %xmm3
        mulps %xmm3, %xmm3
        addps %xmm3, %xmm7
        paddq %xmm0, %xmm4
        decl %r8d
        jnz 2b
        fstpt result(%rip)
        movdqu %xmm0, result + 16(%rip)
        movdqu %xmm4, result + 32(%rip)
        movdqu %xmm7, result + 48(%rip)
        movl $text, %esi
3:      lodsb
        movw $COM1, %dx
        testb %al, %al
        jz 4f
        outb %al, %dx
        jmp 3b
4:      movb $77, %al
        outb %al, $0xf4
5:      hlt
        jmp 5b
        .code32
        .data
text:   .asciz "done"
control: .long 0
mxcsr:  .long 0
        .balign 8
number: .quad 0
        .bss
        .balign 4096
pdpt:   .skip 4096
large:  .skip 4096
result: .skip 64
