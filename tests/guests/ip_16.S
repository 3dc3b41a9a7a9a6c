// EIP of 16-bit code is 32 bits wide: code that runs past offset FFFFh goes on at 10000h, which real and virtual-8086 mode forbid (#GP; Intel 80386
// Programmer's Reference Manual, 14.7: sequential execution across offset 65,535), and which a longer segment allows. Jumps of 16 bits cut it.
// exit: 25
// serial: 09000000 00010002 00000001 00000000 00010000
#include "guest.h"
#define LOW 0x8000
#define LOW_OF(label) (LOW + label - low_start)
#define TOP 0x900                               // its last byte is a NOP; its first ones end the guest
main:   movl $low_start, %esi
        movl $LOW, %edi
        movl $low_end - low_start, %ecx
        rep movsb
        movb $0x90, TOP * 16 + 0xffff
        movl $0xf4e601b0, TOP * 16              // MOV AL, 1; OUT F4h, AL
        movl $LOW_OF(beyond), 13 * 4
        lidt real_idt
        xorl %ebp, %ebp
        ljmp $CODE16, $LOW
back:   movw $DATA32, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %ss
        movl $stack_top, %esp
        lidt idt_pointer
        movl %ebp, %eax
        call puthex                             // CS and IP, of which 16 bits are pushed

        GATE 13, fault
        GATE 0x20, here
        movl $zone, %eax
        movw %ax, gdt + CODE16 + 2
        shrl $16, %eax
        movb %al, gdt + CODE16 + 4
        movb %ah, gdt + CODE16 + 7
        movb $0x8f, gdt + CODE16 + 6
        xorl %ebx, %ebx
        lcall $CODE16, $0xfffe
        movl %ebx, %eax
        call puthex

        LOAD_TSS
        pushl $0                                // GS, FS, DS, ES
        pushl $0
        pushl $0
        pushl $0
        pushl $0x0900                           // SS:SP
        pushl $0x0800
        pushl $0x20002
        pushl $TOP
        pushl $0xffff
        iret
here:   movl (%esp), %eax
        call puthex
        iret
fault:  movl $DATA32, %eax
        movw %ax, %ds
        popl %eax
        call puthex
        popl %eax
        call puthex
        EXIT 25

        .code16
low_start:
        movw $DATA16, %ax
        movw %ax, %ss
        movl %cr0, %eax
        andb $0xfe, %al
        movl %eax, %cr0
        ljmp $0, $LOW_OF(really)
really: xorw %ax, %ax
        movw %ax, %ss
        movw $0x7000, %sp
        ljmp $TOP, $0xffff
beyond: popw %bp
        popw %ax
        shll $16, %eax
        orl %eax, %ebp
        movl %cr0, %eax
        orb $1, %al
        movl %eax, %cr0
        ljmpl $CODE32, $back
low_end:

zone:   movb $2, %al                            // offset 0
        outb %al, $0xf4
        .skip 0x20 - (. - zone)
        incl %ebx
        .byte 0x66, 0xe9                        // of 32 bits: to 10010h
        .long 0x10010 - 0x28
        .skip 0xfffe - (. - zone)
        nop
        nop
        int $0x20
        .byte 0xeb, 0x1c                        // of 16 bits: to 10020h, which is 20h
        .skip 0x10010 - (. - zone)
        lretl
        .code32
        .bss
tss:    .skip 104
        .data
real_idt:
        .word 0x3ff
        .long 0
