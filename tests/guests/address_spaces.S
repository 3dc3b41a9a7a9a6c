// Two address spaces whose upper halves are alike, as those of a kernel's programs (Intel SDM volume 3, 4.10): what was read through one top-level table is
// read again through the other, after an entry of the second one was changed, after both differ, and after the entry lost its A bit, which an access
// gives back; last, a change of the table that both share. Each entry takes effect at once, as docs/determinism.md says.
// exit: 17
// serial: 112121122
#include "guest.h"
#define UPPER 256                               // entry of FFFF8000'00000000
#define ELSEWHERE 0x200000
main:   movl $1, cell
        movl $2, cell + ELSEWHERE
        LONG_PAGES
        movl $pdpt + PTE_P + PTE_W, other_directory
        movl $upper_pdpt + PTE_P + PTE_W, %eax
        movl %eax, page_directory + UPPER * 8
        movl %eax, other_directory + UPPER * 8
        movl $upper_large + PTE_P + PTE_W, upper_pdpt
        movl $PTE_P + PTE_W + PTE_PS, upper_large
        movl $moved_large + PTE_P + PTE_W, moved_pdpt
        movl $ELSEWHERE + PTE_P + PTE_W + PTE_PS, moved_large
        LONG_MODE
.macro SPACE directory
        movl $\directory, %eax
        movq %rax, %cr3
.endm
long:   movabsq $0xffff800000000000, %rsi
        movl $cell, %eax
        addq %rax, %rsi
        movl $other_directory + UPPER * 8, %edi
        movl $upper_large, %ebx
        movw $COM1, %dx
        SPACE other_directory
        call show_accessed                      // A comes with the first access
        SPACE page_directory
        call show
        SPACE other_directory
        movl $moved_pdpt + PTE_P + PTE_W, (%rdi)
        call show
        SPACE page_directory
        call show
        SPACE other_directory
        call show
        movl $upper_pdpt + PTE_P + PTE_W, (%rdi)
        SPACE page_directory
        call show
        SPACE other_directory
        call show_accessed
        movl $ELSEWHERE + PTE_P + PTE_W + PTE_PS, (%rbx)
        call show
        SPACE page_directory
        call show
        movb $17, %al
        outb %al, $0xf4
1:      hlt
        jmp 1b
// Reads it, and prints whether that left A in the entry.
show_accessed:
        movl (%rsi), %eax
        movl (%rdi), %eax
        shrl $5, %eax
        andl $1, %eax
        jmp print
show:   movl (%rsi), %eax
print:  addb $'0', %al
        outb %al, %dx
        ret
        .code32
        .bss
        .balign 4096
pdpt:   .skip 4096
large:  .skip 4096
other_directory: .skip 4096
upper_pdpt: .skip 4096
upper_large: .skip 4096
moved_pdpt: .skip 4096
moved_large: .skip 4096
        .data
cell:   .long 0
