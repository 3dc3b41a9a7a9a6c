// Virtual interrupts (Intel SDM volume 3, 20.3 and 20.4; AMD APM volume 2, 8.9). With CR4.VME and IOPL 0 in virtual-8086 mode, CLI, STI, PUSHF, POPF and
// IRET work on VIF in place of IF and see IOPL 3; INT n goes to the program's own vector table where its bit in the redirection map is 0, and is #GP where it
// is 1 (to the IDT with IOPL 3); 32-bit operands, TF, and IF while VIP is set are #GP. With CR4.PVI, code of CPL 3 has VIF for CLI and STI. Without the
// two, all of it is #GP. The program's words come first, then, at each #GP (the monitor goes on behind the instruction), VIP, VIF and IF as 10h, 8 and 1.
// exit: 19
// serial: 3202 3002 3202 3002 3202 3202 / 1 1 1 1 1 11 11 11 / 3202 3002 3202 3002 / 1 9 19 / 1 1 /
#include "guest.h"
#define LOW 0x8000
#define WORDS 0x10000
#define MAP_AT 104

main:   GATE 13, general
        GATE 0x22, ended, 3
        LOAD_TSS
        movw $MAP_AT + 32, tss + 102
        movb $0x0c, tss + MAP_AT + 0x22 / 8     // 22h and 23h go to the monitor; their bits are 2 and 3
        movw $MAP_AT + 31, gdt_tss
        movb $0x89, gdt_tss + 5
        movw $TSS, %ax
        ltr %ax
        movl $low_start, %esi
        movl $LOW, %edi
        movl $low_end - low_start, %ecx
        rep movsb
        movl $(LOW >> 4 << 16) + (own - low_start), 0x21 * 4

        movl $1, %eax
        movl %eax, %cr4                         // VME
        movl $0x20202, %eax                     // VM, IF, IOPL 0
        movl $1f, resume
        movl $program - low_start, %ebx
        jmp enter
1:      movl $6, %ecx
        call words
        call slash
        call report

        movl $0x23202, %eax                     // IOPL 3: IF is the flag
        movl $1f, resume
        movl $short_program - low_start, %ebx
        jmp enter
1:      movl $4, %ecx
        call words
        call slash

        movl $2, %eax
        movl %eax, %cr4                         // PVI
        movl $1f, resume
        movl $user, %ebx
        jmp enter_user
1:      call report
        xorl %eax, %eax
        movl %eax, %cr4
        movl $1f, resume
        movl $user_without, %ebx
        jmp enter_user
1:      call report
        EXIT 19

// EBX: where; EAX: EFLAGS.
enter:  pushl $0                                // GS, FS, DS, ES
        pushl $0
        pushl $WORDS >> 4
        pushl $0
        pushl $0x0900                           // SS:SP
        pushl $0x0800
        pushl %eax
        pushl $LOW >> 4
        pushl %ebx
        iret
enter_user:
        pushl $USER_DATA
        pushl $user_stack
        pushl $0x202
        pushl $USER_CODE32
        pushl %ebx
        iret

// #GP: notes EFLAGS and skips the instruction. HLT asks for something by AL: 0 the end, 1 VIP set, 2 VIP clear, 3 a note and no more.
general:
        pushl %eax
        pushl %ecx
        pushl %edx
        movl $DATA32, %ecx
        movl %ecx, %ds
        movl 16(%esp), %ecx                     // above them error code, EIP, CS, EFLAGS
        testl $0x20000, 24(%esp)
        jz 1f
        movl 20(%esp), %edx
        shll $4, %edx
        addl %edx, %ecx
1:      incl 16(%esp)
        cmpb $0xf4, (%ecx)
        je 4f
        cmpb $0xcd, (%ecx)
        je 2f
        cmpb $0x66, (%ecx)
        jne 3f
2:      incl 16(%esp)
3:      movl 24(%esp), %eax
        movl note_count, %ecx
        movl %eax, notes(, %ecx, 4)
        incl note_count
        jmp 5f
4:      testb %al, %al
        jz ended
        cmpb $3, %al
        je 3b
        xorl $0x100000, 24(%esp)
5:      popl %edx
        popl %ecx
        popl %eax
        addl $4, %esp
        iret
ended:  movl $DATA32, %eax
        movl %eax, %ds
        movl %eax, %es
        movl $stack_top, %esp
        jmp *resume

// ECX words of the program.
words:  movl $WORDS, %esi
1:      lodsw
        pushl %ecx
        movzwl %ax, %eax
        call put_short
        popl %ecx
        loop 1b
        ret
// The notes, which are forgotten then.
report: movl note_count, %ecx
        jecxz 2f
        movl $notes, %esi
1:      lodsl
        movl %eax, %edx
        shrl $16, %eax
        andl $0x18, %eax
        shrl $9, %edx
        andl $1, %edx
        orl %edx, %eax
        pushl %ecx
        call put_short
        popl %ecx
        loop 1b
2:      movl $0, note_count
        jmp slash
slash:  movb $'/', %al
        call putc
blank:  movb $' ', %al
        jmp putc
// EAX without leading zeros, and a blank.
put_short:
        movl %eax, %ebx
        movl $8, %ecx
1:      cmpl $1, %ecx
        je 2f
        testl $0xf0000000, %ebx
        jnz 2f
        shll $4, %ebx
        loop 1b
2:      roll $4, %ebx
        movb %bl, %al
        andb $15, %al
        addb $'0', %al
        cmpb $'9', %al
        jbe 3f
        addb $'a' - '9' - 1, %al
3:      call putc
        loop 2b
        jmp blank

user:   movb $3, %al
        cli
        hlt
        sti
        hlt
        movb $1, %al
        hlt
        sti                                     // #GP
        movb $0, %al
        hlt
user_without:
        cli
        sti
        movb $0, %al
        hlt

        .code16
.macro KEEP at
        pushf
        popw \at
.endm
low_start:
program:
        sti
        KEEP 0
        cli
        KEEP 2
        pushw $0x0202
        popf
        KEEP 4
        int $0x21                               // writes 6 and 8
        KEEP 10
        cli
        int $0x23                               // #GP, here and below
        pushfl
        popfl
        iretl
        pushw $0x0102
        popf                                    // TF
        movb $1, %al
        hlt
        sti
        pushw $0x0202
        popf
        pushw %cs
        pushw $0
        iret
        movb $2, %al
        hlt
        movb $0, %al
        hlt
own:    KEEP 6
        movw %sp, %bp
        movw 4(%bp), %ax
        movw %ax, 8
        iret
short_program:
        sti
        KEEP 0
        cli
        KEEP 2
        sti
        int $0x21
        movw 8, %ax
        movw %ax, 4
        int $0x22                               // through the IDT
low_end:
        .code32
        .data
resume:         .long 0
note_count:     .long 0
notes:          .skip 64 * 4
        .bss
        .balign 128
tss:    .skip 256
        .skip 256
user_stack:
