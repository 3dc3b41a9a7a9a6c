// String instructions. REP is done per iteration: each is a boundary with its own Position, so a fault or a reached limit leaves
// the registers as of the last whole iteration and RIP at the instruction. Chunks within one page only make it faster.
#include <algorithm>

#include "x86/debug.h"
#include "x86/exec/special.h"
#include "x86/exec/stack.h"
#include "x86/ops/alu.h"

namespace ramet::exec {

namespace {

u64 address_mask(const Insn& insn) { return insn.address_size == 8 ? ~u64{0} : insn.address_size == 4 ? 0xffffffff : 0xffff; }

void set_address(Core& core, const Insn& insn, unsigned n, u64 value) {
    if (insn.address_size == 2) core.set_gpr<u16>(n, static_cast<u16>(value));
    else core.cpu.gpr[n] = value & address_mask(insn);
}
void advance(Core& core, const Insn& insn, unsigned n, i64 bytes) {
    set_address(core, insn, n, core.cpu.gpr[n] + static_cast<u64>(bytes));
}
template <Word T>
i64 step(const Core& core) {
    return core.cpu.rflags & rflags::DF ? -static_cast<i64>(sizeof(T)) : static_cast<i64>(sizeof(T));
}

template <Word T>
Result<T> read_source(Core& core, const Insn& insn) {
    return load<T>(core, insn.segment, core.cpu.gpr[RSI] & address_mask(insn));
}
template <Word T>
Result<T> read_destination(Core& core, const Insn& insn) {
    return load<T>(core, ES, core.cpu.gpr[RDI] & address_mask(insn));
}
template <Word T>
Fault write_destination(Core& core, const Insn& insn, T value) {
    return store<T>(core, ES, core.cpu.gpr[RDI] & address_mask(insn), value);
}

/// Not finished: the next boundary is this instruction again, and what is pushed there tells so by RF (APM volume 2, 3.1.6).
void hold(Core& core) {
    core.next_rip = core.cpu.rip;
    core.cpu.rflags |= rflags::RF;
    core.leave = true;
    mode_changed(core);
}

/// Runs `once` as the prefix says. `once` does one iteration and returns a fault; `more` says whether a comparison goes on.
/// `chunk(n)` may do up to n iterations at once and returns how many it did (0: none).
template <class Once, class More, class Chunk>
Fault repeat(Core& core, const Insn& insn, Once once, More more, Chunk chunk) {
    if (insn.repeat == 0) return once();
    u64 count = core.cpu.gpr[RCX] & address_mask(insn);
    if (count == 0) return no_fault;
    bool const traps = (core.cpu.rflags & rflags::TF) || (core.cpu.dr7 & debug::dr7::enabled);  // after any iteration
    u64 const allowed = core.remaining > 0 && !traps ? static_cast<u64>(core.remaining) : 1;
    u64 done = 0;
    Fault f = no_fault;
    while (true) {
        u64 const n = chunk(std::min(count, allowed - done));
        if (n == 0) {
            f = once();
            if (f.raised()) break;
        }
        u64 const taken = n == 0 ? 1 : n;
        count -= taken;
        done += taken;
        set_address(core, insn, RCX, count);
        if (count == 0 || !more()) break;
        if (done == allowed || core.leave) {
            hold(core);
            break;
        }
    }
    // A fault meets the state of the boundary before it, wherever the run was last held; a double fault shows RF.
    if (f.raised() && done > 0) core.cpu.rflags |= rflags::RF;
    // A fault counts only the iterations that retired; the whole instruction counts one by itself.
    u64 const beyond_first = f.raised() ? done : done - 1;
    core.retired_extra += beyond_first;
    return f;
}

u64 no_chunk(u64) { return 0; }
bool always() { return true; }

/// Host bytes of a page-bounded run at a linear address the TLB has, or nullptr.
u8* run_bytes(Core& core, u64 linear, bool write) {
    TlbEntry const& e = core.caches->tlb.at(core.context, linear);
    bool const hit = (write ? e.write_tag : e.read_tag) == (linear & ~(page_size - 1));
    return hit || core.caches->tlb.recall(core.context, linear, write) ? reinterpret_cast<u8*>(linear + e.addend) : nullptr;
}
/// Iterations of size n that stay within the page, going up.
template <Word T>
u64 room(u64 linear) {
    return (page_size - (linear & (page_size - 1))) / sizeof(T);
}
bool plain(const Core& core) { return !(core.cpu.rflags & rflags::DF) && (core.mode_word & mode::flat) && !alignment_checked(core); }

/// The linear address of a string operand when segments cannot object to a run inside one page.
u64 flat_linear(const Core& core, const Insn& insn, unsigned segment, unsigned n) {
    u64 const offset = core.cpu.gpr[n] & address_mask(insn);
    return core.code64() && segment >= FS ? core.cpu.seg[segment].base + offset : offset;
}
bool flat_segment(const Core& core, const Insn& insn) { return insn.address_size >= 4 && (core.code64() || insn.segment < FS) && insn.segment != CS; }

}  // namespace

template <Word T>
Fault movs(Core& core, const Insn& insn) {
    auto const once = [&]() -> Fault {
        T const value = TRY(read_source<T>(core, insn));
        TRY(write_destination<T>(core, insn, value));
        advance(core, insn, RSI, step<T>(core));
        advance(core, insn, RDI, step<T>(core));
        return no_fault;
    };
    auto const chunk = [&](u64 limit) -> u64 {
        if (!plain(core) || !flat_segment(core, insn)) return 0;
        u64 const from = flat_linear(core, insn, insn.segment, RSI), to = flat_linear(core, insn, ES, RDI);
        const u8* const source = run_bytes(core, from, false);
        u8* const target = run_bytes(core, to, true);
        if (source == nullptr || target == nullptr) return 0;
        u64 const n = std::min({limit, room<T>(from), room<T>(to)});
        if (target > source && target < source + n * sizeof(T)) return 0;  // overlapping upwards: replicates
        std::memmove(target, source, n * sizeof(T));
        advance(core, insn, RSI, static_cast<i64>(n * sizeof(T)));
        advance(core, insn, RDI, static_cast<i64>(n * sizeof(T)));
        return n;
    };
    return repeat(core, insn, once, always, chunk);
}

template <Word T>
Fault stos(Core& core, const Insn& insn) {
    auto const once = [&]() -> Fault {
        TRY(write_destination<T>(core, insn, core.gpr<T>(RAX)));
        advance(core, insn, RDI, step<T>(core));
        return no_fault;
    };
    auto const chunk = [&](u64 limit) -> u64 {
        if (!plain(core) || insn.address_size < 4) return 0;
        u64 const to = flat_linear(core, insn, ES, RDI);
        u8* const target = run_bytes(core, to, true);
        if (target == nullptr) return 0;
        u64 const n = std::min(limit, room<T>(to));
        T const value = core.gpr<T>(RAX);
        for (u64 i = 0; i < n; ++i) std::memcpy(target + i * sizeof(T), &value, sizeof(T));
        advance(core, insn, RDI, static_cast<i64>(n * sizeof(T)));
        return n;
    };
    return repeat(core, insn, once, always, chunk);
}

template <Word T>
Fault lods(Core& core, const Insn& insn) {
    auto const once = [&]() -> Fault {
        core.set_gpr<T>(RAX, TRY(read_source<T>(core, insn)));
        advance(core, insn, RSI, step<T>(core));
        return no_fault;
    };
    return repeat(core, insn, once, always, no_chunk);
}

namespace {

/// REPE goes on while ZF is set, REPNE while it is clear.
bool compare_goes_on(const Core& core, const Insn& insn) { return core.lazy.z() == (insn.repeat == 0xf3); }

}  // namespace

template <Word T>
Fault cmps(Core& core, const Insn& insn) {
    auto const once = [&]() -> Fault {
        T const b = TRY(read_destination<T>(core, insn));  // first, as AMD's processors do
        T const a = TRY(read_source<T>(core, insn));
        core.set_flags(ops::cmp<T>(a, b, core.flags()).flags);
        advance(core, insn, RSI, step<T>(core));
        advance(core, insn, RDI, step<T>(core));
        return no_fault;
    };
    return repeat(core, insn, once, [&] { return compare_goes_on(core, insn); }, no_chunk);
}

template <Word T>
Fault scas(Core& core, const Insn& insn) {
    auto const once = [&]() -> Fault {
        T const b = TRY(read_destination<T>(core, insn));
        core.set_flags(ops::cmp<T>(core.gpr<T>(RAX), b, core.flags()).flags);
        advance(core, insn, RDI, step<T>(core));
        return no_fault;
    };
    return repeat(core, insn, once, [&] { return compare_goes_on(core, insn); }, no_chunk);
}

Fault check_port(Core& core, u16 port, unsigned size);

/// The destination is probed before the port is read, so that no device sees a read that is then lost.
template <Word T>
Fault ins(Core& core, const Insn& insn) {
    if constexpr (sizeof(T) <= 4) {
        u16 const port = core.gpr<u16>(RDX);
        TRY(check_port(core, port, sizeof(T)));
        auto const once = [&]() -> Fault {
            u64 const linear = TRY(linear_address(core, ES, core.cpu.gpr[RDI] & address_mask(insn), sizeof(T), AccessType::write));
            TRY(probe_write(core, linear, sizeof(T), core.context));
            core.bus_touched = core.leave = true;
            T const value = static_cast<T>(core.bus->port_read(port, sizeof(T), core.now()));
            debug::note_port(core.cpu, port, sizeof(T));
            TRY(store_linear<T>(core, linear, value, core.context));
            advance(core, insn, RDI, step<T>(core));
            return no_fault;
        };
        return repeat(core, insn, once, always, no_chunk);
    } else return ins<u32>(core, insn);
}

template <Word T>
Fault outs(Core& core, const Insn& insn) {
    if constexpr (sizeof(T) <= 4) {
        u16 const port = core.gpr<u16>(RDX);
        TRY(check_port(core, port, sizeof(T)));
        auto const once = [&]() -> Fault {
            T const value = TRY(read_source<T>(core, insn));
            core.bus_touched = core.leave = true;
            core.bus->port_write(port, sizeof(T), value, core.now());
            debug::note_port(core.cpu, port, sizeof(T));
            advance(core, insn, RSI, step<T>(core));
            return no_fault;
        };
        return repeat(core, insn, once, always, no_chunk);
    } else return outs<u32>(core, insn);
}

INSTANTIATE(movs)
INSTANTIATE(stos)
INSTANTIATE(lods)
INSTANTIATE(cmps)
INSTANTIATE(scas)
INSTANTIATE(ins)
INSTANTIATE(outs)

}  // namespace ramet::exec
