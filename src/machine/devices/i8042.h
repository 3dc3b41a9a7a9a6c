// The 8042 keyboard controller with a keyboard, as far as operating systems probe it (IBM PS/2 Technical Reference, "Keyboard and
// Auxiliary Device Controller").
//
// Offsets: 0 data (60h) · 1 status and command (64h). 8-bit accesses; IRQ1. Answers come at once.
// Pulsing output bit 0 (command FEh, or a write to the output port) resets the PC. A20 is always on.
// Not modelled: a mouse (the auxiliary port reports a fault, so that guests give up on it without time-outs), keys.
// Tests: tests/machine/i8042_test.cpp.
#pragma once

#include "base/ring.h"
#include "machine/wires.h"

namespace ramet {

struct I8042 {
    /// What the next byte written to the data port means.
    enum class Expect : u8 { keyboard, command_byte, output_port, keyboard_buffer, mouse_buffer, mouse, keyboard_argument };

    u8 command_byte = 0x61;  // interrupt on, keyboard on, translation, mouse off
    u8 output_port = 0x03;   // not reset, A20 on
    bool last_was_command = false;
    bool scanning = true;
    Expect expect = Expect::keyboard;
    u8 keyboard_command = 0;  // the one that waits for its argument
    u8 last_data = 0;
    Ring<u8, 16> answers = {};

    static constexpr void fields(auto& self, auto& visit) {
        visit("command_byte", self.command_byte);
        visit("output_port", self.output_port);
        visit("last_was_command", self.last_was_command);
        visit("scanning", self.scanning);
        visit("expect", self.expect);
        visit("keyboard_command", self.keyboard_command);
        visit("last_data", self.last_data);
        visit("answers", self.answers);
    }

    u32 read(Offset at, Wires& wires);
    void write(Offset at, u32 value, Wires& wires);

private:
    void answer(u8 byte, Wires& wires);
    void command(u8 value, Wires& wires);
    void data(u8 value, Wires& wires);
    void keyboard(u8 value, Wires& wires);
};

static_assert(fields_complete<I8042>);

}  // namespace ramet
