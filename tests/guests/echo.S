// Serial input: echoed in capitals, added up, until q.
// exit: 20
// serial: HELLO
// input: helloq
#include "guest.h"
main:   xorl %ebx, %ebx
1:      movw $COM1 + 5, %dx
        inb %dx, %al
        testb $1, %al
        jz 1b
        movw $COM1, %dx
        inb %dx, %al
        cmpb $'q', %al
        je 2f
        addb %al, %bl
        subb $32, %al
        call putc
        jmp 1b
2:      movb %bl, %al
        jmp exit
