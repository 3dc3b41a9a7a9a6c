// CR0.TS: the first SSE instruction after a switch of tasks is #NM; the handler saves one task's registers and loads the other's.
// exit: 8
// serial: 00000006 00000060
#include "guest.h"
main:   GATE 7, no_media
        movl $0x600, %eax
        movl %eax, %cr4
        movl %cr0, %eax
        andl $~4, %eax
        orl $2, %eax
        movl %eax, %cr0
        fninit
        fxsave area
        fxsave area + 512
        movl $3, %ebp
1:      movl $0, %edi
        call switch_to
        movl $2, %eax
        movd %eax, %xmm1
        paddd %xmm1, %xmm0
        movl $512, %edi
        call switch_to
        movl $0x20, %eax
        movd %eax, %xmm1
        paddd %xmm1, %xmm0
        decl %ebp
        jnz 1b
        movl $0, %edi
        call switch_to
        movd %xmm0, %eax
        call puthex
        movl $512, %edi
        call switch_to
        movd %xmm0, %eax
        call puthex
        movb traps, %al
        jmp exit
switch_to:                              // EDI: offset of the task's area
        movl %edi, wanted
        movl %cr0, %eax
        orl $8, %eax
        movl %eax, %cr0
        ret
no_media:
        pushl %eax
        clts
        movl owner, %eax
        fxsave area(%eax)
        movl wanted, %eax
        fxrstor area(%eax)
        movl %eax, owner
        incl traps
        popl %eax
        iret
        .data
owner:  .long 0
wanted: .long 0
traps:  .long 0
        .bss
        .balign 16
area:   .skip 1024
