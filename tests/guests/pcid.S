// Process-context identifiers (Intel SDM volume 3, 4.10.1, and volume 2, INVPCID; APM volume 2, 5.5.1). Each try below is an instruction that is refused
// (its #GP counts, its bit is set) or not. Refused: PCIDE outside long mode, PCIDE with a PCID in CR3, CR3 with bit 63 without PCIDE, INVPCID with a
// type above 3, with reserved bits, with a PCID while PCIDE is clear, with an address that is not canonical, paging off while PCIDE is set.
// A table that changes is seen at once, whatever bit 63 says: our translations are never stale.
// cpu: ramet-v2
// exit: 17
// serial: 00000400 00020000 00000001 00000055 0000000f 00040100 00000801 11111111 22222222 00000001
#include "guest.h"
#define PCIDE 0x20000
#define WINDOW 0x400000

// Runs an instruction; if it is refused, sets the next bit of EBP. EBX counts, EDI says where to go on.
.macro TRY instruction:vararg
        movl $9991f, %edi
        \instruction
        jmp 9992f
9991:   bts %ebx, %ebp
9992:   incl %ebx
.endm

main:   movl $0x11111111, 0x600000
        movl $0x22222222, 0x200000
        movl $7, %eax
        xorl %ecx, %ecx
        cpuid
        movl %ebx, %eax
        andl $0x400, %eax
        call puthex
        movl $1, %eax
        cpuid
        movl %ecx, %eax
        andl $PCIDE, %eax
        call puthex
        GATE 13, refused32
        LONG_PAGES
        xorl %ebp, %ebp
        xorl %ebx, %ebx
        movl $PCIDE + 0x620, %eax
        TRY movl %eax, %cr4                     // not outside long mode
        movl %ebp, %eax
        call puthex
        SET_EFER
        SET_PAGING
        movl $refused64, %eax
        movw %ax, gates + 13 * 16
        movw $CODE64, gates + 13 * 16 + 2
        movw $0x8e00, gates + 13 * 16 + 4
        shrl $16, %eax
        movw %ax, gates + 13 * 16 + 6
        ljmp $CODE64, $long
        .code64
long:   lidt gates_pointer(%rip)
        xorl %ebp, %ebp
        xorl %ebx, %ebx
        movl $3, %r8d
        movl $4, %r9d
        xorl %r10d, %r10d
        movl $1, %r11d
        btsq $32, %r9
        TRY invpcid descriptor(%rip), %r9             // 0: type, and all its 64 bits
        TRY invpcid descriptor(%rip), %r8             // all contexts
        movq $0x1000, descriptor(%rip)
        TRY invpcid descriptor(%rip), %r8             // 2: reserved bits
        movq $5, descriptor(%rip)
        TRY invpcid descriptor(%rip), %r8             // a PCID that nobody asks for
        TRY invpcid descriptor(%rip), %r11            // 4: a PCID without PCIDE
        movq $0, descriptor(%rip)
        movl $0x10000, descriptor + 12(%rip)
        TRY invpcid descriptor(%rip), %r11            // an address that nobody asks for
        TRY invpcid descriptor(%rip), %r10            // 6: not canonical
        movl $0, descriptor + 12(%rip)
        TRY invpcid descriptor(%rip), %r10
        call show

        xorl %ebp, %ebp
        xorl %ebx, %ebx
        movq %cr3, %rax
        btsq $63, %rax
        TRY movq %rax, %cr3                     // 0: bit 63 without PCIDE
        movq %cr3, %rax
        orq $5, %rax
        movq %rax, %cr3                         // bits 0 and 2 are ignored, but kept
        movq %cr4, %rcx
        orq $PCIDE, %rcx
        TRY movq %rcx, %cr4                     // 1: a PCID in CR3
        andq $-4096, %rax
        movq %rax, %cr3
        movq %rcx, %cr4
        btsq $40, %rax
        TRY movq %rax, %cr3                     // 2: beyond the physical address
        movq %cr0, %rax
        btrl $31, %eax
        TRY movq %rax, %cr0                     // 3: paging off
        call show

        movq $0x100005, descriptor(%rip)
        movq $5, descriptor(%rip)
        xorl %ebp, %ebp
        xorl %ebx, %ebx
        TRY invpcid descriptor(%rip), %r11            // a PCID with PCIDE
        TRY invpcid descriptor(%rip), %r10
        movq %cr3, %rax
        orq $0x801, %rax
        btsq $63, %rax
        TRY movq %rax, %cr3
        shlq $16, %rbp
        movq %cr4, %rax
        shrl $9, %eax
        andl $0x100, %eax
        orl %eax, %ebp
        btsl $18, %ebp
        call show
        movq %cr3, %rbp                         // bit 63 is not kept
        movq %rbp, %rax
        shrq $32, %rax
        andl $0xfff, %ebp
        orl %eax, %ebp
        call show

        movq $0x600000 + PTE_P + PTE_W + PTE_PS, large + 16(%rip)
        movl WINDOW, %ebp
        call show
        movq $0x200000 + PTE_P + PTE_W + PTE_PS, large + 16(%rip)
        movq %cr3, %rax
        btsq $63, %rax
        movq %rax, %cr3
        movl WINDOW, %ebp
        call show

        movq %cr4, %rax                         // PCIDE may be cleared whatever CR3 holds
        andq $~PCIDE, %rax
        xorl %ebp, %ebp
        xorl %ebx, %ebx
        TRY movq %rax, %cr4
        btcl $0, %ebp
        call show
        movb $17, %al
        outb %al, $0xf4
        hlt

// EBP as eight digits and a blank.
show:   movl $8, %ecx
        movl $digits, %esi
1:      roll $4, %ebp
        movl %ebp, %eax
        andl $15, %eax
        movb (%rsi, %rax), %al
        movw $COM1, %dx
        outb %al, %dx
        loop 1b
        movb $' ', %al
        outb %al, %dx
        ret

refused64:
        addq $8, %rsp
        movq %rdi, (%rsp)
        iretq

        .code32
refused32:
        addl $4, %esp
        movl %edi, (%esp)
        iret
        .data
digits: .ascii "0123456789abcdef"
gates_pointer:
        .word 16 * 16 - 1
        .long gates, 0
        .balign 16
descriptor:
        .quad 0, 0
        .bss
        .balign 4096
pdpt:   .skip 4096
large:  .skip 4096
gates:  .skip 16 * 16
