// An instruction of which two bytes lie on the next page, executed again and again: those bytes are written; the page is another one; it is not present (#PF
// with the address of its first byte, at the instruction); the code segment ends before it (#GP, at the instruction).
// exit: 23
// serial: 44332211 55332211 77662211 00000000 00000000 55332211 55332211 00000000 00000000
#include "guest.h"
main:   call paging_on
        GATE 13, outside
        GATE 14, absent
        call again
        movb $0x55, beyond + 1
        call again

        movl $beyond, %ebx
        shrl $12, %ebx
        movl page_table(, %ebx, 4), %esi
        movl $other + PTE_P + PTE_W, page_table(, %ebx, 4)
        invlpg beyond
        call again

        movl $0, page_table(, %ebx, 4)
        invlpg beyond
        call again

        movl gdt + CODE32 + 4, %eax
        movl %eax, gdt + CODE16 + 4
        andb $0xf0, gdt + CODE16 + 6
        incl %ebx
        movw %bx, gdt + CODE16                  // in pages: long enough
        ljmp $CODE16, $1f
1:      call again
        ljmp $CODE32, $2f
2:      subl $2, gdt + CODE16                   // the last one is the instruction's first
        lcall $CODE16, $straddling
        EXIT 1
// Calls it three times; prints what the last one gave.
again:  movl $3, %edi
1:      call straddling
        decl %edi
        jnz 1b
        jmp puthex
absent: movl %cr2, %eax
        subl $beyond, %eax
        call puthex
        movl 4(%esp), %eax
        subl $straddling, %eax
        call puthex
        movl %esi, page_table(, %ebx, 4)
        addl $4, %esp
        iret
outside:
        popl %eax
        call puthex
        popl %eax
        subl $straddling, %eax
        call puthex
        EXIT 23
        .balign 4096
other:  .byte 0x66, 0x77
        ret
        .balign 4096
        .skip 4096 - 3
straddling:
        movl $0x44332211, %eax
        ret
        .set beyond, straddling + 3
