// The local APIC in xAPIC mode (Intel SDM volume 3, chapter "APIC"; AMD APM volume 2, chapter 16), one processor with ID 0.
//
// Offsets are those of the register page at FEE00000h: 32-bit registers every 16 bytes. The timer counts virtual nanoseconds
// divided by the divide configuration; one-shot, periodic and TSC-deadline.
// A masked timer runs on but is no deadline: what it missed is folded in when it is looked at.
// NMIs come from the ICR, the I/O APIC and LINT0; shorthands that include the sender are taken though the manuals leave them out. Nothing on the board
// drives LINT1, and the thermal sensor and the performance counters have no events: their entries are registers and no more.
// Not modelled: x2APIC, SMI and INIT delivery (a machine has one processor, and its Bus has no such lines: the message is reported as missed), focus
// processor.
// Tests: tests/machine/lapic_test.cpp.
#pragma once

#include <array>

#include "base/fields.h"
#include "machine/wires.h"

namespace ramet {

/// A set of 256 vectors, as IRR, ISR and TMR are.
struct VectorSet {
    std::array<u32, 8> word = {};

    static constexpr void fields(auto& self, auto& visit) { visit("word", self.word); }

    bool has(u8 vector) const { return word[vector / 32] >> vector % 32 & 1; }
    void set(u8 vector, bool on);
    /// The largest member, or -1.
    int highest() const;
};

struct LocalApic {
    enum Lvt : u8 { timer, thermal, counter, lint0, lint1, error, lvt_count };

    u64 apic_base = 0xfee00900;  // MSR 1Bh: enabled, bootstrap processor
    u32 id = 0;
    u8 tpr = 0;
    u32 ldr = 0;
    u32 dfr = 0xffffffff;
    u32 svr = 0xff;
    VectorSet isr = {};
    VectorSet tmr = {};
    VectorSet irr = {};
    u32 esr = 0;          // as software reads it
    u32 esr_pending = 0;  // collected since the last write of ESR
    u32 icr_low = 0;
    u32 icr_high = 0;
    std::array<u32, lvt_count> lvt = {0x10000, 0x10000, 0x10000, 0x10000, 0x10000, 0x10000};
    u32 initial_count = 0;
    u32 divide = 0;
    Cycles due = Cycles::never();  // the timer's next expiry
    u64 tsc_deadline = 0;          // MSR 6E0h
    bool lint0_level = false;      // the PIC's INTR
    bool nmi = false;              // one waits for the processor

    static constexpr void fields(auto& self, auto& visit) {
        visit("apic_base", self.apic_base);
        visit("id", self.id);
        visit("tpr", self.tpr);
        visit("ldr", self.ldr);
        visit("dfr", self.dfr);
        visit("svr", self.svr);
        visit("isr", self.isr);
        visit("tmr", self.tmr);
        visit("irr", self.irr);
        visit("esr", self.esr);
        visit("esr_pending", self.esr_pending);
        visit("icr_low", self.icr_low);
        visit("icr_high", self.icr_high);
        visit("lvt", self.lvt);
        visit("initial_count", self.initial_count);
        visit("divide", self.divide);
        visit("due", self.due);
        visit("tsc_deadline", self.tsc_deadline);
        visit("lint0_level", self.lint0_level);
        visit("nmi", self.nmi);
    }

    u32 read(Offset at, Wires& wires);
    void write(Offset at, u32 value, Wires& wires);
    Cycles deadline() const;
    void advance(Cycles now, Wires& wires);

    /// A message from the I/O APIC (or an IPI to itself).
    void receive(const InterruptMessage& message, Wires& wires);
    /// The PIC's INTR, wired to LINT0.
    void set_lint0(bool level, Wires& wires);

    /// Where its registers are: MSR 1Bh, which moves them within the 16 MiB that no RAM reaches and no other device but the I/O APIC is in.
    /// Switched off they are nowhere.
    static constexpr u64 page_at_reset = 0xfee00000, no_page = 1;
    u64 page() const { return present() ? apic_base & ~u64{0xfff} : no_page; }
    /// Globally enabled: MSR 1Bh bit 11. Without it the PIC reaches the processor directly.
    bool present() const { return apic_base & 0x800; }
    bool enabled() const { return present() && (svr & 0x100); }
    /// A vector is deliverable now.
    bool interrupt() const;
    /// The PIC's interrupt passes through.
    bool passes_pic() const;
    u8 acknowledge();
    /// LINT0 makes an NMI of the PIC's interrupts.
    bool lint0_is_nmi() const;

    u8 task_priority() const { return tpr >> 4; }
    void set_task_priority(u8 cr8) { tpr = static_cast<u8>(cr8 << 4); }
    bool write_base(u64 value);
    /// The TSC-deadline MSR, in cycles of the counter (TSC minus its offset is the caller's business).
    void write_tsc_deadline(u64 value, Wires& wires);

    /// As firmware leaves it for virtual wire mode: software-enabled, LINT0 = ExtINT, LINT1 = NMI.
    static LocalApic after_firmware();

private:
    bool accepts(const InterruptMessage& message) const;
    void accept(const InterruptMessage& message, Wires& wires);
    void raise(u8 vector, bool level, Wires& wires);
    void local_interrupt(Lvt entry, Wires& wires);
    void report_error(u32 bit, Wires& wires);
    void send_ipi(Wires& wires);
    void end_interrupt(Wires& wires);
    u8 processor_priority() const;
    void write_lvt(Lvt entry, u32 value, Wires& wires);
    u64 timer_period() const;
    unsigned timer_mode() const { return lvt[timer] >> 17 & 3; }
    u32 current_count(Cycles now) const;
    void fold_timer(Cycles now);
    void start_timer(Cycles now);
};

static_assert(fields_complete<VectorSet>);
static_assert(fields_complete<LocalApic>);

}  // namespace ramet
