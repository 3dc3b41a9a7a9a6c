// A guest that touches every device but the disk (guests_test has that) for more than 100,000 instructions: interrupts from the PIT through the PIC,
// timers of the local APIC, the clock's RAM and date, PCI configuration, fw_cfg, keyboard controller, ACPI's timer and events, the text cursor, the
// test device, both consoles, and serial input, which it sums up and echoes. A checksum of all it read goes to the debug console at the end; then it
// leaves through the debug exit.
        .code32
        .section .text
        .global _start
        .align 4
        .long 0x1badb002, 0, -0x1badb002
_start: movl $stack_top, %esp
        lgdt gdtr
        ljmp $8, $1f
1:      movw $16, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %ss
        movl $idt + 32 * 8, %edi // vectors 32 to 47: one handler for all
        movl $16, %ecx
2:      movl $handler, %eax
        movw %ax, (%edi)
        movw $8, 2(%edi)
        movw $0x8e00, 4(%edi)
        shrl $16, %eax
        movw %ax, 6(%edi)
        addl $8, %edi
        loop 2b
        lidt idtr
        movb $0x11, %al          // both PICs: vectors 32 and 40
        outb %al, $0x20
        outb %al, $0xa0
        movb $32, %al
        outb %al, $0x21
        movb $40, %al
        outb %al, $0xa1
        movb $4, %al
        outb %al, $0x21
        movb $2, %al
        outb %al, $0xa1
        movb $1, %al
        outb %al, $0x21
        outb %al, $0xa1
        movb $0xee, %al          // timer and serial port
        outb %al, $0x21
        movb $0xff, %al
        outb %al, $0xa1
        movb $0x34, %al          // PIT channel 0, rate
        outb %al, $0x43
        movb $0x40, %al
        outb %al, $0x40
        movb $0, %al
        outb %al, $0x40
        movw $0x3f9, %dx         // receive interrupt, FIFO
        movb $1, %al
        outb %al, %dx
        movw $0x3fa, %dx
        outb %al, %dx
        sti
        movl $600, %ebp
round:  movl $22, %ecx           // memory and the processor
        movl $heap + 1024, %edi
3:      addl %ebp, (%edi)
        addl (%edi), %ebx
        roll $3, %ebx
        addl $516, %edi
        loop 3b
        rdtsc
        addl %eax, %ebx
        movl %ebp, %eax          // the clock
        andb $0x3f, %al
        outb %al, $0x70
        inb $0x71, %al
        addl %eax, %ebx
        movb $0x3c, %al
        outb %al, $0x70
        movb %bl, %al
        outb %al, $0x71
        movl %ebp, %eax          // PCI
        andl $0xfc, %eax
        orl $0x80000000, %eax
        movw $0xcf8, %dx
        outl %eax, %dx
        movw $0xcfc, %dx
        inl %dx, %eax
        addl %eax, %ebx
        movw $0x510, %dx         // fw_cfg: the signature
        xorl %eax, %eax
        outw %ax, %dx
        incw %dx
        inb %dx, %al
        addl %eax, %ebx
        inb $0x64, %al           // keyboard controller
        addl %eax, %ebx
        movb $0x20, %al
        outb %al, $0x64
        inb $0x60, %al
        addl %eax, %ebx
        movw $0x608, %dx         // ACPI timer
        inl %dx, %eax
        addl %eax, %ebx
        inb $0x61, %al
        xorb $1, %al
        outb %al, $0x61
        movb $0, %al             // latch and read the PIT
        outb %al, $0x43
        inb $0x40, %al
        addl %eax, %ebx
        inb $0x40, %al
        movl 0xfee00030, %eax    // local APIC: version, timer
        addl %eax, %ebx
        movl 0xfee00390, %eax
        addl %eax, %ebx
        movl $0x10020, 0xfee00320
        movl $50000, 0xfee00380
        movl $1, 0xfec00000      // I/O APIC: version, a route
        movl 0xfec00010, %eax
        addl %eax, %ebx
        movl $0x14, 0xfec00000
        movl %ebp, %eax
        orl $0x10000, %eax       // masked: the PIC has the lines
        movl %eax, 0xfec00010
        movw $0x602, %dx         // ACPI: events that are enabled, and have come
        movl %ebp, %eax
        andl $0x100, %eax
        outw %ax, %dx
        inw %dx, %ax
        addl %eax, %ebx
        movw $0x600, %dx
        inw %dx, %ax
        addl %eax, %ebx
        movl %ebx, %eax          // POST, port 92h, the text cursor, the test device, reset control
        outb %al, $0x80
        inb $0x92, %al
        xorb $2, %al
        orb $2, %al
        outb %al, $0x92
        addl %eax, %ebx
        movw $0x3d4, %dx
        movb $14, %al
        outb %al, %dx
        incw %dx
        movl %ebx, %eax
        outb %al, %dx
        inb %dx, %al
        addl %eax, %ebx
        movl %ebx, %eax
        outl %eax, $0xe0
        inl $0xe0, %eax
        addl %eax, %ebx
        movw $0xcf9, %dx
        inb %dx, %al
        addl %eax, %ebx
        fninit                   // x87
        fld1
        fldpi
        faddp
        fstpl heap + 64
        testl $63, %ebp
        jnz 4f
        hlt
4:      movb $'.', %al
        testl $15, %ebp
        jnz 5f
        movw $0x3f8, %dx
        outb %al, %dx
5:      decl %ebp
        jnz round
        movl $4, %ecx
6:      movl %ebx, %eax
        outb %al, $0xe9
        shrl $8, %ebx
        loop 6b
        movb $21, %al
        outb %al, $0xf4
7:      hlt
        jmp 7b

handler:
        pushal
        incl heap
        movw $0x3fd, %dx
        inb %dx, %al
        testb $1, %al
        jz 8f
        movw $0x3f8, %dx
        inb %dx, %al
        outb %al, %dx
        addl %eax, heap + 8
8:      movb $0x20, %al
        outb %al, $0x20
        popal
        iret

        .align 8
gdt:    .quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdtr:   .word 23
        .long gdt
idtr:   .word 48 * 8 - 1
        .long idt
        .section .bss
        .align 4096
idt:    .skip 48 * 8
        .align 4096
heap:   .skip 20480
        .skip 4096
stack_top:
        .section .note.GNU-stack, "", @progbits
