// What IRET and RET refuse on the way to an outer level, with nothing popped (Intel SDM volume 2, IRET and RET; APM volume 3): a null, data, absent or mismatched code
// segment, an offset beyond its limit, a null, mismatched, code or absent stack segment; for each vector and error code, by IRET and then by RET. To a more
// privileged level; to virtual-8086 mode from a stack that ends within the nine words; by a back link that is no busy task. Then the data segments of user
// code after IRET: those of privilege 0 are null, the others stay.
// exit: 31
// serial: 0000d000 0000d010 0000b068 0000d040 0000d000 0000d000 0000d030 0000d010 0000d040 0000c070 0000d000 0000d010 0000b068 0000d040 0000d000 0000d000 0000d030 0000d010 0000d040 0000c070 0000c000 0000a010 00000000 00000033 0000d008
#include "guest.h"
#define ABSENT_CODE 0x6b
#define ABSENT_STACK 0x73
#define SHORT_STACK 0x78
#define BEYOND 0xffffffff
#define SMALL_CODE 0x83
#define DATA_RPL3 0x13
#define CODE_RPL2 0x42
#define STACK_RPL2 0x32
#define SHORT_TOP 16

.macro REFUSED instruction
        movl %esp, stack_before
        movl $9991f, resume
        \instruction
9991:
.endm
.macro RETURN_TO how, code=USER_CODE32, stack=USER_DATA, to=user
        pushl $\stack
        pushl $user_stack
        .ifc \how, iret
        pushl $2
        .endif
        pushl $\code
        pushl $\to
        REFUSED \how
.endm
.macro ALL how
        RETURN_TO \how, 3
        RETURN_TO \how, DATA_RPL3
        RETURN_TO \how, ABSENT_CODE
        RETURN_TO \how, CODE_RPL2               // RPL 2, privilege 3
        RETURN_TO \how, SMALL_CODE, USER_DATA, BEYOND
        RETURN_TO \how, USER_CODE32, 3
        RETURN_TO \how, USER_CODE32, STACK_RPL2
        RETURN_TO \how, USER_CODE32, DATA_RPL3
        RETURN_TO \how, USER_CODE32, USER_CODE32
        RETURN_TO \how, USER_CODE32, ABSENT_STACK
.endm

main:   LOAD_TSS
        movl $gdt, %esi
        movl $big_gdt, %edi
        movl $0x58 / 4, %ecx
        rep movsl
        lgdt big_gdt_pointer
        GATE 10, fault10
        GATE 11, fault11
        GATE 12, fault12
        GATE 13, fault13
        GATE 0x30, leave, 3
        ALL iret
        ALL lret

        movl $SHORT_STACK, %eax                 // of 32 bytes, of which the last four words are used
        movl %eax, %ss
        movl $SHORT_TOP, %esp
        movl $0, SHORT_TOP
        movl $0x800, SHORT_TOP + 4
        movl $0x20002, SHORT_TOP + 8
        REFUSED iret
        pushl $0x4002
        popfl
        movw $DATA32, tss                       // the back link
        REFUSED iret
        pushl $2
        popfl

        movw $USER_DATA, %ax
        movw %ax, %es
        RETURN_TO iret
user:   movl %ds, %eax
        movl $USER_DATA, %ecx
        movl %ecx, %ds
        movl %eax, seen
        movl %es, %eax
        movl %eax, seen + 4
        pushl $2                                // to privilege 0
        pushl $CODE32
        pushl $leave
        iret
leave:  EXIT 1

fault10:
        movl $0xa000, %eax
        jmp told
fault11:
        movl $0xb000, %eax
        jmp told
fault12:
        movl $0xc000, %eax
        jmp told
fault13:
        movl $0xd000, %eax
told:   popl %ecx
        orl %ecx, %eax
        movl $DATA32, %ecx
        movl %ecx, %ds
        testl $3, 4(%esp)
        jnz from_user
        leal 12(%esp), %ecx                     // nothing has been popped
        cmpl %ecx, stack_before
        jne leave
        movl %ds, %ecx
        movl %ecx, %ss
        movl $stack_top, %esp
        call puthex
        jmp *resume
from_user:
        pushl %eax
        movl seen, %eax
        call puthex
        movl seen + 4, %eax
        call puthex
        popl %eax
        call puthex
        EXIT 31

        .data
        .balign 8
big_gdt:
        .skip 0x68
        .quad 0x00cf7b000000ffff
        .quad 0x00cf73000000ffff
        .quad 0x004093000000001f
        .quad 0x0040fb000000ffff
big_gdt_pointer:
        .word . - big_gdt - 1
        .long big_gdt
resume: .long 0
stack_before: .long 0
seen:   .long 0, 0
        .bss
        .balign 128
tss:    .skip 128
        .skip 1024
user_stack:
