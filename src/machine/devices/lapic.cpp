#include "machine/devices/lapic.h"

#include <bit>

#include "machine/ticks.h"

namespace ramet {

namespace {

enum Register : u32 {
    ID = 0x20, VERSION = 0x30, TPR = 0x80, APR = 0x90, PPR = 0xa0, EOI = 0xb0, RRD = 0xc0, LDR = 0xd0, DFR = 0xe0, SVR = 0xf0,
    ISR = 0x100, TMR = 0x180, IRR = 0x200, ESR = 0x280, CMCI = 0x2f0, ICR_LOW = 0x300, ICR_HIGH = 0x310, LVT_TIMER = 0x320, LVT_ERROR = 0x370,
    INITIAL_COUNT = 0x380, CURRENT_COUNT = 0x390, DIVIDE = 0x3e0
};

enum : u32 { fixed = 0, lowest = 1, smi = 2, nmi_mode = 4, init = 5, startup = 6, extint = 7 };  // delivery modes

constexpr u32 masked = 0x10000;
constexpr u32 level_triggered = 0x8000;
constexpr u32 version = 0x00050014;  // six LVT entries, version 14h
constexpr u32 send_illegal_vector = 0x20;
constexpr u32 receive_illegal_vector = 0x40;
constexpr u32 illegal_register = 0x80;
constexpr unsigned periodic = 1;
constexpr unsigned tsc_deadline_mode = 2;

u32 delivery_mode(u32 entry) { return entry >> 8 & 7; }

/// Writable bits of each LVT entry: vector, mask, and what the entry has of delivery mode, polarity, trigger and timer mode.
constexpr std::array<u32, LocalApic::lvt_count> lvt_writable = {0x700ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff};

}  // namespace

void VectorSet::set(u8 vector, bool on) {
    u32 const bit = 1U << vector % 32;
    word[vector / 32] = on ? word[vector / 32] | bit : word[vector / 32] & ~bit;
}

int VectorSet::highest() const {
    for (int i = 7; i >= 0; --i)
        if (u32 const w = word[static_cast<std::size_t>(i)]) return 32 * i + 31 - std::countl_zero(w);
    return -1;
}

u8 LocalApic::processor_priority() const {
    int const serving = isr.highest();
    u8 const class_of_isr = static_cast<u8>(serving < 0 ? 0 : serving & 0xf0);
    return (tpr & 0xf0) >= class_of_isr ? tpr : class_of_isr;
}

bool LocalApic::interrupt() const {
    if (!enabled()) return false;
    int const request = irr.highest();
    return request >= 0 && (request & 0xf0) > (processor_priority() & 0xf0);
}

bool LocalApic::passes_pic() const {
    if (!present()) return true;
    return !(lvt[lint0] & masked) && delivery_mode(lvt[lint0]) == extint;
}

bool LocalApic::lint0_is_nmi() const { return enabled() && !(lvt[lint0] & masked) && delivery_mode(lvt[lint0]) == nmi_mode; }

u8 LocalApic::acknowledge() {
    if (!interrupt()) return static_cast<u8>(svr);  // the spurious vector does not enter service
    u8 const vector = static_cast<u8>(irr.highest());
    irr.set(vector, false);
    isr.set(vector, true);
    return vector;
}

void LocalApic::raise(u8 vector, bool level, Wires& wires) {
    if (vector < 16) return report_error(receive_illegal_vector, wires);
    irr.set(vector, true);
    tmr.set(vector, level);
}

bool LocalApic::accepts(const InterruptMessage& message) const {
    if (!message.logical) return message.destination == 0xff || message.destination == id >> 24;
    u8 const mine = static_cast<u8>(ldr >> 24);
    if (dfr >> 28 == 15) return (mine & message.destination) != 0;                                                    // flat model
    return message.destination >> 4 == mine >> 4 ? (mine & message.destination & 15) != 0 : message.destination == 0xff;  // cluster model
}

void LocalApic::receive(const InterruptMessage& message, Wires& wires) {
    if (!accepts(message)) return;
    accept(message, wires);
}

/// NMIs come in when software has disabled the APIC, too (SDM volume 3, 10.4.7.2); their vector means nothing.
void LocalApic::accept(const InterruptMessage& message, Wires& wires) {
    if (message.delivery_mode == nmi_mode) nmi |= present();
    else if (message.delivery_mode > lowest) wires.unmapped_write(Offset{ICR_LOW});
    else if (enabled()) raise(message.vector, message.level, wires);
}

void LocalApic::local_interrupt(Lvt entry, Wires& wires) {
    u32 const value = lvt[entry];
    if ((value & masked) || !enabled()) return;
    if (delivery_mode(value) == fixed) return raise(static_cast<u8>(value), false, wires);
    if (delivery_mode(value) == nmi_mode) nmi = true;
    else if (delivery_mode(value) != extint) wires.unmapped_write(Offset{LVT_TIMER + 16U * entry});
}

void LocalApic::set_lint0(bool level, Wires& wires) {
    bool const rising = level && !lint0_level;
    lint0_level = level;
    if (rising) local_interrupt(lint0, wires);
}

void LocalApic::report_error(u32 bit, Wires& wires) {
    esr_pending |= bit;
    if (bit == receive_illegal_vector && (lvt[error] & 0xff) < 16) return;  // would report itself for ever
    local_interrupt(error, wires);
}

void LocalApic::end_interrupt(Wires& wires) {
    int const serving = isr.highest();
    if (serving < 0) return;
    u8 const vector = static_cast<u8>(serving);
    isr.set(vector, false);
    if (tmr.has(vector)) wires.end_of_interrupt(vector);  // and stays set until the vector comes again (SDM volume 3, 10.8.4)
}

void LocalApic::send_ipi(Wires& wires) {
    constexpr unsigned to_destination = 0;
    constexpr unsigned to_others = 3;
    unsigned const shorthand = icr_low >> 18 & 3;
    InterruptMessage const message{.vector = static_cast<u8>(icr_low),
                                   .delivery_mode = static_cast<u8>(delivery_mode(icr_low)),
                                   .destination = static_cast<u8>(icr_high >> 24),
                                   .logical = (icr_low & 0x800) != 0,
                                   .level = false};
    bool const reaches_self = shorthand == to_destination ? accepts(message) : shorthand != to_others;
    if (!reaches_self) return;  // nobody else is there
    if (message.delivery_mode == init || message.delivery_mode == startup) return;  // start-up of processors that do not exist
    if (message.delivery_mode <= lowest && message.vector < 16) return report_error(send_illegal_vector, wires);
    accept(message, wires);
}

u64 LocalApic::timer_period() const {
    unsigned const code = (divide & 3) | (divide >> 1 & 4);
    u64 const divisor = code == 7 ? 1 : u64{2} << code;
    return u64{initial_count} * divisor;
}

u32 LocalApic::current_count(Cycles now) const {
    if (due == Cycles::never() || due <= now || initial_count == 0) return 0;
    u64 const left = due - now;
    u64 const per_count = timer_period() / initial_count;
    return static_cast<u32>((left + per_count - 1) / per_count);
}

/// Moves a periodic timer past the expiries that nobody saw, and ends a one-shot that has expired.
void LocalApic::fold_timer(Cycles now) {
    if (due > now) return;
    u64 const period = timer_period();
    if (timer_mode() != periodic || period == 0) {
        due = Cycles::never();
        tsc_deadline = 0;
        return;
    }
    due = after(due, ((now - due) / period + 1) * period);
}

void LocalApic::start_timer(Cycles now) {
    u64 const period = timer_period();
    due = period == 0 ? Cycles::never() : after(now, period);
}

Cycles LocalApic::deadline() const { return (lvt[timer] & masked) || !enabled() ? Cycles::never() : due; }

void LocalApic::advance(Cycles now, Wires& wires) {
    if (deadline() > now) return;
    local_interrupt(timer, wires);
    fold_timer(now);
}

void LocalApic::write_tsc_deadline(u64 value, Wires& wires) {
    if (timer_mode() != tsc_deadline_mode) return;
    fold_timer(wires.now());
    tsc_deadline = value;
    due = value == 0 ? Cycles::never() : Cycles{value};  // one in the past fires at once
}

void LocalApic::write_lvt(Lvt entry, u32 value, Wires& wires) {
    u32 const old = lvt[entry];
    if (entry == timer) fold_timer(wires.now());
    lvt[entry] = (value & lvt_writable[entry]) | (svr & 0x100 ? 0 : masked);
    if (entry == timer && ((old ^ value) >> 17 & 3)) {  // another mode: TSC-deadline and the counter do not share their state
        bool const deadline_involved = (old >> 17 & 3) == tsc_deadline_mode || timer_mode() == tsc_deadline_mode;
        if (deadline_involved) {
            due = Cycles::never();
            tsc_deadline = 0;
        }
    }
}

bool LocalApic::write_base(u64 value) {
    constexpr u64 writable = 0xf'ffff'f900 & ~u64{0x400};
    constexpr u64 first_page = 0xfe000000, last_page = 0xfefff000, ioapic_page = 0xfec00000;
    u64 const page = value & ~u64{0xfff};
    if (value & ~writable) return false;
    if (page < first_page || page > last_page || page == ioapic_page) return false;
    bool const was_present = present();
    if (was_present && !(value & 0x800)) *this = LocalApic{};
    apic_base = value | 0x100;
    return true;
}

u32 LocalApic::read(Offset at, Wires& wires) {
    u32 const reg = static_cast<u32>(at.value & 0xff0);
    if (reg >= ISR && reg < TMR) return isr.word[(reg - ISR) / 16];
    if (reg >= TMR && reg < IRR) return tmr.word[(reg - TMR) / 16];
    if (reg >= IRR && reg < ESR) return irr.word[(reg - IRR) / 16];
    if (reg >= LVT_TIMER && reg <= LVT_ERROR) return lvt[(reg - LVT_TIMER) / 16];
    switch (reg) {
    case ID: return id;
    case VERSION: return version;
    case TPR: return tpr;
    case APR:
    case RRD: return 0;
    case PPR: return processor_priority();
    case EOI: return 0;
    case LDR: return ldr;
    case DFR: return dfr;
    case SVR: return svr;
    case ESR: return esr;
    case ICR_LOW: return icr_low;
    case ICR_HIGH: return icr_high;
    case INITIAL_COUNT: return initial_count;
    case CURRENT_COUNT:
        if (timer_mode() == tsc_deadline_mode) return 0;
        if (deadline() == Cycles::never()) fold_timer(wires.now());  // masked: nobody else moves it on
        return current_count(wires.now());
    case DIVIDE: return divide;
    default: break;
    }
    report_error(illegal_register, wires);
    wires.unmapped_read(at);
    return 0;
}

void LocalApic::write(Offset at, u32 value, Wires& wires) {
    u32 const reg = static_cast<u32>(at.value & 0xff0);
    if (reg >= LVT_TIMER && reg <= LVT_ERROR) return write_lvt(static_cast<Lvt>((reg - LVT_TIMER) / 16), value, wires);
    switch (reg) {
    case ID: id = value & 0xff000000; return;
    case TPR: tpr = static_cast<u8>(value); return;
    case EOI: end_interrupt(wires); return;
    case LDR: ldr = value & 0xff000000; return;
    case DFR: dfr = value | 0x0fffffff; return;
    case SVR:
        fold_timer(wires.now());
        svr = value & 0x3ff;
        if (!(svr & 0x100))
            for (u32& entry : lvt) entry |= masked;
        return;
    case ESR:
        esr = esr_pending;
        esr_pending = 0;
        return;
    case ICR_LOW:
        icr_low = value & 0xccfff;
        send_ipi(wires);
        return;
    case ICR_HIGH: icr_high = value & 0xff000000; return;
    case INITIAL_COUNT:
        if (timer_mode() == tsc_deadline_mode) return;
        initial_count = value;
        start_timer(wires.now());
        return;
    case DIVIDE:
        fold_timer(wires.now());
        divide = value & 0xb;
        if (due != Cycles::never() && timer_mode() != tsc_deadline_mode) start_timer(wires.now());
        return;
    default: break;
    }
    report_error(illegal_register, wires);
    wires.unmapped_write(at);
}

LocalApic LocalApic::after_firmware() {
    LocalApic apic;
    apic.svr = 0x1ff;
    apic.lvt[lint0] = level_triggered | extint << 8;
    apic.lvt[lint1] = level_triggered | nmi_mode << 8;
    return apic;
}

}  // namespace ramet
