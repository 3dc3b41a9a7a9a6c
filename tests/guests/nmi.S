// Non-maskable interrupts (Intel SDM volume 3, 6.7, 6.9 and 10.5.1, 10.6.1): sent by the ICR and by the I/O APIC, whatever IF and the vector field say;
// blocked from delivery to the next IRET, one of which waits meanwhile, and let in even by an IRET that faults; before external interrupts and instruction
// breakpoints, behind traps of the instruction before (so in front of the first instruction of their handlers); they end HLT; in long mode they go
// through the IST. The handler prints N, and D when it was entered in front of the debug handler; I is an interrupt, B a breakpoint, T a trap, G #GP, and a point the handler's making another one.
// exit: 18
// serial: NNN N.N N.NG N.NI N.NB NDT N NS
#include "guest.h"
#define LAPIC 0xfee00000
#define IOAPIC 0xfec00000
#define ICR LAPIC + 0x300
#define NMI_HERE 0x400          // to the destination in the other half, which is this processor
#define FIXED_SELF 0x44031

.macro IN_HANDLER action
        movl $\action, handler_action
        movl $NMI_HERE, ICR
.endm

main:   call pic_init
        GATE 1, debug
        GATE 2, nmi
        GATE 13, general
        GATE 0x31, interrupt
        movl $0x1ff, LAPIC + 0xf0
        movl $0, LAPIC + 0x310

        movl $NMI_HERE, ICR
        movl $NMI_HERE + 0x40000, ICR           // self
        movl $NMI_HERE + 0x80033, ICR           // all including self, with a vector
        call blank

        IN_HANDLER again                        // a second one waits for the first one's IRET
        call blank

        IN_HANDLER again_and_fault
return_faulted:
        call blank

        IN_HANDLER again_and_interrupt
        cli
        call blank

        movl $here, %eax
        movl %eax, %dr0
        movl $0x401, %eax
        movl %eax, %dr7
        IN_HANDLER again
here:   nop
        movl $0x400, %eax
        movl %eax, %dr7
        call blank

        movl $ICR, %eax                         // the write of the ICR is watched: a trap and an NMI after one instruction
        movl %eax, %dr0
        movl $0x000d0401, %eax
        movl %eax, %dr7
        movl $NMI_HERE, ICR
        movl $0x400, %eax
        movl %eax, %dr7
        call blank

        movl $0x10 + 2 * 2, IOAPIC              // pin 2, the timer: NMI, edge
        movl $0x400, IOAPIC + 0x10
        movl $0x11 + 2 * 2, IOAPIC
        movl $0, IOAPIC + 0x10
        OUT8 0x43, 0x30
        OUT8 0x40, 0
        OUT8 0x40, 1
        cli
        hlt                                     // with IF clear only an NMI goes on
        movl $0x10 + 2 * 2, IOAPIC
        movl $0x10400, IOAPIC + 0x10
        call blank

        LONG_PAGES                              // and the APIC's page
        movl $tables_of_apic + PTE_P + PTE_W, pdpt + 3 * 8
        movl $0xfee00000 + PTE_P + PTE_W + PTE_PS, tables_of_apic + 0x1f7 * 8
        SET_EFER
        movl %cr0, %eax
        orl $0x80000000, %eax
        movl %eax, %cr0
        movl $tss, %eax
        movw $103, gdt_tss
        movw %ax, gdt_tss + 2
        shrl $16, %eax
        movb %al, gdt_tss + 4
        movb $0x89, gdt_tss + 5
        movl $ist, tss + 0x24
        movl $nmi64, %eax
        movw %ax, idt + 2 * 16
        movl $CODE64, idt + 2 * 16 + 2
        movb $1, idt + 2 * 16 + 4
        movb $0x8e, idt + 2 * 16 + 5
        shrl $16, %eax
        movw %ax, idt + 2 * 16 + 6
        movl $0, idt + 2 * 16 + 8
        movl $0, idt + 2 * 16 + 12
        ljmp $CODE64, $wide
        .code64
wide:   movw $TSS, %ax
        ltr %ax
        movl $LAPIC + 0x300, %ebx
        movl $NMI_HERE, (%rbx)
        movb $18, %al
        outb %al, $0xf4
nmi64:  movl $'N', %eax
        movw $COM1, %dx
        outb %al, %dx
        leaq ist - 40(%rip), %rcx
        cmpq %rcx, %rsp
        jne 1f
        movb $'S', %al
        outb %al, %dx
1:      iretq
        .code32

blank:  movb $' ', %al
        jmp putc

nmi:    pushl %eax
        movb $'N', %al
        call putc
        cmpl $debug, 4(%esp)
        jne 1f
        movb $'D', %al
        call putc
1:      xorl %eax, %eax
        xchgl %eax, handler_action
        testl %eax, %eax
        jz 2f
        jmp *%eax
2:      popl %eax
        iret
again:  movl $NMI_HERE, ICR
        jmp point
again_and_fault:
        movl $NMI_HERE, ICR
        movl $0x7f8, 8(%esp)                    // no such code segment
        jmp point
again_and_interrupt:
        movl $NMI_HERE, ICR
        movl $FIXED_SELF, ICR
        orl $0x200, 12(%esp)
point:  movb $'.', %al
        call putc
        popl %eax
        iret
general:
        movb $'G', %al
        call putc
        movl $stack_top, %esp
        jmp return_faulted
interrupt:
        pushl %eax
        movb $'I', %al
        call putc
        movl $0, LAPIC + 0xb0
        popl %eax
        iret
debug:  pushl %eax
        movl %dr6, %eax
        movb $'T', %al
        cmpl $here, 4(%esp)
        jne 1f
        movb $'B', %al
        orl $0x10000, 12(%esp)
1:      call putc
        popl %eax
        iret
        .data
handler_action: .long 0
        .bss
        .balign 16
tss:    .skip 112
        .skip 256
ist:
        .balign 4096
pdpt:   .skip 4096
large:  .skip 4096
tables_of_apic: .skip 4096
