// Task switches (Intel SDM volume 3, 7.3 "Task Switching"): CALL to a TSS nests and IRET comes back, by the back link and NT; JMP does not nest; a
// task gate in the IDT switches on INT. Checked: registers of both tasks, busy bits, NT, CR0.TS, the back link.
// exit: 12
// serial: 00004000 00000048 0000008b 0000008b 00000008 00000089 0000008b 11111111 22222222 00000000 0000000b
#include "guest.h"
#define TSS_B 0x50
main:   movl $tss_a, %eax
        movl $gdt_tss, %edi
        call describe
        movl $tss_b, %eax
        movl $gdt_tss + 8, %edi
        call describe
        movw $TSS, %ax
        ltr %ax
        movl $2f, tss_b + 32                    // EIP
        movl $2, tss_b + 36                     // EFLAGS
        movl $0x22222222, tss_b + 52            // EBX
        movl $stack_b, tss_b + 56               // ESP
        movl $DATA32, tss_b + 72                // ES
        movl $CODE32, tss_b + 76
        movl $DATA32, tss_b + 80
        movl $DATA32, tss_b + 84
        movw $104, tss_b + 102
        movw $TSS_B, idt + 0x32 * 8 + 2         // vector 32h: a task gate
        movw $0x8500, idt + 0x32 * 8 + 4
        movl $0x11111111, %ebx
        clts
        lcall $TSS_B, $0
        movl %cr0, %eax                         // back: TS is set again by the switch
        andl $8, %eax
        call puthex
        movzbl gdt_tss + 8 + 5, %eax            // B is no longer busy, A is
        call puthex
        movzbl gdt_tss + 5, %eax
        call puthex
        movl %ebx, %eax
        call puthex
        int $0x32                               // B goes on after its IRET
        pushfl
        popl %eax
        andl $0x4000, %eax                      // NT is not ours
        call puthex
        ljmp $TSS_B, $0
2:      pushfl                                  // task B
        popl %eax
        andl $0x4000, %eax                      // NT: nested
        call puthex
        movzwl tss_b, %eax                      // back link
        call puthex
        movzbl gdt_tss + 5, %eax                // both are busy
        call puthex
        movzbl gdt_tss + 8 + 5, %eax
        call puthex
        iret
        movl %ebx, %eax                         // by the task gate
        call puthex
        iret
        movzbl gdt_tss + 5, %eax                // by JMP: A is no longer busy
        subl $0x89 - 11, %eax
        call puthex
        EXIT 12
// EAX: TSS; EDI: its descriptor.
describe:
        movw $103, (%edi)
        movw %ax, 2(%edi)
        shrl $16, %eax
        movb %al, 4(%edi)
        movb $0x89, 5(%edi)
        ret
        .bss
        .balign 128
tss_a:  .skip 128
tss_b:  .skip 128
        .skip 1024
stack_b:
