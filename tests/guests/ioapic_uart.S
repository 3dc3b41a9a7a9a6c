// UART transmitter interrupts through the IO-APIC: the handler feeds one character for each.
// exit: 17
// serial: sent by interrupt
#include "guest.h"
#define LAPIC 0xfee00000
#define IOAPIC 0xfec00000
main:   call pic_init
        GATE 0x31, transmitter
        movl $0x1ff, LAPIC + 0xf0
        movl $0x10 + 2 * 4, IOAPIC      // redirection of line 4, low half: vector 31h, edge
        movl $0x31, IOAPIC + 0x10
        movl $0x11 + 2 * 4, IOAPIC
        movl $0, IOAPIC + 0x10
        OUT8 COM1 + 4, 0x0b             // DTR, RTS, OUT2, as drivers do
        OUT8 COM1 + 1, 0x02             // transmitter empty
        sti
1:      hlt
        movl next, %esi
        cmpb $0, (%esi)
        jne 1b
        cli
        movb count, %al
        jmp exit
transmitter:
        pushal
        movw $COM1 + 2, %dx             // IIR: reading it acknowledges
        inb %dx, %al
        movl next, %esi
        lodsb
        testb %al, %al
        jz 1f
        movw $COM1, %dx
        outb %al, %dx
        incb count
        movl %esi, next
1:      movl $0, LAPIC + 0xb0
        popal
        iret
        .data
next:   .long text
text:   .asciz "sent by interrupt"
count:  .byte 0
