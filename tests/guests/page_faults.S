// 32-bit paging: accessed and dirty bits, and the error codes of faults that are repaired and retried.
// exit: 7
// serial: 00000000 00000020 00000060 00000000 00200123 00000002 00201000 00000003 00202ffe 00000000 00203000 00000000 00204000
#include "guest.h"
#define PTE(page) page_table + 4 * page
main:   GATE 14, fault
        call paging_on
        andl $~(PTE_A | PTE_D), PTE(0x210)
        movl PTE(0x210), %eax
        andl $PTE_A | PTE_D, %eax
        call puthex
        invlpg 0x210000
        movl 0x210000, %ebx             // a read sets A
        movl PTE(0x210), %eax
        andl $PTE_A | PTE_D, %eax
        call puthex
        movl %ebx, 0x210000             // a write sets D
        movl PTE(0x210), %eax
        andl $PTE_A | PTE_D, %eax
        call puthex
        movl $0, PTE(0x200)             // absent, read
        invlpg 0x200000
        movl 0x200123, %eax
        movl $0, PTE(0x201)             // absent, write
        invlpg 0x201000
        movl $1, 0x201000
        andl $~PTE_W, PTE(0x202)        // read only, write
        invlpg 0x202000
        movw $1, 0x202ffe
        movl $0, PTE(0x203)             // an access across a page border: its second page is absent
        invlpg 0x203000
        movl 0x202ffe, %eax
        movb $0xc3, 0x204000            // ret
        movl $0, PTE(0x204)             // absent, fetch
        invlpg 0x204000
        movl $0x204000, %eax
        call *%eax
        EXIT 7
fault:  pushal
        movl 32(%esp), %eax             // error code
        call puthex
        movl %cr2, %eax
        movl %eax, %ebx
        call puthex
        movl %ebx, %eax
        andl $~0xfff, %eax
        movl %eax, %ecx
        orl $PTE_P | PTE_W | PTE_U, %eax
        shrl $12, %ecx
        movl %eax, page_table(, %ecx, 4)
        invlpg (%ebx)
        popal
        addl $4, %esp
        iret
