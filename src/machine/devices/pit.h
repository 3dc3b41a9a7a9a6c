// The 8254 interval timer (Intel datasheet 231164) and system control port B (61h), which holds the gate and output of channel 2.
//
// Offsets: 0..2 counters · 3 control word · 4 port 61h. 8-bit accesses. Channel 0 drives IRQ0; gates 0 and 1 are tied high.
// Nothing is counted: a channel knows the tick its count was loaded at, and its count and output follow from the time. Only
// channel 0's next rising edge is a deadline.
// Not modelled: the one-tick low phase of IRQ0 in modes 2 to 5 (the edge is what the controllers see), speaker sound.
// Tests: tests/machine/pit_test.cpp.
#pragma once

#include <array>

#include "base/fields.h"
#include "machine/wires.h"

namespace ramet {

/// One counter of the 8254.
struct PitChannel {
    enum class Access : u8 { low = 1, high = 2, both = 3 };

    u8 mode = 3;                    // 0..5
    Access access = Access::both;
    bool bcd = false;
    bool gate = true;
    bool loaded = false;            // a count was written since the control word
    bool write_high = false;        // the next byte written is the high one
    bool read_high = false;         // the next byte read is the high one
    bool latched = false;           // latch holds a count not yet read
    bool status_latched = false;
    u8 status = 0;
    u8 low_byte = 0;                // first half of a count being written
    u16 latch = 0;
    u32 count = 0x10000;            // in effect
    u32 next_count = 0;             // modes 2 and 3: takes over when the period ends; 0: none
    u64 start = 0;                  // tick at which the count in effect was loaded or triggered
    u64 held = 0;                   // modes 0 and 4: ticks counted before the gate went low
    bool triggered = false;         // modes 1 and 5: the gate has risen

    static constexpr void fields(auto& self, auto& visit) {
        visit("mode", self.mode);
        visit("access", self.access);
        visit("bcd", self.bcd);
        visit("gate", self.gate);
        visit("loaded", self.loaded);
        visit("write_high", self.write_high);
        visit("read_high", self.read_high);
        visit("latched", self.latched);
        visit("status_latched", self.status_latched);
        visit("status", self.status);
        visit("low_byte", self.low_byte);
        visit("latch", self.latch);
        visit("count", self.count);
        visit("next_count", self.next_count);
        visit("start", self.start);
        visit("held", self.held);
        visit("triggered", self.triggered);
    }

    void control(u8 word, u64 tick);
    /// True when the byte completed a count, which is now loaded.
    bool write(u8 byte, u64 tick);
    u8 read(u64 tick);
    void latch_count(u64 tick);
    void latch_status(u64 tick);
    void set_gate(bool level, u64 tick);

    bool output(u64 tick) const;
    u16 counter(u64 tick) const;
    /// The next tick after `tick` at which the output rises; none: ~0.
    u64 next_rise(u64 tick) const;
    /// Takes over next_count if its time has come.
    void settle(u64 tick);
    bool valid() const { return mode <= 5 && count >= 1 && count <= 0x10000 && next_count <= 0x10000; }

private:
    u64 elapsed(u64 tick) const;
    void load(u16 value, u64 tick);
};

struct Pit {
    std::array<PitChannel, 3> channel = {};
    u8 port61 = 0;                  // bits 0 gate 2, 1 speaker
    Cycles next = Cycles::never();  // channel 0's next rising edge

    static constexpr void fields(auto& self, auto& visit) {
        visit("channel", self.channel);
        visit("port61", self.port61);
        visit("next", self.next);
    }

    u32 read(Offset at, Wires& wires);
    void write(Offset at, u32 value, Wires& wires);
    Cycles deadline() const { return next; }
    void advance(Cycles now, Wires& wires);

    /// As a PC's firmware leaves it: channel 0 ticks at 18.2 Hz, channel 1 refreshes memory.
    static Pit after_firmware();

private:
    void control(u8 word, u64 tick, Wires& wires);
    void schedule(u64 tick);
};

static_assert(fields_complete<PitChannel>);
static_assert(fields_complete<Pit>);

}  // namespace ramet
