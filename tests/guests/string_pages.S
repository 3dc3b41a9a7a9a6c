// REP string instructions across pages, some absent: each faults once, is repaired, and goes on where it was, in both directions.
// exit: 9
// serial: ffffffff 00002800 ffffffff 00001234 00000000
#include "guest.h"
#define FROM 0x280800
#define TO 0x290400
main:   GATE 14, fault
        call paging_on
        cld
        movl $FROM, %edi
        movl $0x2800, %ecx
        movl $0x12345678, %eax
1:      movb %al, (%edi)
        imull $0x10dcd, %eax
        incl %eax
        incl %edi
        loop 1b
        movl $0, page_table + 4 * 0x281
        movl $0, page_table + 4 * 0x291
        movl $0, page_table + 4 * 0x292
        movl %cr3, %eax
        movl %eax, %cr3
        movl $FROM, %esi
        movl $TO, %edi
        movl $0x2800, %ecx
        rep movsb
        leal -1(%ecx), %eax
        call puthex
        movl %esi, %eax
        subl $FROM, %eax
        call puthex
        movl $FROM, %esi
        movl $TO, %edi
        movl $0x2800, %ecx
        repe cmpsb
        leal -1(%ecx), %eax
        call puthex
        movl $0, page_table + 4 * 0x292         // downwards, words, into an absent page
        movl %cr3, %eax
        movl %eax, %cr3
        std
        movl $0x292ffe, %edi
        movl $0x1000, %ecx
        movw $0x1234, %ax
        rep stosw
        cld
        movzwl 0x291000, %eax
        call puthex
        movl $0x291000, %edi                    // finds the first other word
        movl $0x1000, %ecx
        movw $0x1234, %ax
        repe scasw
        movl %ecx, %eax
        call puthex
        movl faults, %eax
        addl $5, %eax
        jmp exit
fault:  pushal
        incl faults
        movl %cr2, %eax
        movl %eax, %ecx
        andl $~0xfff, %eax
        orl $PTE_P | PTE_W | PTE_U, %eax
        shrl $12, %ecx
        movl %eax, page_table(, %ecx, 4)
        popal
        addl $4, %esp
        iret
        .data
faults: .long 0
