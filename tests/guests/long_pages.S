// Paging of long mode (Intel SDM volume 3, 4.5, 4.6.1 and 4.7; APM volume 2, 5.3 and 5.6). First every combination of U/S, R/W and NX at each of the four
// levels, for reads, writes and fetches of privilege 0 (with CR0.WP) and 3: rights are those that all levels give, NX counts from any. Prints how many
// agree. Then bits of otherwise good entries, each alone: reserved are bit 7 of the first level, bits 13 to 29 of an entry for 1 GiB and 13 to 20 of one for
// 2 MiB, address bits beyond the processor's 40, and bit 63 while EFER.NXE is clear. Prints the refused bits of the entries for a table of each level, for 4 KiB,
// 1 GiB and 2 MiB, high half and low half, then of the last without NXE, and all their error codes: P and RSVD with W and I/D.
// cpu: ramet-v2
// exit: 29
// serial: 00006000 000fff00 00000080 000fff00 00000000 000fff00 00000000 000fff00 00000000 000fff00 3fffe000 000fff00 001fe000 800fff00 001fe000 0000001b
#include "guest.h"
#define WINDOW 0x300000
#define USER_FRAME 0x301000
#define FAR_WINDOW 0x8000000000         // the second entry of the first level
#define FAR_GIANT 0x8040000000
#define FAR_LARGE 0x8000200000
#define FAR_USER 0x10000000000
#define LINK (PTE_P | PTE_W | PTE_U)
#define NX_BIT 63
#define BY_USER 0x4000
#define COMBINATIONS 0x1000

// A gate of long mode.
.macro GATE64 vector, handler, privilege=0
        movl $\handler, %eax
        movw %ax, idt + \vector * 16
        movw $CODE64, idt + \vector * 16 + 2
        movw $0x8e00 + \privilege * 0x2000, idt + \vector * 16 + 4
        shrl $16, %eax
        movl %eax, idt + \vector * 16 + 8
        movw %ax, idt + \vector * 16 + 6
        movl $0, idt + \vector * 16 + 8
.endm

main:   movl $0x909030cd, WINDOW        // int 30h
        movl $snippets, %esi
        movl $USER_FRAME, %edi
        movl $snippets_end - snippets, %ecx
        rep movsb
        GATE64 14, fault
        GATE64 0x30, done, 3
        lidt wide_idt_pointer
        LONG_PAGES
        movl $pdpt1 + LINK, page_directory + 8
        movl $directory1 + LINK, pdpt1
        movl $table1 + LINK, directory1
        movl $WINDOW + LINK, table1
        movl $LINK + PTE_PS, pdpt1 + 8
        movl $0x200000 + LINK + PTE_PS, directory1 + 8
        movl $pdpt2 + LINK, page_directory + 16
        movl $directory2 + LINK, pdpt2
        movl $table2 + LINK, directory2
        movl $USER_FRAME + LINK, table2
        movl $0x200000 + PTE_P + PTE_W + PTE_PS, large + 8
        SET_EFER 0x900                  // LME, NXE
        SET_PAGING
        LOAD_TSS
        movl $trap_stack, tss + 4
        movl $0, tss + 8
        ljmp $CODE64, $wide
        .code64
wide:   xorl %ebp, %ebp
again:  movl %ebp, %edx                 // levels from the lowest, three bits each
        xorl %ecx, %ecx
1:      movl entry_places(, %ecx, 8), %ebx
        movq entry_values(, %ecx, 8), %rax
        testl $1, %edx
        jz 2f
        orl $PTE_U, %eax
2:      testl $2, %edx
        jz 2f
        orl $PTE_W, %eax
2:      testl $4, %edx
        jz 2f
        btsq $NX_BIT, %rax
2:      movq %rax, (%rbx)
        shrl $3, %edx
        incl %ecx
        cmpl $4, %ecx
        jne 1b
        movq %cr3, %rax
        movq %rax, %cr3
        call expect
        movq $FAR_WINDOW, %rdi
        call try
        cmpl %ebx, %r8d
        jne 3f
        incl agreed(%rip)
3:      incl %ebp
        testl $0xfff, %ebp
        jnz again
        cmpl $0x3000, %ebp              // by privilege 0, then by 3
        je 4f
        cmpl $BY_USER + 0x3000, %ebp
        jne again
        jmp 5f
4:      movl $BY_USER, %ebp
        jmp again
5:

// Reserved bits. R12: the entry's address, R13: the linear address, R14: bits to try.
        movl $pdpt1 + LINK, page_directory + 8(%rip)
        movl $0, page_directory + 12(%rip)
        movl $directory1 + LINK, pdpt1(%rip)
        movl $0, pdpt1 + 4(%rip)
        movl $table1 + LINK, directory1(%rip)
        movl $0, directory1 + 4(%rip)
        movl $WINDOW + LINK, table1(%rip)
        movl $0, table1 + 4(%rip)
        movl $refused, %r15d
        xorl %esi, %esi
6:      movl tries(%esi), %r12d
        movq tries + 8(%esi), %r13
        movq tries + 16(%esi), %r14
        call reserved
        addl $24, %esi
        cmpl $6 * 24, %esi
        jne 6b
        movl $0xc0000080, %ecx
        rdmsr
        andl $~0x800, %eax
        wrmsr
        call reserved
        pushq $CODE32
        movl $report, %eax
        pushq %rax
        lretq

