// Ports with hardly any state: ends of a run, a console without a UART, and legacy latches that guests poke.
//
// DebugExit (F4h): QEMU's isa-debug-exit; the exit status is (value << 1) | 1.
// DebugConsole (E9h): Bochs' port; reads E9h, a write is a byte of output.
// Post (80h): the diagnostic latch, which Linux writes to wait a moment.
// Port92: system control port A; bit 0 resets, bit 1 is A20, which is always on.
// ResetControl (CF9h): the PIIX's; setting bit 2 resets. The FADT names it.
// Tests: tests/machine/small_devices_test.cpp.
#pragma once

#include "base/fields.h"
#include "machine/wires.h"

namespace ramet {

struct DebugExit {
    static constexpr void fields(auto&, auto&) {}
    u32 read(Offset, unsigned, Wires&) { return 0; }
    void write(Offset, unsigned, u32 value, Wires& wires) { wires.request(Request::exit, value); }
};

struct DebugConsole {
    static constexpr void fields(auto&, auto&) {}
    u32 read(Offset, Wires&) { return 0xe9; }
    void write(Offset, u32 value, Wires& wires) { wires.output(Channel::debug, static_cast<u8>(value)); }
};

struct Post {
    u8 code = 0;
    static constexpr void fields(auto& self, auto& visit) { visit("code", self.code); }
    u32 read(Offset, Wires&) { return code; }
    void write(Offset, u32 value, Wires&) { code = static_cast<u8>(value); }
};

struct Port92 {
    u8 latch = 2;
    static constexpr void fields(auto& self, auto& visit) { visit("latch", self.latch); }
    u32 read(Offset, Wires&) { return latch; }
    void write(Offset, u32 value, Wires& wires) {
        latch = static_cast<u8>(value & 0xfe) | 2;
        if (value & 1) wires.request(Request::reset);
    }
};

struct ResetControl {
    u8 latch = 0;
    static constexpr void fields(auto& self, auto& visit) { visit("latch", self.latch); }
    u32 read(Offset, Wires&) { return latch; }
    void write(Offset, u32 value, Wires& wires) {
        latch = value & 2;
        if (value & 4) wires.request(Request::reset);
    }
};

static_assert(fields_complete<DebugExit>);
static_assert(fields_complete<DebugConsole>);
static_assert(fields_complete<Post>);
static_assert(fields_complete<Port92>);
static_assert(fields_complete<ResetControl>);

}  // namespace ramet
