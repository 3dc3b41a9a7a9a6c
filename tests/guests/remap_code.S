// The same linear address shows one page of code, then another: after INVLPG, and after a reload of CR3.
// exit: 3
// serial: abab
#include "guest.h"
#define WINDOW 0x340000
#define WINDOW_PTE page_table + WINDOW / 4096 * 4
main:   call paging_on
        movl $2, %ebp
1:      movl $code_a + PTE_P + PTE_W + PTE_U, WINDOW_PTE
        invlpg WINDOW
        call window
        movl $code_b + PTE_P + PTE_W + PTE_U, WINDOW_PTE
        movl %cr3, %eax
        movl %eax, %cr3
        call window
        decl %ebp
        jnz 1b
        EXIT 3
window: movl $WINDOW, %eax
        call *%eax
        jmp putc
        .balign 4096
code_a: movb $'a', %al
        ret
        .balign 4096
code_b: movb $'b', %al
        ret
