// DR6 and DR7 (Intel SDM volume 3, 17.2.3 and 17.3; APM volume 2, 13.1.1): an access to a debug register while DR7.GD is set is a fault before it (BD), which
// clears GD for the handler; a step and a data breakpoint after the same instruction are one trap (BS and B0); a task whose TSS has the T bit traps before its first
// instruction (BT); a breakpoint of 4 bytes begins at a multiple of 4; B0 to B3 are those of the last #DB, and what else
// is in DR6 the processor does not clear. Prints DR6 and DR7.GD for each #DB.
// exit: 32
// serial: ffff2ff0 00000000 ffff4ff1 00000000 ffff8ff0 00000000 ffff0ff1 00000000 ffff4ff0 00000000
#include "guest.h"
#define TSS_B 0x50
main:   GATE 1, debug
        movl $tss_a, %eax
        movl $gdt_tss, %edi
        call describe
        movl $tss_b, %eax
        movl $gdt_tss + 8, %edi
        call describe
        movw $TSS, %ax
        ltr %ax
        movl $cell, %eax
        movl %eax, %dr0
        movl $0x2400, %eax                      // GD
        movl %eax, %dr7
        movl %dr3, %eax                         // a fault, then as if nothing had been

        movl $0x000f0401, %eax
        movl %eax, %dr7
        pushl $0x102
        popfl
        movl cell, %eax                         // a step and an access
        pushl $2                                // (the handler has cleared TF)
        popfl
        movl $0x400, %eax
        movl %eax, %dr7

        movl $in_b, tss_b + 32
        movl $2, tss_b + 36
        movl $stack_b, tss_b + 56
        movl $DATA32, tss_b + 72
        movl $CODE32, tss_b + 76
        movl $DATA32, tss_b + 80
        movl $DATA32, tss_b + 84
        movl $(104 << 16) + 1, tss_b + 100
        ljmp $TSS_B, $0
in_b:   cmpl $in_b, debugged_at
        jne wrong
        movl $cell + 2, %eax                    // covers cell to cell + 3
        movl %eax, %dr0
        movl $0x000d0401, %eax
        movl %eax, %dr7
        movb %al, cell + 1
        movb %al, cell + 4
        movl $1, keep
        movb %al, cell
        movl $0x400, %eax
        movl %eax, %dr7
        pushl $0x102
        popfl
        nop
        EXIT 32
wrong:  EXIT 1

debug:  pushl %eax
        movl 4(%esp), %eax
        movl %eax, debugged_at
        andl $~0x100, 12(%esp)
        movl %dr6, %eax
        cmpl $1, keep
        je 1f
        call puthex
        movl %dr7, %eax
        andl $0x2000, %eax
        call puthex
        movl $0xffff0ff0, %eax
        movl %eax, %dr6
1:      movl $0, keep
        popl %eax
        iret

describe:
        movw $103, (%edi)
        movw %ax, 2(%edi)
        shrl $16, %eax
        movb %al, 4(%edi)
        movb $0x89, 5(%edi)
        ret
        .data
        .balign 8
cell:   .long 0, 0
keep:   .long 0
debugged_at: .long 0
        .bss
        .balign 128
tss_a:  .skip 128
tss_b:  .skip 128
        .skip 1024
stack_b:
