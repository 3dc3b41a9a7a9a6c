// Long mode: FS holds a null selector and a base from its MSR. IRET to privilege 3 makes data segments null that the outer level may not use, but a null one
// keeps its base (AMD APM volume 2, 4.5.3 "Segment Registers in 64-Bit Mode"): thread-local storage relies on it. Of its selector, 3, the RPL goes: a host's
// user code can watch that (each timer interrupt makes a 3 in GS a 0, and GS keeps its base).
// exit: 16
// serial: kept 0
#include "guest.h"
main:   LONG_PAGES PTE_U
        LONG_MODE
long:   movl $3, %eax
        movl %eax, %fs
        movl $0xc0000100, %ecx          // FS base
        movl $text, %eax
        xorl %edx, %edx
        wrmsr
        pushq $USER_DATA
        pushq $0
        pushq $0x3002                   // IOPL 3, to print
        pushq $USER_CODE64
        movl $user, %ecx
        pushq %rcx
        iretq
user:   xorl %edi, %edi
        movw $COM1, %dx
1:      movb %fs:(%rdi), %al
        testb %al, %al
        jz 2f
        outb %al, %dx
        incl %edi
        jmp 1b
2:      movl %fs, %eax
        addb $'0', %al
        outb %al, %dx
        movb $16, %al
        outb %al, $0xf4
1:      jmp 1b
        .code32
        .data
text:   .asciz "kept "
        .bss
        .balign 4096
pdpt:   .skip 4096
large:  .skip 4096
