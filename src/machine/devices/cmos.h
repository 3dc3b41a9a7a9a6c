// The real-time clock and CMOS memory, MC146818 (Motorola datasheet, "Registers"; the PC's use of the memory as firmware has it).
//
// Offsets: 0 index (bit 7 masks NMI, ignored) · 1 data. 8-bit accesses; IRQ8.
// The date is an input at the start; from there on it follows the cycles. Nothing ticks: registers are computed when they are read,
// and only an enabled interrupt is a deadline. While SET or the divider's reset stops the clock, the time registers are plain memory.
// Not modelled: daylight saving, the divider chain's other bases, NMI masking, that the first update comes half a second after the
// divider's reset: seconds are those since power-on.
// Tests: tests/machine/cmos_test.cpp.
#pragma once

#include <array>

#include "base/fields.h"
#include "machine/wires.h"

namespace ramet {

struct Cmos {
    u8 index = 0;
    std::array<u8, 128> ram = {};
    i64 epoch = 1'704'067'200;      // Unix time at cycle 0, as the guest sees it
    Cycles checked;                 // events up to here are in register C
    Cycles next = Cycles::never();  // the next event with its interrupt enabled

    static constexpr void fields(auto& self, auto& visit) {
        visit("index", self.index);
        visit("ram", self.ram);
        visit("epoch", self.epoch);
        visit("checked", self.checked);
        visit("next", self.next);
    }

    u32 read(Offset at, Wires& wires);
    void write(Offset at, u32 value, Wires& wires);
    Cycles deadline() const { return next; }
    void advance(Cycles now, Wires& wires);

    /// As firmware leaves it: 24-hour BCD, the date running from `unix_time`, memory sizes for `low_bytes` of RAM below
    /// 4 GiB and `high_bytes` above.
    static Cmos after_firmware(i64 unix_time, u64 low_bytes, u64 high_bytes);

private:
    u8 read_register(u8 at, Cycles now);
    void write_register(u8 at, u8 value, Cycles now);
    bool divider_held() const { return (ram[0x0a] & 0x60) == 0x60; }
    bool stopped() const { return (ram[0x0b] & 0x80) || divider_held(); }
    i64 unix_time(Cycles now) const;
    void show_time(Cycles now);
    void take_time(Cycles now);
    void collect(Cycles now);
    void schedule();
    u64 period() const;
    Cycles next_alarm(Cycles from) const;
    u8 encode(unsigned value) const;
    unsigned decode(u8 value) const;
    u8 encode_hour(unsigned hour) const;
    unsigned decode_hour(u8 value) const;
};

static_assert(fields_complete<Cmos>);

}  // namespace ramet
