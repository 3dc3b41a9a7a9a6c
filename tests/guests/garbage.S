// Garbage: privilege 3 runs pseudo-random bytes, on pages of its own, with pseudo-random registers and flags. Every exception and every tick of the timer
// (some garbage loops) writes new bytes and jumps into them at another place; a mistake of the processor that reaches the kernel would end the guest by
// another way than its count. A decimal digit N on the command line makes it 10 to the power of N times; a billion instructions take
//     ramet run --kernel build/release/tests/guests/garbage.elf --append 9 --until position:1000000000
// exit: 28
// serial: ended in order
// cpu: ramet-v2
#include "guest.h"
#define REGION 0x200000                 // 64 KiB of code, then as much for the stack and data
#define REGION_BYTES 0x10000
#define FRESH_BYTES 64
#define TIMES 1000

main:   movl %ebx, %ebp                 // multiboot information
        call pic_init
        LOAD_TSS
        xorl %ecx, %ecx
1:      movl $again, %eax
        movw %ax, idt(, %ecx, 8)
        shrl $16, %eax
        movw %ax, idt + 6(, %ecx, 8)
        movw $0xee00, idt + 4(, %ecx, 8)
        incl %ecx
        cmpl $64, %ecx
        jne 1b
        movl $TIMES, left
        testl $4, (%ebp)
        jz 3f
        movl 16(%ebp), %esi             // the command line's last character
2:      lodsb
        testb %al, %al
        jnz 2b
        movzbl -2(%esi), %ecx
        subl $'0', %ecx
        cmpl $9, %ecx
        ja 3f
        movl $1, left
        jecxz 3f
2:      movl left, %eax
        imull $10, %eax
        movl %eax, left
        loop 2b
3:      call paging_on
        movl $REGION >> 12, %edi        // the rest belongs to the kernel
        xorl %ecx, %ecx
4:      movl %ecx, %eax
        subl $REGION >> 12, %eax
        cmpl $2 * REGION_BYTES >> 12, %eax
        jb 5f
        andl $~PTE_U, page_table(, %ecx, 4)
5:      incl %ecx
        cmpl $1024, %ecx
        jne 4b
        movl %cr3, %eax
        movl %eax, %cr3
        movl %cr0, %eax
        andl $~4, %eax
        orl $0x40022, %eax              // AM, NE, MP
        movl %eax, %cr0
        movl $0x600, %eax               // OSFXSR, OSXMMEXCPT
        movl %eax, %cr4
        movl $0x12345678, seed
        movl $REGION, %edi
        movl $REGION_BYTES / 4, %ecx
6:      call random
        stosl
        loop 6b
        OUT8 0x43, 0x34                 // the timer, about every 20 microseconds
        OUT8 0x40, 24
        OUT8 0x40, 0
        OUT8 0x21, 0xfe
        jmp fresh

again:  movl $stack_top, %esp
        cld
        movl $DATA32, %eax
        movl %eax, %ds
        movl %eax, %es
        OUT8 0x20, 0x20
        decl left
        jnz fresh
        PRINT "ended in order"
        EXIT 28

fresh:  fninit
        call random
        movl %eax, %edi
        andl $REGION_BYTES - 1, %edi
        cmpl $REGION_BYTES - FRESH_BYTES, %edi
        ja fresh
        addl $REGION, %edi
        movl %edi, %ebp                 // where the next garbage begins
        movl $FRESH_BYTES / 4, %ecx
1:      call random
        stosl
        loop 1b
        pushl $USER_DATA
        call random
        andl $REGION_BYTES - 1, %eax
        addl $REGION + REGION_BYTES, %eax
        pushl %eax
        call random
        andl $0x40cd5, %eax             // AC, arithmetic flags, DF
        orl $0x202, %eax
        pushl %eax
        pushl $USER_CODE32
        pushl %ebp
        movl $7, %ecx                   // registers: pointers into the region, or anything
2:      call random
        testl $0x10000000, %eax
        jz 3f
        andl $2 * REGION_BYTES - 1, %eax
        addl $REGION, %eax
3:      pushl %eax
        loop 2b
        movl $USER_DATA, %eax
        movl %eax, %ds
        movl %eax, %es
        popl %eax
        popl %ebx
        popl %ecx
        popl %edx
        popl %esi
        popl %edi
        popl %ebp
        iret

// EAX: 32 bits of a xorshift generator.
random: movl seed, %eax
        movl %eax, %edx
        shll $13, %edx
        xorl %edx, %eax
        movl %eax, %edx
        shrl $17, %edx
        xorl %edx, %eax
        movl %eax, %edx
        shll $5, %edx
        xorl %edx, %eax
        movl %eax, seed
        ret
        .data
seed:   .long 0
left:   .long 0
        .bss
        .balign 128
tss:    .skip 104
