// A call gate to more privilege (Intel SDM volume 3, 5.8 "Privilege Level Checking When Transferring Program Control"): the stack of the TSS, two parameters
// copied, the caller's SS:ESP above them, RET n back to privilege 3. A gate below the caller's privilege is #GP, an absent one #NP, both with its selector.
// exit: 13
// serial: 00000008 00000043 0000aaaa 0000bbbb 00000033 00000043 0000000d 00000050 0000000b 00000050
#include "guest.h"
#define GATE_SELECTOR 0x50
#define GATE_RPL3 0x53
main:   GATE 13, fault13
        GATE 11, fault11
        GATE 0x30, leave, 3
        LOAD_TSS
        movl $kernel, %eax
        movw %ax, gdt_tss + 8
        movw $CODE32, gdt_tss + 10
        movw $0xec02, gdt_tss + 12              // privilege 3, two parameters
        shrl $16, %eax
        movw %ax, gdt_tss + 14
        pushl $USER_DATA
        pushl $user_stack
        pushl $0x3002                           // IOPL 3, to print
        pushl $USER_CODE32
        pushl $user
        iret
user:   movw $USER_DATA, %ax
        movw %ax, %ds
        pushl $0xaaaa
        pushl $0xbbbb
        lcall $GATE_RPL3, $0
        movl %ss, %eax
        call puthex
        movl %cs, %eax
        call puthex
        cmpl $user_stack, %esp                  // RET 8 took the parameters
        jne 1f
        movb $0x8c, gdt_tss + 13                // gate of privilege 0
        lcall $GATE_RPL3, $0
        movb $0x6c, gdt_tss + 13                // absent
        lcall $GATE_RPL3, $0
1:      int $0x30
kernel: movl %cs, %eax
        call puthex
        movl 4(%esp), %eax                      // the caller's CS
        call puthex
        movl 12(%esp), %eax
        call puthex
        movl 8(%esp), %eax
        call puthex
        lret $8
fault13:
        movl $13, %eax
        jmp 2f
fault11:
        movl $11, %eax
2:      call puthex
        popl %eax                               // error code
        call puthex
        addl $7, (%esp)                         // past the far call
        iret
leave:  EXIT 13
        .bss
        .balign 128
tss:    .skip 104
        .skip 1024
user_stack:
