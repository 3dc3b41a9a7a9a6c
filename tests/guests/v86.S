// Virtual-8086 mode (Intel SDM volume 3, 20.2): with IOPL 0 CLI, PUSHF, INT n and IRET are #GP and the monitor skips them; with IOPL 3 CLI works and INT n
// goes through the IDT to privilege 0, with the data segments on the stack and zeros in the registers. Addresses are segments of 16 bytes.
// exit: 14
// serial: 00000000 00000000 00000000 00000000 00001234 00023202 00000000
#include "guest.h"
#define LOW 0x8000
main:   GATE 13, fault
        GATE 0x20, interrupt, 3
        LOAD_TSS
        movl $low_start, %esi
        movl $LOW, %edi
        movl $low_end - low_start, %ecx
        rep movsb
        movl $0x20202, %eax                     // VM, IF, IOPL 0
enter:  pushl $0x4000                           // GS, FS, DS, ES
        pushl $0x3000
        pushl $0x1234
        pushl $0x1000
        pushl $0x0900                           // SS:SP
        pushl $0x0800
        pushl %eax
        pushl $LOW >> 4
        pushl $0
        iret
fault:  xorl %eax, %eax                         // a data segment for ourselves: hardware left null
        movw $DATA32, %ax
        movw %ax, %ds
        popl %eax                               // error code
        call puthex
        cmpl $3, faults
        je 1f
        incl faults
        movl (%esp), %ecx                       // past the instruction: CD has two bytes
        cmpb $0xcd, LOW(%ecx)
        jne 2f
        incl (%esp)
2:      incl (%esp)
        iret
1:      movl $0x23202, %eax                     // IOPL 3
        jmp enter
interrupt:
        movl %ds, %eax
        movl %eax, %ebx
        movw $DATA32, %ax
        movw %ax, %ds
        movl 24(%esp), %eax                     // DS, above EIP CS EFLAGS ESP SS ES
        call puthex
        movl 8(%esp), %eax
        orl $0x200, %eax                        // IF is clear by the CLI
        call puthex
        movl %ebx, %eax
        call puthex
        EXIT 14
        .code16
low_start:
        cli
        pushf
        int $0x20
        iret
low_end:
        .code32
        .data
faults: .long 0
        .bss
        .balign 128
tss:    .skip 104
