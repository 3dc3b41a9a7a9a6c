// Sectors through the data port, with interrupts: the first sector is that of the image, what is written reads back, and a sector beyond the end is an
// error. The disk's image is this guest itself.
// disk: self
// exit: 42
// serial: 464c457f disk
#include "guest.h"

        .macro WAIT                             // for the interrupt, which leaves the status in `status`
1:      cli
        cmpb $0, done
        jne 2f
        sti
        hlt
        jmp 1b
2:      movb $0, done
        .endm

        .macro COMMAND opcode, sector
        OUT8 0x1f2, 1
        OUT8 0x1f3, \sector
        OUT8 0x1f4, 0
        OUT8 0x1f5, 0
        OUT8 0x1f6, 0xe0
        OUT8 0x1f7, \opcode
        .endm

main:   call pic_init
        GATE 0x2e, completed
        OUT8 0x21, 0xfb                         // the cascade
        OUT8 0xa1, 0xbf                         // IRQ14
        OUT8 0x3f6, 0

        COMMAND 0x20, 0
        WAIT
        movl $buffer, %edi
        call take
        movl buffer, %eax
        call puthex

        movl $buffer, %edi                      // a pattern into sector 1
        movl $128, %ecx
1:      movl %ecx, %eax
        imull $0x01030507, %eax
        stosl
        loop 1b
        COMMAND 0x30, 1
        movw $0x1f7, %dx
1:      inb %dx, %al
        testb $8, %al
        jz 1b
        movl $buffer, %esi
        movw $0x1f0, %dx
        movl $256, %ecx
        rep outsw
        WAIT
        testb $0x89, status
        jnz bad

        COMMAND 0x20, 1
        WAIT
        movl $again, %edi
        call take
        movl $buffer, %esi
        movl $again, %edi
        movl $128, %ecx
        repe cmpsl
        jne bad

        COMMAND 0x20, 0xff                      // this guest is shorter than that
        WAIT
        cmpb $0x51, status
        jne bad
        movw $0x1f1, %dx
        inb %dx, %al
        cmpb $0x10, %al
        jne bad
        PRINT "disk"
        EXIT 42
bad:    EXIT 1

// EDI: where a sector goes.
take:   movw $0x1f0, %dx
        movl $256, %ecx
        rep insw
        ret

completed:
        pushl %eax
        pushl %edx
        movw $0x1f7, %dx
        inb %dx, %al
        movb %al, status
        movb $1, done
        movb $0x20, %al
        outb %al, $0xa0
        outb %al, $0x20
        popl %edx
        popl %eax
        iret

        .data
done:   .byte 0
status: .byte 0
        .bss
        .balign 4
buffer: .skip 512
again:  .skip 512
