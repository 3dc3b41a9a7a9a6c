// The I/O permission bitmap (Intel SDM volume 1, 18.5.2): with CPL above IOPL each port of an access needs a clear bit; the processor reads two bytes of the
// map, both within the TSS's limit; with CPL at IOPL the map does not count, in virtual-8086 mode it always does. Closed are 81h to 87h and 8Ah to 8Fh; the
// map ends with the byte of 3F0h. Prints a bit for each refused access of a user with IOPL 1, with IOPL 3, and then of virtual-8086 mode with IOPL 3.
// exit: 21
// serial: 00000076 00000000 00000001
#include "guest.h"
#define LOW 0x8000
#define MAP 104

// A user's access; if it is refused, sets the next bit of EBP. EBX counts, EDI says where to go on.
.macro TRY instruction:vararg
        movl $9991f, %edi
        \instruction
        jmp 9992f
9991:   bts %ebx, %ebp
9992:   incl %ebx
.endm

main:   GATE 13, refused
        GATE 0x30, first, 3
        LOAD_TSS
        movw $tss_end - tss - 1, gdt_tss
        movb $0x89, gdt_tss + 5
        movw $TSS, %ax
        ltr %ax
        movw $MAP, tss + 102
        movb $0xfe, tss + MAP + 0x80 / 8
        movb $0xfc, tss + MAP + 0x88 / 8
        movl $0x1002, %edx
enter:  xorl %ebp, %ebp
        xorl %ebx, %ebx
        pushl $USER_DATA
        pushl $user_stack
        pushl %edx
        pushl $USER_CODE32
        pushl $user
        iret
user:   movw $USER_DATA, %ax
        movw %ax, %ds
        movw $0x80, %dx
        TRY outb %al, %dx
        TRY outw %ax, %dx                       // 1: 81h is closed
        movw $0x81, %dx
        TRY outb %al, %dx                       // 2
        movw $0x88, %dx
        TRY outw %ax, %dx
        TRY inl %dx, %eax                       // 4: 8Ah is closed
        movw $0x3f0, %dx
        TRY inb %dx, %al                        // 5: the second byte lies beyond the limit
        movw $0x8a, %dx
        TRY inb %dx, %al                        // 6
        movw $0x88, %dx
        TRY inb %dx, %al
        int $0x30

first:  call report
        GATE 0x30, second, 3
        movl $0x3002, %edx
        jmp enter
second: call report
        GATE 13, refused86
        GATE 0x30, allowed86, 3
        movl $low_start, %esi
        movl $LOW, %edi
        movl $low_end - low_start, %ecx
        rep movsb
        pushl $0
        pushl $0
        pushl $0
        pushl $0
        pushl $0x0900
        pushl $0x0800
        pushl $0x23002
        pushl $LOW >> 4
        pushl $0
        iret
refused86:
        movl $1, %ebp
        call report
        EXIT 21
allowed86:
        EXIT 1

report: movw $DATA32, %ax
        movw %ax, %ds
        movl %ebp, %eax
        jmp puthex
refused:
        addl $4, %esp
        movl %edi, (%esp)
        iret
        .code16
low_start:
        movw $0x80, %dx
        outb %al, %dx
        outb %al, $0x81
        int $0x30
low_end:
        .code32
        .bss
        .balign 128
tss:    .skip MAP + 0x3f0 / 8 + 1
tss_end:
        .skip 1024
user_stack:
