// What every guest test starts from: a multiboot header, flat protected mode, console, exit, gates and page tables.
//
// A guest begins with comment lines that give its expectation, read by guest_run.cpp:
//     // exit: 42               value written to the debug exit port; without it: triple fault
//     // serial: hello          what it prints, without the line end
//     // input: abc             what the serial port receives at Position 1000
//     // disk: self              disk 0 is this guest's own image
//     // cpu: ramet-v2          the processor's model; without it ramet-v1
// includes this file, and defines `main`, entered in 32-bit protected mode with interrupts off. All registers are free; BX and BP survive
// calls. Vectors not set by GATE end the guest with the vector's number + 100 as exit value.

#define COM1 0x3f8
#define CODE32 0x08
#define DATA32 0x10
#define CODE16 0x18
#define DATA16 0x20
#define CODE64 0x28
#define USER_DATA 0x33
#define USER_CODE64 0x3b
#define USER_CODE32 0x43
#define TSS 0x48

// Present, writable, user, accessed, dirty, page size.
#define PTE_P 1
#define PTE_W 2
#define PTE_U 4
#define PTE_A 0x20
#define PTE_D 0x40
#define PTE_PS 0x80

.macro EXIT value
        movb $\value, %al
        jmp exit
.endm

.macro PRINT text
        .pushsection .data
9990:   .asciz "\text"
        .popsection
        movl $9990b, %esi
        call puts
.endm

// An interrupt gate; privilege 3 lets INT n of user code through.
.macro GATE vector, handler, privilege=0
        movl $\handler, %eax
        movw %ax, idt + \vector * 8
        movw $CODE32, idt + \vector * 8 + 2
        movw $0x8e00 + \privilege * 0x2000, idt + \vector * 8 + 4
        shrl $16, %eax
        movw %ax, idt + \vector * 8 + 6
.endm

// A task state segment whose only use is the stack of privilege 0. EAX is lost.
.macro LOAD_TSS
        movl $tss, %eax
        movw $103, gdt_tss
        movw %ax, gdt_tss + 2
        shrl $16, %eax
        movb %al, gdt_tss + 4
        movb $0x89, gdt_tss + 5
        movl $stack_top, tss + 4
        movl $DATA32, tss + 8
        movw $104, tss + 102
        movw $TSS, %ax
        ltr %ax
.endm

// Long mode's first page tables: the low 2 MiB as they are. `rights` beside present and writable.
.macro LONG_PAGES rights=0
        movl $pdpt + PTE_P + PTE_W + \rights, page_directory
        movl $large + PTE_P + PTE_W + \rights, pdpt
        movl $PTE_P + PTE_W + \rights + PTE_PS, large
        movl $0x620, %eax                       // PAE, OSFXSR, OSXMMEXCPT
        movl %eax, %cr4
        movl $page_directory, %eax
        movl %eax, %cr3
.endm

// The steps from there to 64-bit code, for guests that do something in between: EFER, CR0; and all of them, which ends at `long`.
.macro SET_EFER bits=0x100                      // LME
        movl $0xc0000080, %ecx
        rdmsr
        orl $\bits, %eax
        wrmsr
.endm
.macro SET_PAGING                               // with write protection
        movl %cr0, %eax
        orl $0x80010000, %eax
        movl %eax, %cr0
.endm
.macro LONG_MODE
        SET_EFER
        SET_PAGING
        ljmp $CODE64, $long
        .code64
.endm

.macro OUT8 port, value
        movw $\port, %dx
        movb $\value, %al
        outb %al, %dx
.endm

        .section .text.start, "ax"
        .code32
        .long 0x1badb002, 0, -0x1badb002
        .globl _start
_start: cli
        movl $stack_top, %esp
        lgdt gdt_pointer
        ljmp $CODE32, $1f
1:      movw $DATA32, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %ss
        xorl %ecx, %ecx
2:      movl $unexpected_0, %eax                // eight bytes of code for each vector
        leal (%eax, %ecx, 8), %eax
        movw %ax, idt(, %ecx, 8)
        movw $CODE32, idt + 2(, %ecx, 8)
        movw $0x8e00, idt + 4(, %ecx, 8)
        shrl $16, %eax
        movw %ax, idt + 6(, %ecx, 8)
        incl %ecx
        cmpl $64, %ecx
        jne 2b
        lidt idt_pointer
        jmp main

        .balign 8
unexpected_0:
        .set vector, 0
        .rept 64
        .balign 8
        movb $vector + 100, %al
        jmp exit
        .set vector, vector + 1
        .endr

// AL: value.
exit:   outb %al, $0xf4
1:      cli
        hlt
        jmp 1b

// AL: character. Waits for room in the transmitter.
putc:   pushl %edx
        pushl %eax
        movw $COM1 + 5, %dx
1:      inb %dx, %al
        testb $0x20, %al
        jz 1b
        popl %eax
        movw $COM1, %dx
        outb %al, %dx
        popl %edx
        ret

// ESI: text up to a zero.
puts:   lodsb
        testb %al, %al
        jz 1f
        call putc
        jmp puts
1:      ret

// EAX as eight digits and a blank.
puthex: pushl %ecx
        pushl %ebx
        movl %eax, %ebx
        movl $8, %ecx
1:      roll $4, %ebx
        movb %bl, %al
        andb $15, %al
        addb $'0', %al
        cmpb $'9', %al
        jbe 2f
        addb $'a' - '9' - 1, %al
2:      call putc
        loop 1b
        movb $' ', %al
        call putc
        popl %ebx
        popl %ecx
        ret

// Both PICs: vectors 20h and 28h, everything masked.
pic_init:
        OUT8 0x20, 0x11
        OUT8 0xa0, 0x11
        OUT8 0x21, 0x20
        OUT8 0xa1, 0x28
        OUT8 0x21, 4
        OUT8 0xa1, 2
        OUT8 0x21, 1
        OUT8 0xa1, 1
        OUT8 0x21, 0xff
        OUT8 0xa1, 0xff
        ret

// Two levels, 32 bit: the first 4 MiB one to one through page_table, the rest absent. Switches paging on, with CR0.WP.
paging_on:
        xorl %ecx, %ecx
1:      movl %ecx, %eax
        shll $12, %eax
        orl $PTE_P | PTE_W | PTE_U, %eax
        movl %eax, page_table(, %ecx, 4)
        incl %ecx
        cmpl $1024, %ecx
        jne 1b
        movl $page_table + PTE_P + PTE_W + PTE_U, page_directory
        movl $page_directory, %eax
        movl %eax, %cr3
        movl %cr0, %eax
        orl $0x80010000, %eax
        movl %eax, %cr0
        ret

        .data
        .balign 8
gdt:    .quad 0
        .quad 0x00cf9b000000ffff
        .quad 0x00cf93000000ffff
        .quad 0x00009b000000ffff
        .quad 0x000093000000ffff
        .quad 0x00af9b000000ffff
        .quad 0x00cff3000000ffff
        .quad 0x00affb000000ffff
        .quad 0x00cffb000000ffff
gdt_tss:
        .quad 0, 0
gdt_pointer:
        .word . - gdt - 1
        .long gdt
idt_pointer:
        .word 64 * 8 - 1
        .long idt

        .bss
        .balign 4096
page_directory: .skip 4096
page_table:     .skip 4096
idt:            .skip 64 * 8
                .skip 8192
stack_top:
        .text
