// IA32_MISC_ENABLE, a register of Intel's that hypervisors give to guests of all vendors (docs/decisions/0013; kvm-unit-tests' msr test writes 400c51889h and
// wants it back). The bits that say what performance monitoring there is stay: 7 whatever is written, of 11 and 12 a change is #GP. Prints the register at reset,
// after that value, after two that are refused, after one without bit 7, and how many #GPs came.
// exit: 28
// serial: 00001880 00000000 00c51889 00000004 00c51889 00000004 00001880 00000000 00000002
#include "guest.h"
.macro SHOW
        rdmsr
        call puthex
        movl %edx, %eax
        call puthex
.endm

main:   GATE 13, protection
        movl $0x1a0, %ecx
        SHOW
        movl $0x00c51889, %eax
        movl $4, %edx
        wrmsr
        SHOW
        movl $0x00c51089, %eax                  // without bit 11: #GP
        wrmsr
        movl $0x00c50889, %eax                  // without bit 12: #GP
        wrmsr
        SHOW
        movl $0x1800, %eax                      // without bit 7
        xorl %edx, %edx
        wrmsr
        SHOW
        movl faults, %eax
        call puthex
        EXIT 28
protection:
        addl $4, %esp
        addl $2, (%esp)
        incl faults
        iret
        .data
faults: .long 0
