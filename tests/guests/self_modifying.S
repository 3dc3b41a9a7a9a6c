// Code that writes code: the next instruction of its own block, the other half of an instruction across a page border, a loop
// body over and over, and through another linear address of the same page.
// exit: 55
// serial: 00000022 44332211 00000064 00000005 00000006
#include "guest.h"
#define ALIAS 0x300000
main:   call paging_on
        movb $0x22, 1f + 1              // the immediate of the instruction right after
1:      movb $0x11, %al
        movzbl %al, %eax
        call puthex

        movl $straddling, %ebx          // mov eax, imm32 with two bytes on the next page
        movl $0x44332211, %eax
        movl %eax, 1(%ebx)
        call *%ebx
        call puthex

        movl $0, %ebp
        movl $100, %ecx
2:      movb %cl, patched + 2           // add ebp, imm8, by turns 1 and 2
        andb $1, patched + 2
        addb $1, patched + 2
        jmp patched
        .balign 64
patched:
        addl $0, %ebp
        loop 2b
        movl %ebp, %eax
        subl $50, %eax                  // 50 times 1 and 50 times 2 are 150
        call puthex

        movl $aliased, %eax             // ALIAS is a second address of that page
        andl $~0xfff, %eax
        orl $PTE_P | PTE_W | PTE_U, %eax
        movl %eax, page_table + ALIAS / 4096 * 4
        invlpg ALIAS
        call aliased
        call puthex
        movl $aliased, %ebx
        andl $0xfff, %ebx
        movb $6, ALIAS + 1(%ebx)
        call aliased
        call puthex
        EXIT 55
        .balign 4096
aliased:
        movl $5, %eax
        ret
        .org aliased + 4096 - 3
straddling:
        movl $0, %eax
        ret
