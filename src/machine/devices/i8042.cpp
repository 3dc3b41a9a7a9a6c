#include "machine/devices/i8042.h"

namespace ramet {

namespace {

enum : u8 { OBF = 1, SYS = 4, CMD = 8, UNLOCKED = 0x10 };  // status
constexpr u8 interrupt_enabled = 1;
constexpr u8 keyboard_disabled = 0x10;
constexpr u8 acknowledged = 0xfa;

}  // namespace

/// A byte for the data port. One that finds the queue full is lost, as in the real controller.
void I8042::answer(u8 byte, Wires& wires) {
    bool const idle = answers.empty();
    answers.push(byte);
    if (idle && (command_byte & interrupt_enabled)) wires.line(true);
}

u32 I8042::read(Offset at, Wires& wires) {
    if (at.value == 1) return static_cast<u32>((answers.empty() ? 0 : OBF) | (command_byte & SYS) | (last_was_command ? CMD : 0) | UNLOCKED);
    if (at.value != 0) return wires.unmapped_read(at);
    if (answers.empty()) return last_data;
    last_data = answers.pop();
    wires.line(false);
    if (!answers.empty() && (command_byte & interrupt_enabled)) wires.line(true);  // the next one is a new edge
    return last_data;
}

void I8042::write(Offset at, u32 value, Wires& wires) {
    if (at.value > 1) return wires.unmapped_write(at);
    last_was_command = at.value == 1;
    if (last_was_command)
        command(static_cast<u8>(value), wires);
    else
        data(static_cast<u8>(value), wires);
}

void I8042::command(u8 value, Wires& wires) {
    expect = Expect::keyboard;
    switch (value) {
    case 0x20: answer(command_byte, wires); return;
    case 0x60: expect = Expect::command_byte; return;
    case 0xa7: command_byte |= 0x20; return;
    case 0xa8: command_byte &= 0xdf; return;
    case 0xa9: answer(0x02, wires); return;  // auxiliary test: clock stuck high, nothing there
    case 0xaa:
        command_byte |= SYS;
        answer(0x55, wires);
        return;
    case 0xab: answer(0x00, wires); return;
    case 0xad: command_byte |= keyboard_disabled; return;
    case 0xae: command_byte &= static_cast<u8>(~keyboard_disabled); return;
    case 0xc0: answer(0x80, wires); return;  // input port: keyboard not inhibited
    case 0xd0: answer(output_port, wires); return;
    case 0xd1: expect = Expect::output_port; return;
    case 0xd2: expect = Expect::keyboard_buffer; return;
    case 0xd3: expect = Expect::mouse_buffer; return;
    case 0xd4: expect = Expect::mouse; return;
    default: break;
    }
    if (value < 0xf0) return wires.unmapped_write(Offset{value});
    if (!(value & 1)) wires.request(Request::reset);  // F0..FF pulse the output bits that are 0 in the command
}

void I8042::data(u8 value, Wires& wires) {
    Expect const wanted = expect;
    expect = Expect::keyboard;
    switch (wanted) {
    case Expect::command_byte: command_byte = value; return;
    case Expect::output_port:
        output_port = value;
        if (!(value & 1)) wires.request(Request::reset);
        return;
    case Expect::keyboard_buffer:
    case Expect::mouse_buffer: answer(value, wires); return;  // never marked as the mouse's: there is none
    case Expect::mouse: answer(0xfe, wires); return;
    case Expect::keyboard:
    case Expect::keyboard_argument: break;
    }
    if (wanted == Expect::keyboard_argument && value < 0xed) {
        answer(acknowledged, wires);
        if (keyboard_command == 0xf0 && value == 0) answer(0x02, wires);  // which scan code set
        return;
    }
    keyboard(value, wires);
}

void I8042::keyboard(u8 value, Wires& wires) {
    command_byte &= static_cast<u8>(~keyboard_disabled);  // sending to the keyboard enables it
    switch (value) {
    case 0xed:
    case 0xf0:
    case 0xf3:
        keyboard_command = value;
        expect = Expect::keyboard_argument;
        answer(acknowledged, wires);
        return;
    case 0xee: answer(0xee, wires); return;
    case 0xf2:
        answer(acknowledged, wires);
        answer(0xab, wires);
        answer(0x83, wires);
        return;
    case 0xf4:
    case 0xf5:
    case 0xf6:
        scanning = value != 0xf5;
        answer(acknowledged, wires);
        return;
    case 0xff:
        scanning = true;
        answer(acknowledged, wires);
        answer(0xaa, wires);
        return;
    default: answer(0xfe, wires); return;  // resend: not a command
    }
}

}  // namespace ramet
