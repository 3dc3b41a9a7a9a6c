// The two 8259A interrupt controllers of the PC, with the edge/level registers of the PIIX (Intel 8259A datasheet 231468;
// 82371SB datasheet, ELCR1/ELCR2).
//
// Offsets: 0 master command · 1 master data · 2 slave command · 3 slave data · 4 ELCR1 · 5 ELCR2. 8-bit accesses.
// Edge requests are latched until acknowledged: a line that drops early does not turn into a spurious IR7, which the datasheet
// would have and PC software does not expect. Not modelled: the 8080 call mode, special fully nested mode, buffered mode.
// Tests: tests/machine/pic_test.cpp.
#pragma once

#include <array>

#include "base/fields.h"
#include "machine/wires.h"

namespace ramet {

/// One 8259A.
struct PicChip {
    enum class Phase : u8 { ready, icw2, icw3, icw4 };

    u8 irr = 0;
    u8 isr = 0;
    u8 imr = 0xff;
    u8 lines = 0;  // level of each input
    u8 elcr = 0;   // 1: level-triggered
    u8 icw2 = 0;   // vector of IR0
    u8 highest = 0;  // the input with the highest priority
    Phase phase = Phase::ready;
    bool expects_icw4 = false;
    bool single = false;
    bool auto_eoi = false;
    bool rotate_on_auto_eoi = false;
    bool read_isr = false;
    bool poll = false;
    bool special_mask = false;

    static constexpr void fields(auto& self, auto& visit) {
        visit("irr", self.irr);
        visit("isr", self.isr);
        visit("imr", self.imr);
        visit("lines", self.lines);
        visit("elcr", self.elcr);
        visit("icw2", self.icw2);
        visit("highest", self.highest);
        visit("phase", self.phase);
        visit("expects_icw4", self.expects_icw4);
        visit("single", self.single);
        visit("auto_eoi", self.auto_eoi);
        visit("rotate_on_auto_eoi", self.rotate_on_auto_eoi);
        visit("read_isr", self.read_isr);
        visit("poll", self.poll);
        visit("special_mask", self.special_mask);
    }

    void set_line(unsigned input, bool level);
    /// The input to be served next, or -1: unmasked, requested and above what is in service.
    int pending() const;
    /// INTA: moves `input` into service.
    void acknowledge(unsigned input);

    u8 read_command();
    void write_command(u8 value);
    void write_data(u8 value);
};

struct Pic {
    PicChip master = {};
    PicChip slave = {};

    static constexpr void fields(auto& self, auto& visit) {
        visit("master", self.master);
        visit("slave", self.slave);
    }

    u32 read(Offset at, Wires& wires);
    void write(Offset at, u32 value, Wires& wires);

    void set_line(unsigned irq, bool level);
    /// INTR.
    bool interrupt() const { return master.pending() >= 0; }
    /// INTA: the vector. A request that has gone answers IR7 of the chip that is asked.
    u8 acknowledge();

    /// As a PC's firmware leaves it: vectors 08h and 70h, everything masked but the cascade.
    static Pic after_firmware();

    /// The slave's INTR follows into the master's IR2.
    void cascade();
};

static_assert(fields_complete<PicChip>);
static_assert(fields_complete<Pic>);

}  // namespace ramet
