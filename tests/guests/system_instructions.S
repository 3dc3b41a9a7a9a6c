// Instructions of the system that have no vectors, each with what the manual says of it (Intel SDM volume 2): what is stored comes back, state that is saved is
// restored, bits of a generator differ, time goes on, and what a mode or a control bit forbids is #UD or #GP. Prints a bit for each that did not do so,
// how many were tried, and how many exceptions came.
// cpu: ramet-v2
// exit: 26
// serial: 00000000 0000001d 00000006
#include "guest.h"

// Checks a condition of the flags: EBP holds the failures, EBX counts.
.macro EXPECT condition
        j\condition 9991f
        bts %rbx, %rbp
9991:   incl %ebx
.endm

// Runs an instruction that must raise the exception `number`; R15 says where to go on, R14 which came.
.macro RAISES number, instruction:vararg
        movl $9992f, %r15d
        xorl %r14d, %r14d
        \instruction
9992:   cmpl $\number, %r14d
        EXPECT e
.endm

.macro GATE64 vector, handler
        movl $\handler, %eax
        movw %ax, gates + \vector * 16
        movw $CODE64, gates + \vector * 16 + 2
        movw $0x8e00, gates + \vector * 16 + 4
        shrl $16, %eax
        movw %ax, gates + \vector * 16 + 6
.endm

main:   LONG_PAGES
        GATE64 1, debug
        GATE64 6, invalid
        GATE64 13, protection
        SET_EFER
        movl $0x250620, %eax                    // FSGSBASE, OSXSAVE, SMAP, beside those of LONG_PAGES
        movl %eax, %cr4
        movl %cr0, %eax
        orl $0x80000002, %eax
        movl %eax, %cr0
        ljmp $CODE64, $long
        .code64
long:   lidt gates_pointer(%rip)
        xorl %ebp, %ebp
        xorl %ebx, %ebx
        sgdt stored(%rip)
        cmpl $gdt, stored + 2(%rip)
        EXPECT e
        sidt stored(%rip)
        cmpl $gates, stored + 2(%rip)
        EXPECT e
        sldt %eax
        testl %eax, %eax
        EXPECT z
        smsw %rax
        movq %cr0, %rcx
        cmpq %rcx, %rax
        EXPECT e

        stac
        pushfq
        popq %rax
        btl $18, %eax
        EXPECT c
        clac
        pushfq
        popq %rax
        btl $18, %eax
        EXPECT nc

        movabsq $0x123456789a, %rax
        wrfsbase %rax
        rdfsbase %rcx
        cmpq %rax, %rcx
        EXPECT e
        wrgsbase %rax
        swapgs                                  // the other base is 0
        rdgsbase %rcx
        testq %rcx, %rcx
        EXPECT z
        swapgs
        rdgsbase %rcx
        cmpq %rax, %rcx
        EXPECT e
        btsq $63, %rax
        RAISES 13, wrfsbase %rax

        xorl %ecx, %ecx
        xgetbv
        cmpl $1, %eax
        EXPECT e
        movl $3, %eax
        xsetbv
        xgetbv
        cmpl $3, %eax
        EXPECT e
        movl $2, %eax                           // without x87
        RAISES 13, xsetbv

        movl $3, %eax
        xorl %edx, %edx
        movl $0x12345678, %esi
        movd %esi, %xmm3
        fninit
        fld1
        xsave area(%rip)
        pxor %xmm3, %xmm3
        fninit
        xrstor area(%rip)
        movd %xmm3, %ecx
        cmpl %esi, %ecx
        EXPECT e
        fnstsw %ax
        andl $0x3800, %eax
        cmpl $0x3800, %eax                      // TOP is 7
        EXPECT e
        cmpb $3, area + 512(%rip)               // both are in XSTATE_BV
        EXPECT e
        movl $3, %eax
        movb $4, area + 512(%rip)               // state that does not exist
        RAISES 13, xrstor area(%rip)

        rdtsc
        movl %eax, %esi
        pause
        lfence
        mfence
        sfence
        clflush area(%rip)
        nopl area(%rip)
        .irp opcode, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e
        .byte 0x0f, \opcode, 0xc0              // reserved for hints
        .endr
        rdtscp
        cmpl %esi, %eax
        EXPECT a
        cmpl $0, %ecx                           // TSC_AUX
        EXPECT e
        movl $4, %ecx
        RAISES 13, rdpmc
        RAISES 6, rsm

        rdrand %rax
        EXPECT c
        rdrand %rcx
        cmpq %rax, %rcx
        EXPECT ne
        rdseed %rax
        EXPECT c
        rdseed %cx
        EXPECT c
        rdrand %cx
        EXPECT c

        movl $0xf0, %eax                        // the second encoding of TEST
        .byte 0xf6, 0xc8, 0x0f                  // testb $0x0f, %al
        EXPECT z
        .byte 0xf7, 0xc8, 0x10, 0, 0, 0         // testl $0x10, %eax
        EXPECT nz

        movl $1f, %r15d
        .byte 0xf1                              // INT1: #DB behind it
1:      cmpl $1, %r14d
        EXPECT e

        call show
        movl %ebx, %ebp
        call show
        movl raised(%rip), %ebp
        call show
        movb $26, %al
        outb %al, $0xf4
        hlt

// EBP as eight digits and a blank.
show:   movl $8, %ecx
        movl $digits, %esi
2:      roll $4, %ebp
        movl %ebp, %eax
        andl $15, %eax
        movb (%rsi, %rax), %al
        movw $COM1, %dx
        outb %al, %dx
        loop 2b
        movb $' ', %al
        outb %al, %dx
        ret

protection:
        movl $13, %r14d
        addq $8, %rsp
        jmp 3f
invalid:
        movl $6, %r14d
        jmp 3f
debug:  movl $1, %r14d
3:      incl raised(%rip)
        movq %r15, (%rsp)
        iretq

        .code32
        .data
digits: .ascii "0123456789abcdef"
raised: .long 0
gates_pointer:
        .word 16 * 16 - 1
        .long gates, 0
stored: .skip 16
        .bss
        .balign 4096
pdpt:   .skip 4096
large:  .skip 4096
gates:  .skip 16 * 16
        .balign 64
area:   .skip 576
