// String instructions. REP is done per iteration: each is a boundary with its own Position, so a fault or a reached limit leaves
// the registers as of the last whole iteration and RIP at the instruction. Chunks within one page only make it faster.
#include <algorithm>
#include <bit>

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
/// `chunk(n)` may do up to n iterations at once and returns how many it did (0: none). It is not asked for one alone: what runs step by step runs `once`,
/// which chunks are held against.
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
        u64 const limit = std::min(count, allowed - done), n = limit > 1 ? chunk(limit) : 0;
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
bool goes_down(const Core& core) { return (core.cpu.rflags & rflags::DF) != 0; }

/// Iterations that stay within the page, the way that DF says.
template <Word T>
u64 room(const Core& core, u64 linear) {
    u64 const offset = linear & (page_size - 1);
    if (!goes_down(core)) return (page_size - offset) / sizeof(T);
    return offset + sizeof(T) > page_size ? 0 : offset / sizeof(T) + 1;
}
bool plain(const Core& core) { return (core.mode_word & mode::flat) && !alignment_checked(core); }
bool plain_up(const Core& core) { return plain(core) && !goes_down(core); }

/// The linear address of a string operand when segments cannot object to a run inside one page.
u64 flat_linear(const Core& core, const Insn& insn, unsigned segment, unsigned n) {
    u64 const offset = core.cpu.gpr[n] & address_mask(insn);
    return core.code64() && segment >= FS ? core.cpu.seg[segment].base + offset : offset;
}
bool flat_segment(const Core& core, const Insn& insn) { return insn.address_size >= 4 && (core.code64() || insn.segment < FS) && insn.segment != CS; }

/// n elements in the order of the iterations, which shows where the two runs overlap: the pattern before the target then repeats.
template <Word T>
void copy_run(u8* target, const u8* source, u64 n, bool down) {
    u64 const back = down ? (n - 1) * sizeof(T) : 0, bytes = n * sizeof(T);
    const u8* const from = source - back;
    u8* const to = target - back;
    if (bool const repeats = down ? to < from && to + bytes > from : to > from && to < from + bytes; !repeats) {
        std::memmove(to, from, bytes);
        return;
    }
    for (u64 i = 0; i < n; ++i) {
        u64 const at = (down ? n - 1 - i : i) * sizeof(T);
        T value;
        std::memcpy(&value, from + at, sizeof(T));
        std::memcpy(to + at, &value, sizeof(T));
    }
}

template <Word T>
T element(const u8* run, u64 i) {
    T value;
    std::memcpy(&value, run + i * sizeof(T), sizeof(T));
    return value;
}
/// The first of n elements for which `found(i)`, or n.
template <class Found>
u64 first(u64 n, Found found) {
    u64 i = 0;
    while (i < n && !found(i)) ++i;
    return i;
}
template <Word T>
u64 first_difference(const u8* a, const u8* b, u64 n) {
    constexpr u64 at_once = sizeof(u64) / sizeof(T);
    u64 i = 0;
    for (; i + at_once <= n; i += at_once) {
        u64 const difference = element<u64>(a, i / at_once) ^ element<u64>(b, i / at_once);
        if (difference != 0) return i + static_cast<u64>(std::countr_zero(difference)) / bits_of<T>;
    }
    return i + first(n - i, [&](u64 k) { return element<T>(a, i + k) != element<T>(b, i + k); });
}
template <Word T>
u64 first_equal(const u8* run, T value, u64 n) {
    if constexpr (sizeof(T) == 1) {
        const void* const at = std::memchr(run, value, n);
        return at == nullptr ? n : static_cast<u64>(static_cast<const u8*>(at) - run);
    } else return first(n, [&](u64 i) { return element<T>(run, i) == value; });
}

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
        u64 const n = std::min({limit, room<T>(core, from), room<T>(core, to)});
        if (n == 0) return 0;
        copy_run<T>(target, source, n, goes_down(core));
        advance(core, insn, RSI, static_cast<i64>(n) * step<T>(core));
        advance(core, insn, RDI, static_cast<i64>(n) * step<T>(core));
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
        if (!plain_up(core) || insn.address_size < 4) return 0;
        u64 const to = flat_linear(core, insn, ES, RDI);
        u8* const target = run_bytes(core, to, true);
        if (target == nullptr) return 0;
        u64 const n = std::min(limit, room<T>(core, to));
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
bool while_equal(const Insn& insn) { return insn.repeat == 0xf3; }
bool compare_goes_on(const Core& core, const Insn& insn) { return core.lazy.z() == while_equal(insn); }

/// Iterations of a run of n when the comparison at `last` ends it; n: none does.
u64 up_to(u64 last, u64 n) { return std::min(last + 1, n); }

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
    auto const chunk = [&](u64 limit) -> u64 {
        if (!plain_up(core) || !flat_segment(core, insn)) return 0;
        u64 const from = flat_linear(core, insn, insn.segment, RSI), to = flat_linear(core, insn, ES, RDI);
        const u8* const a = run_bytes(core, from, false);
        const u8* const b = run_bytes(core, to, false);
        if (a == nullptr || b == nullptr) return 0;
        u64 const most = std::min({limit, room<T>(core, from), room<T>(core, to)});
        if (most == 0) return 0;
        u64 const last = while_equal(insn) ? first_difference<T>(a, b, most) : first(most, [&](u64 i) { return element<T>(a, i) == element<T>(b, i); });
        u64 const n = up_to(last, most);
        core.set_flags(ops::cmp<T>(element<T>(a, n - 1), element<T>(b, n - 1), core.flags()).flags);
        advance(core, insn, RSI, static_cast<i64>(n * sizeof(T)));
        advance(core, insn, RDI, static_cast<i64>(n * sizeof(T)));
        return n;
    };
    return repeat(core, insn, once, [&] { return compare_goes_on(core, insn); }, chunk);
}

template <Word T>
Fault scas(Core& core, const Insn& insn) {
    auto const once = [&]() -> Fault {
        T const b = TRY(read_destination<T>(core, insn));
        core.set_flags(ops::cmp<T>(core.gpr<T>(RAX), b, core.flags()).flags);
        advance(core, insn, RDI, step<T>(core));
        return no_fault;
    };
    auto const chunk = [&](u64 limit) -> u64 {
        if (!plain_up(core) || insn.address_size < 4) return 0;
        u64 const to = flat_linear(core, insn, ES, RDI);
        const u8* const run = run_bytes(core, to, false);
        u64 const most = std::min(limit, room<T>(core, to));
        if (run == nullptr || most == 0) return 0;
        T const a = core.gpr<T>(RAX);
        u64 const n = up_to(while_equal(insn) ? first(most, [&](u64 i) { return element<T>(run, i) != a; }) : first_equal<T>(run, a, most), most);
        core.set_flags(ops::cmp<T>(a, element<T>(run, n - 1), core.flags()).flags);
        advance(core, insn, RDI, static_cast<i64>(n * sizeof(T)));
        return n;
    };
    return repeat(core, insn, once, [&] { return compare_goes_on(core, insn); }, chunk);
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
