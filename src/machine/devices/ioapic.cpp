#include "machine/devices/ioapic.h"

#include <algorithm>

namespace ramet {

namespace {

constexpr u64 masked = 0x10000;
constexpr u64 level_triggered = 0x8000;
constexpr u64 remote_irr = 0x4000;
constexpr u64 read_only = 0x5000;  // delivery status, remote IRR
constexpr u64 writable = 0xff00'0000'0001'ffff & ~read_only;
constexpr u32 version = 0x00170020;  // 24 entries, version 20h

bool sends_nmi(u64 entry) { return (entry >> 8 & 7) == 4; }
/// NMIs are edges, whatever the entry says (datasheet, 3.2.4).
bool by_level(u64 entry) { return (entry & level_triggered) && !sends_nmi(entry); }

}  // namespace

void IoApic::service(unsigned pin, Wires& wires) {
    u64& entry = redirection[pin];
    u32 const bit = 1U << pin;
    if (entry & masked) return;
    if (by_level(entry)) {
        if (!(lines & bit) || (entry & remote_irr)) return;
        entry |= remote_irr;
    } else {
        if (!(waiting & bit)) return;
        waiting &= ~bit;
    }
    wires.send_interrupt({.vector = static_cast<u8>(entry),
                          .delivery_mode = static_cast<u8>(entry >> 8 & 7),
                          .destination = static_cast<u8>(entry >> 56),
                          .logical = (entry & 0x800) != 0,
                          .level = by_level(entry)});
}

void IoApic::set_pin(unsigned pin, bool level, Wires& wires) {
    if (pin >= pin_count) return;
    u32 const bit = 1U << pin;
    bool const rising = level && !(lines & bit);
    lines = level ? lines | bit : lines & ~bit;
    if (!rising) return;
    if (!by_level(redirection[pin]) && !(redirection[pin] & masked)) waiting |= bit;
    service(pin, wires);
}

void IoApic::end_of_interrupt(u8 vector, Wires& wires) {
    for (unsigned pin = 0; pin < pin_count; ++pin) {
        u64& entry = redirection[pin];
        if (!(entry & level_triggered) || static_cast<u8>(entry) != vector) continue;
        entry &= ~remote_irr;
        service(pin, wires);
    }
}

bool IoApic::sends_nmi() const {
    return std::ranges::any_of(redirection, [](u64 entry) { return !(entry & masked) && ramet::sends_nmi(entry); });
}

u32 IoApic::read_register() const {
    switch (select) {
    case 0:
    case 2: return id;
    case 1: return version;
    default: break;
    }
    unsigned const pin = (select - 16U) / 2;
    if (select < 16 || pin >= pin_count) return 0;
    return static_cast<u32>(redirection[pin] >> (select & 1 ? 32 : 0));
}

void IoApic::write_register(u32 value, Wires& wires) {
    if (select == 0) id = value & 0x0f000000;
    unsigned const pin = (select - 16U) / 2;
    if (select < 16 || pin >= pin_count) return;
    u64& entry = redirection[pin];
    u64 const wanted = select & 1 ? (entry & 0xffff'ffff) | u64{value} << 32 : (entry & ~u64{0xffff'ffff}) | value;
    entry = (wanted & writable) | (entry & read_only);
    if (!(entry & level_triggered)) entry &= ~remote_irr;
    service(pin, wires);
}

u32 IoApic::read(Offset at, Wires& wires) {
    switch (at.value) {
    case 0: return select;
    case 0x10: return read_register();
    default: return wires.unmapped_read(at);
    }
}

void IoApic::write(Offset at, u32 value, Wires& wires) {
    switch (at.value) {
    case 0: select = static_cast<u8>(value); return;
    case 0x10: write_register(value, wires); return;
    case 0x40: end_of_interrupt(static_cast<u8>(value), wires); return;
    default: wires.unmapped_write(at); return;
    }
}

}  // namespace ramet
