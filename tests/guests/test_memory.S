// The test device's memory, 64 KiB at FF000000h as QEMU's pc-testdev has them: kvm-unit-tests reach it as a device's. Around it nothing answers.
// exit: 10
#include "guest.h"
main:   movl $0x12345678, 0xff000000
        movl $0x9abcdef0, 0xff00fffc
        movb $1, 0xfeffffff
        movb $1, 0xff010000
        movb 0xff000003, %al            // 12h
        subb 0xff00fffc, %al            // less F0h
        subb 0xfeffffff, %al            // less FFh, twice
        subb 0xff010000, %al
        subb $26, %al
        jmp exit
