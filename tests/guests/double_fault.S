// Double faults (Intel SDM volume 3, 6.15, "Interrupt 8", table 6-5): a contributory exception while one is delivered, or a page fault or a contributory
// one while a page fault is delivered, is #DF with error code 0. A page fault while a contributory one is delivered is served, as is a contributory one
// after a benign one. What cannot be delivered has an absent gate (#NP) or a gate on an absent page (#PF). When #DF cannot be delivered either, the
// processor shuts down. Each line is a vector and its error code, and CR2 after page faults.
// serial: 00000008 00000000 00000008 00000000 0000000b 00000033 0000000e 00000000 00300ff8 00000008 00000000 00301000
#include "guest.h"
#define ABSENT 0x700000
#define IDT_PAGE 0x300000
#define SPLIT_IDT 0x300f90      // gates 0 to 13 are on this page, the others on the next

.macro RESUME
        movl $9991f, resume
.endm
.macro HERE
9991:
.endm

main:   GATE 8, double
        GATE 11, absent
        GATE 14, page
        movl $idt, %esi
        movl $SPLIT_IDT, %edi
        movl $64 * 2, %ecx
        rep movsl
        call paging_on

        RESUME
        movb $0x0e, idt + 13 * 8 + 5
        movl $-1, %eax
        movl %eax, %cr4                         // #GP, then #NP
        HERE
        RESUME
        movb $0x0e, idt + 14 * 8 + 5
        movl ABSENT, %eax                       // #PF, then #NP
        HERE
        movb $0x8e, idt + 14 * 8 + 5
        RESUME
        movb $0x0e, idt + 6 * 8 + 5
        ud2                                     // #UD, then #NP, which is served; it names gate 6 of the IDT, and is not the program's own (EXT)
        HERE

        lidt split_pointer
        RESUME
        movl $0, page_table + (IDT_PAGE >> 12) * 4
        invlpg IDT_PAGE
        movl $-1, %eax
        movl %eax, %cr4                         // #GP, then #PF, which is served
        HERE
        movl %cr2, %eax
        call puthex
        RESUME
        movl $IDT_PAGE + PTE_P + PTE_W, page_table + (IDT_PAGE >> 12) * 4
        movl $0, page_table + (IDT_PAGE >> 12) * 4 + 4
        invlpg IDT_PAGE + 0x1000
        movl ABSENT, %eax                       // #PF, then #PF
        HERE
        movl %cr2, %eax
        call puthex

        lidt idt_pointer
        movb $0x0e, idt + 8 * 8 + 5
        movb $0x0e, idt + 11 * 8 + 5
        ud2                                     // #UD, #NP, #NP: #DF, #NP: the end
        EXIT 1

double: movl $8, %eax
        jmp 1f
absent: movl $11, %eax
        jmp 1f
page:   movl $14, %eax
1:      call puthex
        popl %eax
        call puthex
        movl $stack_top, %esp
        jmp *resume

        .data
resume: .long 0
split_pointer:
        .word 64 * 8 - 1
        .long SPLIT_IDT
