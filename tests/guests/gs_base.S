// Long mode: GS holds a selector of privilege 0 and a base from its MSR. IRET to privilege 3 clears the selector, which the outer level may not use, and keeps
// the base (AMD APM volume 2, 4.5.3 "Segment Registers in 64-Bit Mode"; hypervisors' tests find it so on hardware). The exit value is read through GS.
// exit: 16
#include "guest.h"
main:   LONG_PAGES PTE_U
        LONG_MODE
long:   movl $DATA32, %eax
        movl %eax, %gs
        movl $0xc0000101, %ecx          // GS base
        movl $status, %eax
        xorl %edx, %edx
        wrmsr
        pushq $USER_DATA
        pushq $0
        pushq $0x3002                   // IOPL 3, to exit
        pushq $USER_CODE64
        movl $user, %ecx
        pushq %rcx
        iretq
user:   movl %gs, %eax                  // null now
        xorl %ebx, %ebx
        addb %gs:(%rbx), %al
1:      outb %al, $0xf4
        jmp 1b
        .code32
        .data
status: .byte 16
        .bss
        .balign 4096
pdpt:   .skip 4096
large:  .skip 4096
