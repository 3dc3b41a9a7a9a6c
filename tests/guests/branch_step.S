// DebugCtl.BTF: TF steps control transfers alone (APM volume 2, 13.1.6.2): taken branches, near and far, also to the very next instruction, IRET, SYSCALL and
// SYSRET, but neither straight code nor a branch that is not taken. INT n and exceptions clear TF for their handlers, whose IRET has no step (13.1.4): Linux,
// which steps programs by blocks and whose kernel would report a step of its own as a bug, relies on it. The #DB clears BTF, and TF steps everything again.
// Prints how many #DBs came and which were elsewhere than expected, what all of them left in DR6, and what any left in DebugCtl, where the bits for pins stay.
// exit: 24
// serial: 00000018 00000000 00004000 00000014
#include "guest.h"
#define DEBUGCTL 0x1d9
#define BTF 2
#define PINS 0x14
#define USER_STAR 0x40                          // SYSRET makes USER_CODE32 of it

// Sets TF, with DebugCtl as `armed` says.
.macro ARM
        movl $DEBUGCTL, %ecx
        movl armed, %eax
        xorl %edx, %edx
        wrmsr
        pushl $0x102
        popfl
.endm

main:   GATE 1, trap
        GATE 6, invalid
        GATE 0x30, software
        LOAD_TSS
        movl $0xc0000080, %ecx                  // EFER.SCE
        movl $1, %eax
        xorl %edx, %edx
        wrmsr
        incl %ecx                               // STAR
        movl $kernel, %eax
        movl $USER_STAR << 16 | CODE32, %edx
        wrmsr
        ARM
        movl $2, %ecx
        testl %ecx, %ecx
        jz missed                               // not taken
        jnz looped
        nop
looped: loop again
        nop
again:  loop missed                             // not taken
        jecxz counted
        nop
counted:
        incl %ecx
        jecxz missed                            // not taken
        jmp next
missed: EXIT 1
next:   cld
        movl $cell, %esi
        movl $cell, %edi
        movl $4, %ecx
        rep movsb
        movl $indirect, %eax
        jmp *%eax
        nop
indirect:
        call near
returned:
        int $0x30                               // none
        nop
        ud2                                     // none
        nop
        pushfl
        pushl $CODE32
        pushl $interrupted
        iret
        nop
interrupted:
        ljmp $CODE32, $jumped
        nop
jumped: lcall $CODE32, $far
far_returned:
        lcall *far_pointer
far_returned_again:
        call *near_pointer
returned_again:
        ljmp *jump_pointer
        nop
jumped_again:
        pushl $popped
        stc
        .byte 0x0f, 0x82                        // JC with an offset of 32 bits
        .long carried - . - 4
        nop
carried:
        ret
        nop
popped: movl $0, armed
        jmp plain
        nop
plain:  nop                                     // steps as any other
stepped:
        pushl $2
stepped_on:
        popfl
ended:  movl $BTF + PINS, armed
        ARM
        syscall
        EXIT 1
kernel: movl $user, %ecx
        sysret                                  // steps before the user's first instruction
user:   jmp user

near:   ret
far:    lret
software:
        jmp 1f                                  // with TF clear
1:      iret
invalid:
        addl $2, (%esp)
        iret

// Notes where it came from and what it finds, and arms BTF again. From privilege 3: the end.
trap:   pushal
        movl 32(%esp), %eax
        movl count, %ebx
        cmpl %eax, expected(, %ebx, 4)
        je 1f
        btsl %ebx, differing
1:      incl count
        movl %dr6, %eax
        andl %eax, reasons
        movl $0xffff0ff0, %eax
        movl %eax, %dr6
        movl $DEBUGCTL, %ecx
        rdmsr
        orl %eax, left
        movl armed, %eax
        wrmsr
        testb $3, 36(%esp)
        jnz 2f
        popal
        iret
2:      movl count, %eax
        call puthex
        movl differing, %eax
        call puthex
        movl reasons, %eax
        andl $0xe00f, %eax
        call puthex
        movl left, %eax
        call puthex
        movb count, %al
        jmp exit
        .data
        .balign 4
expected:
        .long looped, again, counted, next, indirect, near, returned, interrupted, jumped, far, far_returned, far, far_returned_again, near, returned_again
        .long jumped_again, carried, popped, plain, stepped, stepped_on, ended, kernel, user
        .long 0, 0, 0, 0, 0, 0, 0, 0
count:  .long 0
differing: .long 0
reasons: .long 0xffffffff
left:   .long 0
armed:  .long BTF + PINS
cell:   .long 0
far_pointer:
        .long far
        .word CODE32
near_pointer:
        .long near
jump_pointer:
        .long jumped_again
        .word CODE32
        .bss
        .balign 4
tss:    .skip 104
