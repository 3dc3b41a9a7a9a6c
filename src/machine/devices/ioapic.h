// The 82093AA I/O APIC (Intel datasheet 290566) with the EOI register of version 20h, 24 pins.
//
// Offsets of the page at FEC00000h: 0 IOREGSEL · 10h IOWIN · 40h EOI. 32-bit accesses. ISA line n is pin n, but IRQ0 is pin 2, as the
// MADT's override says; the board does that.
// Not modelled: polarity (a line that is "on" is on, whichever way it is drawn), delivery of SMI, INIT and ExtINT.
// Tests: tests/machine/ioapic_test.cpp.
#pragma once

#include <array>

#include "base/fields.h"
#include "machine/wires.h"

namespace ramet {

struct IoApic {
    static constexpr unsigned pin_count = 24;

    u8 select = 0;
    u32 id = 0;
    u32 lines = 0;    // level of each pin
    u32 waiting = 0;  // edges not yet sent; one that comes while its pin is masked is lost
    std::array<u64, pin_count> redirection = all_masked();

    static constexpr void fields(auto& self, auto& visit) {
        visit("select", self.select);
        visit("id", self.id);
        visit("lines", self.lines);
        visit("waiting", self.waiting);
        visit("redirection", self.redirection);
    }

    u32 read(Offset at, Wires& wires);
    void write(Offset at, u32 value, Wires& wires);

    void set_pin(unsigned pin, bool level, Wires& wires);
    /// The local APIC ended a level-triggered interrupt with this vector.
    void end_of_interrupt(u8 vector, Wires& wires);
    /// Some pin sends NMIs.
    bool sends_nmi() const;

private:
    static constexpr std::array<u64, pin_count> all_masked() {
        std::array<u64, pin_count> entries = {};
        entries.fill(0x10000);
        return entries;
    }
    void service(unsigned pin, Wires& wires);
    u32 read_register() const;
    void write_register(u32 value, Wires& wires);
};

static_assert(fields_complete<IoApic>);

}  // namespace ramet
