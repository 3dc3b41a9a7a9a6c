// Sectors by bus master DMA, with interrupts: a table of two regions, code that is written to the disk and comes back over code that has run already,
// and a table that leads to no memory. The disk's image is this guest itself.
// disk: self
// exit: 42
// serial: 464c457f 00000001 00000002 dma
#include "guest.h"

        .macro BM_OUT8 offset, value
        movw base, %dx
        addw $\offset, %dx
        movb $\value, %al
        outb %al, %dx
        .endm

// Moves `count` sectors from `sector` along the table at `prd`. direction: 8 towards memory.
        .macro DMA opcode, sector, count, direction, prd
        movw base, %dx
        addw $4, %dx
        movl $\prd, %eax
        outl %eax, %dx
        BM_OUT8 2, 6
        OUT8 0x1f2, \count
        OUT8 0x1f3, \sector
        OUT8 0x1f4, 0
        OUT8 0x1f5, 0
        OUT8 0x1f6, 0xe0
        OUT8 0x1f7, \opcode
        BM_OUT8 0, \direction + 1
1:      cli
        cmpb $0, done
        jne 2f
        sti
        hlt
        jmp 1b
2:      movb $0, done
        BM_OUT8 0, 0
        .endm

main:   call pic_init
        GATE 0x2e, completed
        OUT8 0x21, 0xfb                         // the cascade
        OUT8 0xa1, 0xbf                         // IRQ14
        movl $0x80000920, %eax                  // 0:1.1, base address 4
        movw $0xcf8, %dx
        outl %eax, %dx
        movw $0xcfc, %dx
        inl %dx, %eax
        andl $0xfff0, %eax
        movw %ax, base

        DMA 0xc8, 0, 2, 8, two_regions
        cmpb $0x50, status
        jne bad
        cmpb $4, master
        jne bad
        movl here, %eax
        call puthex

        call patched                            // runs, and is decoded
        call puthex
        movl $other, %esi                       // another version goes to sector 1
        movl $here, %edi
        movl $other_end - other, %ecx
        rep movsb
        DMA 0xca, 1, 1, 0, near_region
        DMA 0xc8, 1, 1, 8, code_region          // and comes over the first one
        call patched
        call puthex

        DMA 0xc8, 0, 1, 8, nowhere
        cmpb $0x51, status
        jne bad
        testb $2, master
        jz bad
        PRINT "dma"
        EXIT 42
bad:    EXIT 1

completed:
        pushl %eax
        pushl %edx
        movw $0x1f7, %dx
        inb %dx, %al
        movb %al, status
        movw base, %dx
        addw $2, %dx
        inb %dx, %al
        movb %al, master
        movb $1, done
        movb $0x20, %al
        outb %al, $0xa0
        outb %al, $0x20
        popl %edx
        popl %eax
        iret

other:  movl $2, %eax
        ret
other_end:

        .data
done:   .byte 0
status: .byte 0
master: .byte 0
        .balign 8
two_regions:
        .long here, 512, there, 0x80000200
near_region:
        .long here, 0x80000200
code_region:
        .long patched, 0x80000200
nowhere:
        .long 0xfff00000, 0x80000200
base:   .word 0
        .balign 4096
patched:
        movl $1, %eax
        ret
        .balign 512

        .bss
        .balign 4096
here:   .skip 512
        .balign 4096
there:    .skip 512
