// DebugCtl.LBR: the last control transfer is in LastBranchFromIP and LastBranchToIP, as segment offsets: a taken branch and its target; an interrupted
// instruction and the handler. An interrupt or exception keeps the branch before it in LastIntFromIP and LastIntToIP (APM volume 2, 13.1.6.1). A #DB, and INT1,
// clears LBR and changes none of them. They are read-only; of DebugCtl, bit 6 must be zero, and the other reserved bits read as zero (13.1.1.6 and 13.1.1.7).
// Prints a bit for each that is not so, how many were looked at, and how many #GPs came.
// exit: 27
// serial: 00000000 0000000b 00000005
#include "guest.h"
#define DEBUGCTL 0x1d9
#define LAST_BRANCH_FROM 0x1db
#define SHIFTED 0x48                            // the slot of a TSS
#define SHIFT 0x1000

.macro DEBUG_CONTROL value
        movl $DEBUGCTL, %ecx
        movl $\value, %eax
        xorl %edx, %edx
        wrmsr
.endm

// Ends the recording and compares. EBP holds what differs, EBX counts.
.macro RECORDED from, to, interrupt_from, interrupt_to
        DEBUG_CONTROL 0
        pushl $\interrupt_to
        pushl $\interrupt_from
        pushl $\to
        pushl $\from
        call compare
.endm

main:   GATE 1, debug
        GATE 6, invalid
        GATE 13, protection
        GATE 0x30, software
        xorl %ebp, %ebp
        xorl %ebx, %ebx
        jmp 1f                                  // not recorded
1:      RECORDED 0, 0, 0, 0

        DEBUG_CONTROL 1
jump:   jmp target
        nop
target: testl %esp, %esp
        jz wrong
        nop
        RECORDED jump, target, 0, 0

        DEBUG_CONTROL 1
        call near
after_call:
        nop
        RECORDED near, after_call, 0, 0

        DEBUG_CONTROL 1
jump_next:
        jmp undefined
undefined:
        ud2
after_undefined:
        RECORDED return, after_undefined, jump_next, undefined

        DEBUG_CONTROL 1
        xorl %ecx, %ecx
count:  jecxz interrupt
        nop
interrupt:
        int $0x30
        nop
software:
        RECORDED interrupt, software, count, interrupt
        addl $12, %esp

        movl $(SHIFT << 16) + 0xffff, gdt_tss   // code with a base
        movl $0x00cf9b00, gdt_tss + 4
        DEBUG_CONTROL 1
far_jump:
        ljmp $SHIFTED, $shifted - SHIFT
        nop
shifted:
        DEBUG_CONTROL 0
        ljmp $CODE32, $1f
1:      RECORDED far_jump, shifted-SHIFT, count, interrupt

        movl $watched, %eax
        movl %eax, %dr0
        movl $0x000f0401, %eax                  // 0: read or write, 4 bytes
        movl %eax, %dr7
        DEBUG_CONTROL 1
last_jump:
        jmp reached
reached:
        movl watched, %eax                      // #DB
        jmp 1f
1:      movl $0x400, %eax
        movl %eax, %dr7
        RECORDED last_jump, reached, count, interrupt
        DEBUG_CONTROL 1
        .byte 0xf1                              // INT1: #DB
        jmp 1f
1:      RECORDED last_jump, reached, count, interrupt

        movl $LAST_BRANCH_FROM, %ecx
1:      wrmsr                                   // #GP
        incl %ecx
        cmpl $LAST_BRANCH_FROM + 4, %ecx
        jne 1b
        DEBUG_CONTROL 0x40                      // #GP
        movl $0xffffffbc, %eax
        movl %eax, %edx
        wrmsr
        rdmsr
        cmpl $0x3c, %eax
        jne 1f
        testl %edx, %edx
        jz 2f
1:      btsl %ebx, %ebp
2:      incl %ebx

        movl %ebp, %eax
        call puthex
        movl %ebx, %eax
        call puthex
        movl faults, %eax
        call puthex
        EXIT 27
wrong:  EXIT 1

near:   ret
invalid:
        addl $2, (%esp)
return: iret
protection:
        addl $4, %esp
        addl $2, (%esp)
        incl faults
        iret
// LBR must be clear now.
debug:  pushal
        movl $DEBUGCTL, %ecx
        rdmsr
        testl %eax, %eax
        jz 1f
        btsl %ebx, 8(%esp)                      // EBP
1:      incl 16(%esp)                           // EBX
        popal
        iret

// The four registers with the four values on the stack.
compare:
        leal 4(%esp), %esi
        movl $LAST_BRANCH_FROM, %ecx
        movl $4, %edi
1:      rdmsr
        subl (%esi), %eax
        orl %edx, %eax
        jz 2f
        btsl %ebx, %ebp
2:      addl $4, %esi
        incl %ecx
        decl %edi
        jnz 1b
        incl %ebx
        ret $16
        .data
        .balign 4
watched:
        .long 0
faults: .long 0