// Each bit of R14 that makes a page fault with RSVD goes into the word at R15, its error codes(%rip) into `codes`.
reserved:
        xorl %r9d, %r9d
        xorl %ecx, %ecx
1:      btq %rcx, %r14
        jnc 3f
        movq (%r12), %r10
        movq %r10, %rax
        btcq %rcx, %rax
        movq %rax, (%r12)
        movl $0x1000, %ebp              // a write, then a fetch
2:      movq %cr3, %rax
        movq %rax, %cr3
        movq %r13, %rdi
        pushq %rcx
        call try
        popq %rcx
        testl $8, %ebx
        jz 4f
        btsq %rcx, %r9
        orl %ebx, codes(%rip)
        addl $0x1000, %ebp
        cmpl $0x3000, %ebp
        jne 2b
4:      movq %r10, (%r12)
3:      incl %ecx
        cmpl $64, %ecx
        jne 1b
        movq %r9, (%r15)
        addl $8, %r15d
        ret

// R8D: the error code that the access of EBP must have, or 0.
expect: movl %ebp, %eax
        andl $0xfff, %eax
        movl %eax, %ecx
        shrl $3, %ecx
        movl %eax, %edx
        shrl $6, %edx
        movl %eax, %ebx
        shrl $9, %ebx
        movl %eax, %r8d
        orl %ecx, %r8d
        orl %edx, %r8d
        orl %ebx, %r8d                  // NX of any level
        andl %ecx, %eax
        andl %edx, %eax
        andl %ebx, %eax                 // U and W of all
        movl %ebp, %ecx
        shrl $12, %ecx
        andl $3, %ecx                   // 0 read, 1 write, 2 fetch
        xorl %ebx, %ebx
        testl $BY_USER, %ebp
        jz 1f
        movl $4, %ebx
        testl $1, %eax
        jz 3f
1:      cmpl $1, %ecx
        jne 2f
        testl $2, %eax
        jz 3f
2:      cmpl $2, %ecx
        jne 4f
        testl $4, %r8d
        jz 4f
3:      movl $1, %r8d                   // P
        orl %ebx, %r8d
        cmpl $1, %ecx
        jne 5f
        orl $2, %r8d
5:      cmpl $2, %ecx
        jne 6f
        orl $0x10, %r8d
6:      ret
4:      xorl %r8d, %r8d
        ret

// EBX: what the access of EBP at RDI raises. The snippet is ours or in the user's page.
try:    movq %rsp, saved_sp(%rip)
        movl %ebp, %ecx
        shrl $12, %ecx
        andl $3, %ecx
        shll $4, %ecx
        testl $BY_USER, %ebp
        jnz 1f
        addl $snippets, %ecx
        jmp *%rcx
1:      movq $FAR_USER, %rax
        addq %rax, %rcx
        pushq $USER_DATA
        pushq $0
        pushq $2
        pushq $USER_CODE64
        pushq %rcx
        iretq
fault:  popq %rbx
        jmp 1f
done:   xorl %ebx, %ebx
1:      movq saved_sp(%rip), %rsp
        ret

        .balign 16
snippets:
        movb (%rdi), %al
        int $0x30
        .balign 16
        movb %al, 64(%rdi)
        int $0x30
        .balign 16
        jmp *%rdi
        .balign 16
snippets_end:

        .code32
report: movl $DATA32, %eax
        movl %eax, %ss
        movl %eax, %ds                  // privilege 3 left it null
        movl $stack_top, %esp
        movl agreed, %eax
        call puthex
        xorl %esi, %esi
1:      movl refused + 4(%esi), %eax
        call puthex
        movl refused(%esi), %eax
        call puthex
        addl $8, %esi
        cmpl $7 * 8, %esi
        jne 1b
        movl codes, %eax
        call puthex
        EXIT 29

        .data
        .balign 8
entry_places:
        .long table1, 0, directory1, 0, pdpt1, 0, page_directory + 8, 0
entry_values:
        .long WINDOW + PTE_P, 0, table1 + PTE_P, 0, directory1 + PTE_P, 0, pdpt1 + PTE_P, 0
tries:  .long page_directory + 8, 0
        .quad FAR_WINDOW, 0xffffff0000000f80
        .long pdpt1, 0
        .quad FAR_WINDOW, 0xffffff0000000f00
        .long directory1, 0
        .quad FAR_WINDOW, 0xffffff0000000f00
        .long table1, 0
        .quad FAR_WINDOW, 0xffffff0000000f80
        .long pdpt1 + 8, 0
        .quad FAR_GIANT + WINDOW, 0xffffff003fffff00
        .long directory1 + 8, 0
        .quad FAR_LARGE + WINDOW - 0x200000, 0xffffff00001fff00
wide_idt_pointer:
        .word 64 * 16 - 1
        .long idt
        .balign 8
saved_sp: .quad 0
agreed: .long 0
codes:  .long 0
refused: .skip 7 * 8
        .bss
        .balign 128
tss:    .skip 128
        .skip 256
trap_stack:
        .balign 4096
pdpt:   .skip 4096
large:  .skip 4096
pdpt1:  .skip 4096
directory1: .skip 4096
table1: .skip 4096
pdpt2:  .skip 4096
directory2: .skip 4096
table2: .skip 4096
