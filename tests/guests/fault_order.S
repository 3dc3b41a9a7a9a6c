// The order of faults in user code where it can be seen, as an AMD processor has it. A return to another level (RPL is not CPL) pops the outer SS:ESP before it
// looks at the code segment, one to the same level has none; what is popped is read from the top down. A far call pushes after it has looked at the descriptor
// and before it looks at the offset, and leaves what it pushed. A control register that does not exist is #UD before it is a matter of privilege.
// Prints vector and error code of each, CR2 after a #PF, and at last the CS that the call with a good stack had pushed.
// exit: 32
// serial: 000c0000 000c0000 000d0000 000dfff8 000c0000 000c0000 000d0000 000d0008 000d0000 000d0008 000e0004 00300804 000e0004 00300808 000d0000 000c0000 000e0006 003007fc 000d0000 000b0070 00060000 000d0000 00000043
#include "guest.h"
#define SHORT_STACK 0x5b                        // 32 bytes
#define SMALL_CODE 0x63                         // 64 KiB
#define UNMAPPED 0x300800
#define ABSENT_CODE 0x73

// Runs an instruction with a stack; the handlers go on behind it.
.macro TRY stack, at, instruction:vararg
        movl $9991f, resume
        movl $\stack, %eax
        movl %eax, %ss
        movl $\at, %esp
        \instruction
9991:   movl $USER_DATA, %eax
        movl %eax, %ds
.endm
.macro RETURNS how, code, stack, base, at
        movl $user, \base + \at
        movl $\code, \base + \at + 4
        .ifc \how, iret
        movl $2, \base + \at + 8
        .endif
        TRY \stack, \at, \how
.endm

main:   call paging_on
        movl $0, page_table + UNMAPPED / 4096 * 4
        movl %cr3, %eax
        movl %eax, %cr3
        LOAD_TSS
        movl $gdt, %esi
        movl $big_gdt, %edi
        movl $0x58 / 4, %ecx
        rep movsl
        movl $short_stack, %eax
        movw %ax, big_gdt + 0x58 + 2
        shrl $16, %eax
        movb %al, big_gdt + 0x58 + 4
        lgdt big_gdt_pointer
        GATE 6, fault6
        GATE 11, fault11
        GATE 12, fault12
        GATE 13, fault13
        GATE 14, fault14
        GATE 0x30, leave, 3
        movl $USER_DATA, %eax
        movl %eax, %ds
        pushl $USER_DATA
        pushl $user_stack
        pushl $2
        pushl $USER_CODE32
        pushl $user
        iret
user:   RETURNS lret, CODE32, SHORT_STACK, short_stack, 24
        RETURNS lret, 0, SHORT_STACK, short_stack, 24
        RETURNS lret, 3, SHORT_STACK, short_stack, 24
        RETURNS lret, 0xfffb, SHORT_STACK, short_stack, 24
        RETURNS iret, CODE32, SHORT_STACK, short_stack, 20
        RETURNS iret, 0, SHORT_STACK, short_stack, 20
        RETURNS iret, 3, SHORT_STACK, short_stack, 20
        RETURNS lret, CODE32, USER_DATA, 0, user_words
        RETURNS lret, 0, USER_DATA, 0, user_words
        RETURNS iret, CODE32, USER_DATA, 0, user_words

        TRY USER_DATA, UNMAPPED, lret
        TRY USER_DATA, UNMAPPED, iret

        TRY USER_DATA, call_stack, lcall $SMALL_CODE, $0x10000
        TRY SHORT_STACK, 36, lcall $SMALL_CODE, $0x10000
        TRY USER_DATA, UNMAPPED, lcall $SMALL_CODE, $0x10000
        TRY USER_DATA, UNMAPPED, ljmp $SMALL_CODE, $0x10000
        TRY USER_DATA, UNMAPPED, lcall $ABSENT_CODE, $0x10000
        TRY USER_DATA, user_stack, .byte 0x0f, 0x20, 0xc8       // MOV EAX, CR1
        TRY USER_DATA, user_stack, movl %cr2, %eax
        int $0x30
leave:  movl %ss:call_stack - 4, %eax
        call puthex
        EXIT 32

fault6: pushl $0
        movl $0x60000, %eax
        jmp told
fault11:
        movl $0xb0000, %eax
        jmp told
fault12:
        movl $0xc0000, %eax
        jmp told
fault13:
        movl $0xd0000, %eax
        jmp told
fault14:
        movl $0xe0000, %eax
told:   movl $DATA32, %ecx
        movl %ecx, %ds
        popl %ecx
        orl %ecx, %eax
        call puthex
        cmpl $0xe0000, %eax
        jb 1f
        movl %cr2, %eax
        call puthex
1:      movl $stack_top, %esp
        pushl $USER_DATA
        pushl $user_stack
        pushl $2
        pushl $USER_CODE32
        pushl resume
        iret

        .data
        .balign 8
big_gdt:
        .skip 0x58
        .quad 0x0040f3000000001f
        .quad 0x0040fb000000ffff
        .quad 0
        .quad 0x00cf7b000000ffff
big_gdt_pointer:
        .word . - big_gdt - 1
        .long big_gdt
resume: .long 0
        .bss
tss:    .skip 104
        .balign 16
short_stack:
        .skip 32
user_words:
        .skip 64
        .skip 64
call_stack:
        .skip 64
user_stack:
        .skip 16
        .text
