// Ports with hardly any state: ends of a run, a console without a UART, and legacy latches that guests poke.
//
// DebugExit (F4h): QEMU's isa-debug-exit; the exit status is (value << 1) | 1.
// DebugConsole (E9h): Bochs' port; reads E9h, a write is a byte of output.
// Post (80h, 190h): the diagnostic latch, which Linux writes to wait a moment; test ROMs say at either port how far they are.
// TestDevice (E0h, 2000h): what hypervisors' own tests look for; its memory at FF000000h is boot/placement.h's.
// TextCrtc (3D4h): where the cursor of a colour text screen is. There is no screen; consoles that keep one find their place here.
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

/// For test kernels, as QEMU's pc-testdev: offsets 0 to 3 hold what is written to them, those from 4 on are the interrupt lines 0 to 23.
struct TestDevice {
    static constexpr u64 first_line = 4;

    u32 latch = 0;
    static constexpr void fields(auto& self, auto& visit) { visit("latch", self.latch); }
    u32 read(Offset at, unsigned size, Wires& wires) {
        if (at.value >= first_line) return wires.unmapped_read(at);
        return latch >> 8 * at.value & static_cast<u32>((u64{1} << 8 * size) - 1);
    }
    void write(Offset at, unsigned size, u32 value, Wires& wires) {
        if (at.value >= first_line) return wires.line(static_cast<unsigned>(at.value - first_line), value != 0);
        u64 const mask = ((u64{1} << 8 * size) - 1) << 8 * at.value;
        latch = static_cast<u32>((latch & ~mask) | (u64{value} << 8 * at.value & mask));
    }
};

/// The address registers of a 6845: an index, and at it the cursor's address, whose two halves alone can be read (MC6845 datasheet, table 1).
struct TextCrtc {
    static constexpr u8 cursor_high = 14, cursor_low = 15, index_mask = 0x1f;

    u8 index = 0;
    u8 high = 0;
    u8 low = 0;
    static constexpr void fields(auto& self, auto& visit) {
        visit("index", self.index);
        visit("high", self.high);
        visit("low", self.low);
    }
    u32 read(Offset at, Wires& wires) {
        if (at.value == 0) return index;
        if (at.value > 1) return wires.unmapped_read(at);
        return index == cursor_high ? high : index == cursor_low ? low : 0;
    }
    void write(Offset at, u32 value, Wires& wires) {
        if (at.value == 0) index = value & index_mask;
        else if (at.value > 1) wires.unmapped_write(at);
        else if (index == cursor_high) high = value & 0x3f;
        else if (index == cursor_low) low = static_cast<u8>(value);
    }
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
static_assert(fields_complete<TestDevice>);
static_assert(fields_complete<TextCrtc>);
static_assert(fields_complete<Port92>);
static_assert(fields_complete<ResetControl>);

}  // namespace ramet
