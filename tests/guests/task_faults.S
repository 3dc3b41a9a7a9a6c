// What goes wrong in a task switch, and where (Intel SDM volume 3, 7.3 and table 7-1). Before the switch the old task takes the fault: a busy TSS is #GP, an
// absent one #NP, a short one #TS, each with the TSS's selector. After it the new task does: its registers are loaded, and the fault names
// the segment: an absent CS is #NP, a stack of another privilege or an LDT that is none is #TS. Prints vector, error code, and the TR that the handler finds.
// exit: 24
// serial: 0000000d 00000050 00000048 0000000b 00000050 00000048 0000000a 00000050 00000048 0000000b 00000018 00000050 0000000a 00000030 00000050 0000000a 00000008 00000050 00000024
#include "guest.h"
#define TSS_B 0x50

// A switch to task B that fails; goes on here, back in task A.
.macro SWITCH
        movl $9991f, resume
        ljmp $TSS_B, $0
9991:
.endm

main:   GATE 10, fault10
        GATE 11, fault11
        GATE 13, fault13
        LOAD_TSS
        call make_b
        movb $0x8b, gdt_tss + 13                // busy
        SWITCH
        movb $0x09, gdt_tss + 13                // absent
        SWITCH
        movb $0x89, gdt_tss + 13
        movw $102, gdt_tss + 8                  // short by one
        SWITCH
        call make_b
        movb $0x1b, gdt + 0x18 + 5              // CODE16, absent
        movl $0x18, tss_b + 76
        SWITCH
        call make_b
        movl $USER_DATA, tss_b + 80             // SS of privilege 3
        SWITCH
        call make_b
        movl $CODE32, tss_b + 96                // LDT
        SWITCH
        movl seen_ebx, %eax                     // the new task's registers
        call puthex
        EXIT 24

// Task B as it should be, and its descriptor.
make_b: movl $tss_b, %eax
        movw $103, gdt_tss + 8
        movw %ax, gdt_tss + 10
        shrl $16, %eax
        movb %al, gdt_tss + 12
        movb $0x89, gdt_tss + 13
        movl $beyond, tss_b + 32
        movl $2, tss_b + 36
        movl $0x24, tss_b + 52                  // EBX
        movl $stack_b, tss_b + 56
        movl $DATA32, tss_b + 72
        movl $CODE32, tss_b + 76
        movl $DATA32, tss_b + 80
        movl $DATA32, tss_b + 84
        movl $0, tss_b + 88
        movl $0, tss_b + 92
        movl $0, tss_b + 96
        movb $0x9b, gdt + 0x18 + 5
        ret
beyond: EXIT 1

fault10:
        movl $10, %ecx
        jmp 1f
fault11:
        movl $11, %ecx
        jmp 1f
fault13:
        movl $13, %ecx
1:      movw $DATA32, %ax                       // whatever the new task had got so far
        movw %ax, %ds
        movw %ax, %es
        popl %edx
        movw %ax, %ss
        movl $stack_top, %esp
        movl %ebx, seen_ebx
        movl %ecx, %eax
        call puthex
        movl %edx, %eax
        call puthex
        str %eax
        movzwl %ax, %eax
        call puthex
        andb $0xfd, gdt_tss + 5                 // task A again
        movw $TSS, %ax
        ltr %ax
        xorl %eax, %eax
        lldt %ax
        jmp *resume
        .data
resume: .long 0
seen_ebx:
        .long 0
        .bss
        .balign 128
tss:    .skip 128
tss_b:  .skip 128
        .skip 1024
stack_b:
