#include "machine/devices/pic.h"

namespace ramet {

namespace {

constexpr unsigned cascade_input = 2;

constexpr u8 bit(unsigned n) { return static_cast<u8>(1U << n); }

/// Place of `input` in the priority order: 0 is served first.
constexpr unsigned rank(unsigned input, unsigned highest) { return (input - highest) & 7; }

/// The set bit that comes first in the priority order, or -1.
int first(u8 bits, unsigned highest) {
    for (unsigned i = 0; i < 8; ++i) {
        unsigned const input = (highest + i) & 7;
        if (bits & bit(input)) return static_cast<int>(input);
    }
    return -1;
}

}  // namespace

void PicChip::set_line(unsigned input, bool level) {
    u8 const mask = bit(input);
    bool const rising = level && !(lines & mask);
    lines = static_cast<u8>(level ? lines | mask : lines & ~mask);
    if (elcr & mask)
        irr = static_cast<u8>(level ? irr | mask : irr & ~mask);
    else if (rising)
        irr |= mask;
}

int PicChip::pending() const {
    if (phase != Phase::ready) return -1;
    int const request = first(static_cast<u8>(irr & ~imr), highest);
    if (request < 0) return -1;
    // In special mask mode a masked input in service does not hold back the others.
    int const serving = first(special_mask ? static_cast<u8>(isr & ~imr) : isr, highest);
    if (serving < 0) return request;
    return rank(static_cast<unsigned>(request), highest) < rank(static_cast<unsigned>(serving), highest) ? request : -1;
}

void PicChip::acknowledge(unsigned input) {
    u8 const mask = bit(input);
    if (!(elcr & mask)) irr &= static_cast<u8>(~mask);
    if (!auto_eoi)
        isr |= mask;
    else if (rotate_on_auto_eoi)
        highest = (input + 1) & 7;
}

u8 PicChip::read_command() {
    if (!poll) return read_isr ? isr : irr;
    poll = false;
    int const input = pending();
    if (input < 0) return 0;
    acknowledge(static_cast<unsigned>(input));
    return static_cast<u8>(0x80 | input);
}

void PicChip::write_command(u8 value) {
    if (value & 0x10) {  // ICW1: edge detection restarts, everything but the lines and ELCR is cleared
        PicChip fresh;
        fresh.lines = lines;
        fresh.elcr = elcr;
        fresh.irr = lines & elcr;
        fresh.imr = 0;
        fresh.phase = Phase::icw2;
        fresh.single = value & 2;
        fresh.expects_icw4 = value & 1;
        *this = fresh;
        return;
    }
    if (value & 8) {  // OCW3
        if (value & 2) read_isr = value & 1;
        if (value & 4) poll = true;
        if (value & 0x40) special_mask = value & 0x20;
        return;
    }
    // OCW2: R, SL, EOI in bits 7..5.
    unsigned const level = value & 7;
    bool const rotate = value & 0x80;
    switch (value >> 5) {
    case 0: rotate_on_auto_eoi = false; return;
    case 4: rotate_on_auto_eoi = true; return;
    case 6: highest = (level + 1) & 7; return;
    case 1:
    case 5: {  // non-specific EOI
        int const serving = first(isr, highest);
        if (serving < 0) return;
        isr &= static_cast<u8>(~bit(static_cast<unsigned>(serving)));
        if (rotate) highest = static_cast<u8>((serving + 1) & 7);
        return;
    }
    case 3:
    case 7:  // specific EOI
        isr &= static_cast<u8>(~bit(level));
        if (rotate) highest = static_cast<u8>((level + 1) & 7);
        return;
    default: return;  // 2: no operation
    }
}

void PicChip::write_data(u8 value) {
    switch (phase) {
    case Phase::ready: imr = value; return;
    case Phase::icw2:
        icw2 = value & 0xf8;
        phase = !single ? Phase::icw3 : expects_icw4 ? Phase::icw4 : Phase::ready;
        return;
    case Phase::icw3:  // the wiring of the cascade is fixed
        phase = expects_icw4 ? Phase::icw4 : Phase::ready;
        return;
    case Phase::icw4:
        auto_eoi = value & 2;
        phase = Phase::ready;
        return;
    }
}

u32 Pic::read(Offset at, Wires& wires) {
    u32 value = 0;
    switch (at.value) {
    case 0: value = master.read_command(); break;
    case 1: value = master.imr; break;
    case 2: value = slave.read_command(); break;
    case 3: value = slave.imr; break;
    case 4: value = master.elcr; break;
    case 5: value = slave.elcr; break;
    default: return wires.unmapped_read(at);
    }
    cascade();
    return value;
}

void Pic::write(Offset at, u32 value, Wires& wires) {
    u8 const byte = static_cast<u8>(value);
    switch (at.value) {
    case 0: master.write_command(byte); break;
    case 1: master.write_data(byte); break;
    case 2: slave.write_command(byte); break;
    case 3: slave.write_data(byte); break;
    case 4: master.elcr = byte & 0xf8; break;  // the timer, the keyboard and the cascade are always edge-triggered
    case 5: slave.elcr = byte & 0xde; break;   // so are the clock and the coprocessor
    default: wires.unmapped_write(at); return;
    }
    cascade();
}

void Pic::set_line(unsigned irq, bool level) {
    if (irq < 8) {
        if (irq != cascade_input) master.set_line(irq, level);
        return;
    }
    slave.set_line(irq - 8, level);
    cascade();
}

u8 Pic::acknowledge() {
    int const input = master.pending();
    if (input < 0) return static_cast<u8>(master.icw2 + 7);
    master.acknowledge(static_cast<unsigned>(input));
    if (input != static_cast<int>(cascade_input)) return static_cast<u8>(master.icw2 + input);
    int const second = slave.pending();
    if (second >= 0) slave.acknowledge(static_cast<unsigned>(second));
    // The slave dropped its request; what it has left comes as a new edge.
    master.set_line(cascade_input, false);
    cascade();
    return static_cast<u8>(slave.icw2 + (second < 0 ? 7 : second));
}

void Pic::cascade() { master.set_line(cascade_input, slave.pending() >= 0); }

Pic Pic::after_firmware() {
    Pic pic;
    pic.master.icw2 = 0x08;
    pic.master.imr = static_cast<u8>(~bit(cascade_input));
    pic.slave.icw2 = 0x70;
    return pic;
}

}  // namespace ramet
