// Stand: an interpreter with a megabyte of memory and no devices, in flat 32-bit protected mode. Exceptions go to handlers
// that are HLT instructions, one each, so that where the CPU stands tells which one it took.
//
// 1000 code, 2000 IDT, 2800 GDT, 3000 handlers (one byte each), 8000 top of the stack.
#pragma once

#include <initializer_list>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "no_bus.h"
#include "x86/core.h"

namespace ramet {

class Stand {
public:
    static constexpr u64 code = 0x1000, idt = 0x2000, gdt = 0x2800, handlers = 0x3000, stack = 0x8000;

    explicit Stand(std::initializer_list<u8> program) : memory(std::make_shared<PagePool>(), {{Frame{0}, 256}}), interpreter(CpuModel::ramet_v2, 0) {
        poke(code, std::vector<u8>(program));
        for (u64 v = 0; v < 256; ++v) poke(handlers + v, {0xf4});
        enter_protected();
        cpu().rip = code;
        cpu().gpr[RSP] = stack;
    }

    Cpu& cpu() { return interpreter.cpu(); }
    void poke(u64 at, const std::vector<u8>& bytes) { memory.copy_in(GuestPhys{at}, bytes); }
    void poke32(u64 at, u32 value) { poke(at, {static_cast<u8>(value), static_cast<u8>(value >> 8), static_cast<u8>(value >> 16), static_cast<u8>(value >> 24)}); }
    u32 peek32(u64 at) {
        std::array<u8, 4> bytes = {};
        memory.copy_out(GuestPhys{at}, bytes);
        return load_le<u32>(bytes.data());
    }
    /// Retires so many instructions; exceptions count none. Stops at a HLT.
    Stop run(u64 instructions) {
        Stop stop = Stop::bus;
        Position const end = interpreter.clock().position + instructions;
        while (stop == Stop::bus) stop = interpreter.run(memory, bus, Cycles::never(), end);
        return stop;
    }
    /// The vector whose handler has been entered, or -1.
    int entered() {
        u64 const at = cpu().rip - (cpu().activity == Activity::halted ? 1 : 0);
        return at >= handlers && at < handlers + 256 ? static_cast<int>(at - handlers) : -1;
    }
    /// The slot n of the 32-bit frame on the stack: EIP, CS, EFLAGS, or with an error code before them.
    u32 frame(unsigned n) { return peek32(cpu().gpr[RSP] + 4 * n); }

    Memory memory;
    Interpreter interpreter;
    NoBus bus;

private:
    void enter_protected() {
        constexpr u16 code_attr = 0xc9b, data_attr = 0xc93;
        cpu().cr0 |= cr0::PE;
        cpu().seg.fill({0x10, data_attr, 0xffffffff, 0});
        cpu().seg[CS] = {8, code_attr, 0xffffffff, 0};
        cpu().gdtr = {gdt, 0x17};
        poke32(gdt + 8, 0x0000ffff), poke32(gdt + 12, 0x00cf9b00);
        poke32(gdt + 16, 0x0000ffff), poke32(gdt + 20, 0x00cf9300);
        cpu().idtr = {idt, 0x7ff};
        for (u32 v = 0; v < 256; ++v) poke32(idt + 8 * v, 0x00080000 | static_cast<u32>(handlers + v)), poke32(idt + 8 * v + 4, 0x00008e00);
    }
};

}  // namespace ramet
