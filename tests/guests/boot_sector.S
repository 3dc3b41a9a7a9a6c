// A boot sector for a BIOS: reads the sector behind it through INT 13h, prints the text there on the debug console, and exits with 42.
        .code16
        .globl _start
_start: ljmp $0, $1f
1:      xorw %ax, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %ss
        movw $0x7c00, %sp
        movw $0x0201, %ax               // read one sector
        movw $0x0002, %cx               // cylinder 0, sector 2
        movw $0x0080, %dx               // head 0, first disk
        movw $0x7e00, %bx
        int $0x13
        movb $1, %al
        jc 3f
        movw $0x7e00, %si
2:      lodsb
        outb %al, $0xe9
        testb %al, %al
        jnz 2b
        movb $42, %al
3:      outb %al, $0xf4
        hlt
        .org 510
        .word 0xaa55
        .asciz "second sector"
        .org 1024
        .section .note.GNU-stack, "", @progbits
