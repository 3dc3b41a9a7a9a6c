// From protected to real mode and back: an interrupt through the vector table, segments of 16, wrapping offsets.
// exit: 6
// serial: real 00005a17
#include "guest.h"
#define LOW 0x8000
#define LOW_OF(label) (LOW + label - low_start)
main:   movl $low_start, %esi
        movl $LOW, %edi
        movl $low_end - low_start, %ecx
        rep movsb
        movl $LOW_OF(handler), 0x40 * 4         // vector 40h: 0000:handler
        lidt real_idt
        xorl %ebp, %ebp
        ljmp $CODE16, $LOW
back:   movw $DATA32, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %ss
        movl $stack_top, %esp
        lidt idt_pointer
        PRINT "real "
        movl %ebp, %eax
        call puthex
        EXIT 6

        .code16
low_start:
        movw $DATA16, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %ss
        movl %cr0, %eax
        andb $0xfe, %al
        movl %eax, %cr0
        ljmp $0, $LOW_OF(really)
really: xorw %ax, %ax
        movw %ax, %ss
        movw $0x7000, %sp
        movw $0x1000, %ax
        movw %ax, %ds
        movw $0x0fff, %ax
        movw %ax, %es
        movb $0x5a, %ds:0x10                    // 1000:0010 is 0fff:0020
        movb %es:0x20, %bl
        movzbw %bl, %bp
        shlw $8, %bp
        int $0x40
        movw $0xffff, %si                       // LODSB at the end of the segment wraps
        movb $1, %ds:0xffff
        movb $2, %ds:0
        cld
        lodsb
        cbtw
        addw %ax, %bp
        lodsb
        cbtw
        addw %ax, %bp
        movl %cr0, %eax
        orb $1, %al
        movl %eax, %cr0
        ljmpl $CODE32, $back
handler:
        addw $0x14, %bp
        iretw
low_end:
        .code32
        .data
real_idt:
        .word 0x3ff
        .long 0
