// Instructions that must do what a twin does: MMX forms of SSSE3 against the low halves of their XMM forms, which have vectors; and the undocumented second
// encodings of x87 instructions (APM volume 3, appendix A, opcodes DC to DF) against the first. Then string comparisons of SSE4.2 with results that
// the manual's rules give (Intel SDM volume 2, 4.1). Prints the number of the first disagreement or 0, and how many were compared.
// cpu: ramet-v2
// exit: 27
// serial: 00000000 00000022
#include "guest.h"

// MM0 and the low half of XMM0 must agree.
.macro AGREE
        movq2dq %mm0, %xmm7
        pcmpeqb %xmm0, %xmm7
        pmovmskb %xmm7, %eax
        cmpb $0xff, %al
        call judge
.endm
// Lane by lane.
.macro LANES instruction
        movq first, %mm0
        movq second, %mm1
        \instruction %mm1, %mm0
        movq first, %xmm0
        movq second, %xmm1
        \instruction %xmm1, %xmm0
        AGREE
.endm
// Neighbours are joined, of the destination first: those of an XMM destination that holds both operands.
.macro JOINS instruction
        movq first, %mm0
        movq second, %mm1
        \instruction %mm1, %mm0
        movdqu first, %xmm0
        \instruction %xmm0, %xmm0
        AGREE
.endm
// Two encodings of an x87 instruction, on the same stack. The images that they leave must agree but for where the instruction lies.
.macro SAME one:req, other:req
        call load
        .byte \one
        fnsave image
        call load
        .byte \other
        fnsave image + 128
        call compare
.endm

main:   movl $0x620, %eax
        movl %eax, %cr4
        LANES psignb
        LANES psignw
        LANES psignd
        LANES pabsb
        LANES pabsw
        LANES pabsd
        LANES pmulhrsw
        LANES pmaddubsw
        JOINS phaddw
        JOINS phaddd
        JOINS phaddsw
        JOINS phsubw
        JOINS phsubd
        JOINS phsubsw
        movq first, %mm0                        // indexes of eight bytes: the XMM form finds them twice
        pshufb indexes, %mm0
        movq first, %xmm0
        punpcklqdq %xmm0, %xmm0
        movdqu indexes, %xmm1
        pshufb %xmm1, %xmm0
        AGREE
        movq first, %mm0                        // the destination is the upper half
        palignr $3, second, %mm0
        movq second, %xmm0
        movq first, %xmm1
        punpcklqdq %xmm1, %xmm0
        psrldq $3, %xmm0
        AGREE
        emms

        SAME "0xd8, 0xd1", "0xdc, 0xd1"         // FCOM ST1
        SAME "0xd8, 0xda", "0xdc, 0xda"         // FCOMP ST2
        SAME "0xd8, 0xd9", "0xde, 0xd1"         // FCOMP ST1
        SAME "0xd9, 0xca", "0xdd, 0xca"         // FXCH ST2
        SAME "0xd9, 0xc9", "0xdf, 0xc9"         // FXCH ST1
        SAME "0xdd, 0xda", "0xd9, 0xda"         // FSTP ST2
        SAME "0xdd, 0xda", "0xdf, 0xd2"
        SAME "0xdd, 0xd9", "0xdf, 0xd9"
        SAME "0xdd, 0xc0, 0xd9, 0xf7", "0xdf, 0xc0"     // FFREE ST0, FINCSTP: FFREEP ST0
        SAME "0x90", "0xdb, 0xe0"               // FENI, FDISI, FSETPM do nothing
        SAME "0x90", "0xdb, 0xe1"
        SAME "0x90", "0xdb, 0xe4"

        movdqu set, %xmm1                       // "ux" in "a text to find it": the first of either is at 4
        movdqu text, %xmm2
        pcmpistri $0, %xmm2, %xmm1
        cmpl $4, %ecx
        call judge
        pcmpistrm $0, %xmm2, %xmm1              // a mask of bits: 4
        movd %xmm0, %eax
        cmpl $0x10, %eax
        call judge
        movl $2, %eax                           // lengths: two of the set, three of the text, where neither is
        movl $3, %edx
        pcmpestri $0, %xmm2, %xmm1
        cmpl $16, %ecx
        call judge
        movl $2, %eax
        movl $16, %edx
        pcmpestrm $0x40, %xmm2, %xmm1           // a mask of bytes
        movd %xmm0, %eax
        psrldq $4, %xmm0
        movd %xmm0, %edx
        subl $0xff, %edx
        orl %edx, %eax
        call judge
        stc                                     // SALC: AL is all carry
        .byte 0xd6
        cmpb $0xff, %al
        call judge
        clc
        .byte 0xd6
        testb %al, %al
        call judge

        movl failed, %eax
        call puthex
        movl count, %eax
        call puthex
        EXIT 27

// ZF: it is as it should be.
judge:  pushfl
        incl count
        popfl
        je 1f
        cmpl $0, failed
        jne 1f
        movl count, %eax
        movl %eax, failed
1:      ret

load:   fninit
        fld1
        fldpi
        fldl2e
        fldz
        ret
// All but the pointers and the opcode.
compare:
        cld
        movl $image, %esi
        movl $image + 128, %edi
        movl $12, %ecx
        repe cmpsb
        jne 1f
        movl $image + 28, %esi
        movl $image + 128 + 28, %edi
        movl $80, %ecx
        repe cmpsb
1:      jmp judge
        .data
first:  .quad 0x8000ff017fff0180
second: .quad 0x7ffe80fe018000ff
indexes:
        .quad 0x0380010a07050486, 0
set:    .ascii "ux"
        .skip 14
text:   .ascii "a text to find i"
failed: .long 0
count:  .long 0
        .bss
image:  .skip 256
