#include "x86/debug.h"

#include <utility>

namespace ramet::debug {

namespace {

enum class Condition : u8 { instruction, write, port, access };

/// One of DR0 to DR3 with what DR7 says of it.
struct Breakpoint {
    u64 address;
    unsigned size;
    Condition condition;
    bool enabled;

    bool meets(u64 first, u64 count) const { return first < address + size && address < first + count; }
};

Breakpoint breakpoint(const Cpu& cpu, unsigned n) {
    constexpr unsigned sizes[] = {1, 2, 8, 4};
    unsigned const control = cpu.dr7 >> (16 + 4 * n) & 15;
    unsigned const size = sizes[control >> 2];
    return {cpu.dr[n] & ~u64{size - 1}, size, static_cast<Condition>(control & 3), (cpu.dr7 >> (2 * n) & 3) != 0};
}

/// Bits of DR6 for those that fulfil a predicate.
template <class Predicate>
u64 matching(const Cpu& cpu, Predicate met) {
    u64 bits = 0;
    if (!(cpu.dr7 & dr7::enabled)) return bits;
    for (unsigned n = 0; n < 4; ++n) {
        Breakpoint const b = breakpoint(cpu, n);
        if (b.enabled && met(b)) bits |= u64{1} << n;
    }
    return bits;
}

bool on_data(const Breakpoint& b) { return b.condition == Condition::write || b.condition == Condition::access; }

}  // namespace

bool watches_data(const Cpu& cpu) { return matching(cpu, on_data) != 0; }

u64 at_instruction(const Cpu& cpu, u64 linear) {
    if (cpu.rflags & rflags::RF) return 0;
    return matching(cpu, [&](const Breakpoint& b) { return b.condition == Condition::instruction && b.meets(linear, 1); });
}

void note_memory(Cpu& cpu, u64 linear, unsigned size, bool write) {
    cpu.pending_debug |= matching(cpu, [&](const Breakpoint& b) { return (write ? on_data(b) : b.condition == Condition::access) && b.meets(linear, size); });
}

void note_port(Cpu& cpu, u16 port, unsigned size) {
    if (!(cpu.cr4 & cr4::DE)) return;
    cpu.pending_debug |= matching(cpu, [&](const Breakpoint& b) { return b.condition == Condition::port && b.meets(port, size); });
}

void record_branch(Cpu& cpu, Transfer transfer) {
    if (cpu.debugctl & debugctl::LBR) cpu.last_branch = transfer;
}

void record_interrupt(Cpu& cpu, Transfer transfer) {
    if (cpu.debugctl & debugctl::LBR) cpu.last_interrupt = std::exchange(cpu.last_branch, transfer);
}

}  // namespace ramet::debug
