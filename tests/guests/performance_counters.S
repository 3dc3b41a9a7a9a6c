// AMD's four performance counters and their event selects are on every processor, no bit of CPUID says so (APM volume 2, 13.2.1): system software resets them,
// kvm-unit-tests before every test. Ours count nothing and read as zero, by RDPMC, too, which privilege 3 may use when CR4.PCE allows it. The exit value is the
// number of #GPs: from an MSR and a counter past the end, and from privilege 3 without CR4.PCE.
// exit: 3
#include "guest.h"
main:   GATE 13, fault
        LOAD_TSS
        xorl %ebx, %ebx
        movl $0xc0010000, %ecx
1:      movl $0xffff, %eax
        xorl %edx, %edx
        wrmsr
        rdmsr
        orl %edx, %eax
        jnz wrong
        incl %ecx
        cmpl $0xc0010008, %ecx
        jne 1b
        rdmsr                           // #GP
        movl $4, %ecx
        rdpmc                           // #GP
        pushl $USER_DATA
        pushl $stack_top - 4096
        pushl $0x3002                   // IOPL 3, to exit
        pushl $USER_CODE32
        pushl $user
        iret
user:   movl $3, %ecx
        rdpmc                           // #GP, where the handler allows it
        movl $-1, %eax
        movl %eax, %edx
        rdpmc
        orl %edx, %eax
        jnz wrong
        movb %bl, %al
        jmp exit
wrong:  EXIT 100
// Goes on after the instruction, all of which are two bytes long, at privilege 3 with CR4.PCE.
fault:  addl $4, %esp
        addl $2, (%esp)
        incl %ebx
        cmpw $USER_CODE32, 4(%esp)
        jne 1f
        movl %cr4, %eax
        orl $0x100, %eax
        movl %eax, %cr4
1:      iret
        .bss
        .balign 4
tss:    .skip 104
