// What goes wrong in a call gate (Intel SDM volume 2, CALL and JMP, and volume 3, 5.8; APM volume 2, 4.11.2), each as vector and error code: the gate's privilege and
// presence (the gate's selector); a null, data or absent code segment, one of less privilege, and JMP to more (the code segment's); the new stack's place outside the
// TSS, a null stack, one of another privilege, a read-only one (#TS), an absent one, one without room (#SS); an offset beyond the segment (#GP of nothing).
// The stacks are those of privilege 2: the handlers need theirs. Then what gates of 32 and of 16 bits push for three parameters: how much in all, and the
// parameters. Then a stack without room for the frame of #UD, which the program did not ask for (EXT), and for that of INT n.
// exit: 30
// serial: 0000d050 0000b050 0000d000 0000d010 0000b068 0000d008 0000a048 0000a000 0000a030 0000a070 0000c078 0000c080 0000d000 0000001c 00003333 00002222 00001111 0000000e 00003333 00002222 00001111 0000c081 0000c080 0000d050 0000d040
#include "guest.h"
#define GATE_SELECTOR 0x53
#define CODE_X 0x68
#define READ_ONLY 0x72
#define ABSENT_STACK 0x7a
#define SMALL_STACK 0x82
#define GATE_DESCRIPTOR big_gdt + 0x50

// A far call by user code that fails, and goes on behind.
.macro REFUSED instruction:vararg
        movl $9991f, resume
        \instruction
9991:
.endm
.macro CALL_GATE
        REFUSED lcall $GATE_SELECTOR, $0
.endm
.macro GATE_TO selector, target=kernel32, type=0xec, parameters=0
        movl $\target, %eax
        movw %ax, GATE_DESCRIPTOR
        movw $\selector, GATE_DESCRIPTOR + 2
        movb $\parameters, GATE_DESCRIPTOR + 4
        movb $\type, GATE_DESCRIPTOR + 5
        shrl $16, %eax
        movw %ax, GATE_DESCRIPTOR + 6
.endm
.macro STACK selector, pointer=stack_top
        movl $\pointer, tss + 20
        movl $\selector, tss + 24
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
        GATE 0x30, at_privilege_0, 3
        GATE 0x31, set_task_limit, 3
        movl $kernel16, %eax                    // a segment that begins with the code for the gate of 16 bits
        movw %ax, big_gdt + CODE_X + 2
        shrl $16, %eax
        movb %al, big_gdt + CODE_X + 4
        call enter_user
user:   GATE_TO CODE32, kernel32, 0xcc
        CALL_GATE
        GATE_TO CODE32, kernel32, 0x6c
        CALL_GATE
        GATE_TO 0
        CALL_GATE
        GATE_TO DATA32
        CALL_GATE
        movb $0x1b, big_gdt + CODE_X + 5
        GATE_TO CODE_X
        CALL_GATE
        movb $0x9b, big_gdt + CODE_X + 5
        GATE_TO CODE32
        REFUSED ljmp $GATE_SELECTOR, $0
        movb $0xdb, big_gdt + CODE_X + 5        // privilege 2
        GATE_TO CODE_X, 0
        movl $20, %ebx
        int $0x31
        CALL_GATE
        movl $103, %ebx
        int $0x31
        STACK 0
        CALL_GATE
        STACK USER_DATA
        CALL_GATE
        STACK READ_ONLY
        CALL_GATE
        STACK ABSENT_STACK
        CALL_GATE
        STACK SMALL_STACK, 12
        CALL_GATE
        movb $0x9b, big_gdt + CODE_X + 5
        GATE_TO CODE_X                          // the offset is far beyond its end
        CALL_GATE

        GATE_TO CODE32, kernel32, 0xec, 3
        pushl $0x1111
        pushl $0x2222
        pushl $0x3333
        CALL_GATE
        GATE_TO CODE_X, 0, 0xe4, 3
        pushw $0x1111
        pushw $0x2222
        pushw $0x3333
        CALL_GATE

        movb $0xdb, big_gdt + CODE_X + 5
        movw $CODE_X, idt + 6 * 8 + 2
        movl $0xee00, idt + 6 * 8 + 4           // offset 0, open to INT n
        movw $0, idt + 6 * 8
        REFUSED ud2
        REFUSED int $6
        int $0x30

at_privilege_0:                                 // which may not use a gate by RPL, nor go to less privilege
        GATE_TO CODE32, kernel32, 0x8c
        CALL_GATE
        GATE_TO USER_CODE32, kernel32, 0x8c
        REFUSED lcall $GATE_SELECTOR & ~3, $0
        EXIT 30

kernel32:
        movl %esp, %ebp
        movl $stack_top, %eax
        subl %ebp, %eax
        call puthex
        movl 8(%ebp), %eax
        call puthex
        movl 12(%ebp), %eax
        call puthex
        movl 16(%ebp), %eax
        call puthex
        jmp go_on
kernel16:
        movl $1f, %eax                          // out of the segment that begins here
        pushl $CODE32
        pushl %eax
        lret
1:      leal (%esp), %ebp
        movl $stack_top, %eax
        subl %ebp, %eax
        call puthex
        movzwl 4(%ebp), %eax
        call puthex
        movzwl 6(%ebp), %eax
        call puthex
        movzwl 8(%ebp), %eax
        call puthex
        jmp go_on

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
told:   orl (%esp), %eax
        call puthex
        testl $3, 8(%esp)                       // whose fault it was
        jnz go_on
   movl $stack_top, %esp
        jmp *resume
enter_user:
        popl resume
go_on:
        movl $USER_DATA, %eax
        movl %eax, %ds
        movl %eax, %es
        pushl $USER_DATA
        pushl $user_stack
        pushl $0x3002                           // IOPL 3, to print
        pushl $USER_CODE32
        pushl resume
        iret
set_task_limit:
        movw %bx, big_gdt + TSS
        movb $0x89, big_gdt + TSS + 5
        movl $TSS, %eax
        ltr %ax
        iret

        .data
        .balign 8
big_gdt:
        .skip 0x68
        .quad 0x00409b000000000f + 0xff         // CODE_X, of 270 bytes
        .quad 0x00cfd1000000ffff
        .quad 0x00cf53000000ffff
        .quad 0x0040d3000000000f
big_gdt_pointer:
        .word . - big_gdt - 1
        .long big_gdt
resume: .long 0
        .bss
        .balign 128
tss:    .skip 128
        .skip 1024
user_stack:
