// Moves, exchanges, bit strings, multiplication, division and the flag instructions that are no pure operation.
// All commit last: the memory operand is probed for writing before it is read.
#include "x86/cpuid.h"
#include "x86/exec/special.h"
#include "x86/exec/stack.h"
#include "x86/ops/bits.h"
#include "x86/ops/muldiv.h"
#include "x86/ops/crc32.h"

namespace ramet::exec {

/// 90 with REX.B exchanges r8 and rAX; without it, it does nothing.
Fault nop(Core& core, const Insn& insn) {
    if (insn.opcode == 0x90 && (insn.rex & 1) && insn.repeat != 0xf3) return xchg_accumulator<u32>(core, insn);
    return no_fault;
}
Fault ud(Core&, const Insn&) { return fault::ud(); }

template <Word T>
Fault xchg(Core& core, const Insn& insn) {
    Place place;
    T const a = TRY(read_place<T>(core, insn, place));
    T const b = read_gpr<T>(core, insn, insn.reg());
    TRY(write_place<T>(core, insn, place, b));
    write_gpr<T>(core, insn, insn.reg(), a);
    return no_fault;
}

template <Word T>
Fault xchg_accumulator(Core& core, const Insn& insn) {
    if constexpr (sizeof(T) == 4)
        if (insn.operand_size == 8) return xchg_accumulator<u64>(core, insn);
    if constexpr (sizeof(T) == 4)
        if (insn.operand_size == 2) return xchg_accumulator<u16>(core, insn);
    T const a = core.gpr<T>(RAX);
    core.set_gpr<T>(RAX, core.gpr<T>(insn.opcode_reg()));
    core.set_gpr<T>(insn.opcode_reg(), a);
    return no_fault;
}

template <Word T>
Fault xadd(Core& core, const Insn& insn) {
    Place place;
    T const a = TRY(read_place<T>(core, insn, place));
    T const b = read_gpr<T>(core, insn, insn.reg());
    auto const sum = ops::add<T>(a, b, core.flags());
    TRY(write_place<T>(core, insn, place, sum.value));
    if (!place.memory) {
        write_gpr<T>(core, insn, insn.reg(), a);
        write_gpr<T>(core, insn, place.reg, sum.value);
    } else write_gpr<T>(core, insn, insn.reg(), a);
    core.set_flags(sum.flags);
    return no_fault;
}

/// Memory is always written, with its old value when the comparison fails; a register then stays whole, as in AMD's processors.
template <Word T>
Fault cmpxchg(Core& core, const Insn& insn) {
    Place place;
    T const a = TRY(read_place<T>(core, insn, place));
    T const accumulator = core.gpr<T>(RAX);
    auto const difference = ops::sub<T>(accumulator, a, core.flags());
    if (a == accumulator) {
        TRY(write_place<T>(core, insn, place, read_gpr<T>(core, insn, insn.reg())));
    } else {
        if (place.memory) TRY(write_place<T>(core, insn, place, a));
        core.set_gpr<T>(RAX, a);
    }
    core.set_flags(difference.flags);
    return no_fault;
}

/// CMPXCHG8B, and CMPXCHG16B with REX.W (which wants 16-byte alignment).
Fault cmpxchg8b(Core& core, const Insn& insn) {
    bool const wide = insn.operand_size == 8;
    if (wide && !cpuid::has_cmpxchg16b(core)) return fault::ud();
    unsigned const half = wide ? 8 : 4;
    u64 const linear = TRY(linear_address(core, insn.segment, effective_address(core, insn), 2 * half, AccessType::write));
    if (wide && (linear & 15)) return fault::gp();
    TRY(probe_write(core, linear, 2 * half, core.context));
    std::array<u64, 2> old = {};
    if (wide) TRY(read_linear(core, linear, old.data(), 16, core.context));
    else {
        u64 const both = TRY(load_linear<u64>(core, linear, core.context));
        old = {both & 0xffffffff, both >> 32};
    }
    u64 const mask = wide ? ~u64{0} : 0xffffffff;
    auto const reg = [&](unsigned n) { return core.cpu.gpr[n] & mask; };
    bool const equal = old[0] == reg(RAX) && old[1] == reg(RDX);
    std::array<u64, 2> const value = equal ? std::array<u64, 2>{reg(RBX), reg(RCX)} : old;
    if (wide) TRY(write_linear(core, linear, value.data(), 16, core.context));
    else TRY(store_linear<u64>(core, linear, value[0] | value[1] << 32, core.context));
    if (!equal) core.cpu.gpr[RAX] = old[0], core.cpu.gpr[RDX] = old[1];
    core.set_flags(core.flags().z(equal));
    return no_fault;
}

template <Word T>
Fault lea(Core& core, const Insn& insn) {
    core.set_gpr<T>(insn.reg(), static_cast<T>(effective_address(core, insn)));
    return no_fault;
}

/// To a register: zero-extended to the operand size; to memory: always 16 bits.
template <Word T>
Fault mov_from_segment(Core& core, const Insn& insn) {
    if (insn.reg() % 8 > GS) return fault::ud();
    u16 const selector = core.cpu.seg[insn.reg() & 7].selector;
    if (insn.memory()) return write_memory<u16>(core, insn, selector);
    if constexpr (sizeof(T) > 1) core.set_gpr<T>(insn.rm(), selector);
    return no_fault;
}

template <Word T>
Fault mov_from_offset(Core& core, const Insn& insn) {
    core.set_gpr<T>(RAX, TRY(load<T>(core, insn.segment, insn.immediate)));
    return no_fault;
}
template <Word T>
Fault mov_to_offset(Core& core, const Insn& insn) {
    return store<T>(core, insn.segment, insn.immediate, core.gpr<T>(RAX));
}

Fault xlat(Core& core, const Insn& insn) {
    u64 const mask = insn.address_size == 8 ? ~u64{0} : insn.address_size == 4 ? 0xffffffff : 0xffff;
    u64 const at = (core.cpu.gpr[RBX] + core.gpr<u8>(RAX)) & mask;
    core.set_gpr<u8>(RAX, TRY(load<u8>(core, insn.segment, at)));
    return no_fault;
}

/// 32 or 64 bits: a 66 prefix does not make it 16.
template <Word T>
Fault movnti(Core& core, const Insn& insn) {
    if constexpr (sizeof(T) < 4) return movnti<u32>(core, insn);
    return write_memory<T>(core, insn, core.gpr<T>(insn.reg()));
}

template <Word T>
Fault cbw(Core& core, const Insn&) {
    if constexpr (sizeof(T) == 2) core.set_gpr<u16>(RAX, static_cast<u16>(static_cast<i8>(core.gpr<u8>(RAX))));
    if constexpr (sizeof(T) == 4) core.set_gpr<u32>(RAX, static_cast<u32>(static_cast<i16>(core.gpr<u16>(RAX))));
    if constexpr (sizeof(T) == 8) core.set_gpr<u64>(RAX, static_cast<u64>(static_cast<i32>(core.gpr<u32>(RAX))));
    return no_fault;
}
template <Word T>
Fault cwd(Core& core, const Insn&) {
    core.set_gpr<T>(RDX, core.gpr<T>(RAX) & sign_bit<T> ? static_cast<T>(~T{0}) : T{0});
    return no_fault;
}

/// The source is read even when the condition fails; a 32-bit destination is then zero-extended all the same.
template <Word T>
Fault cmovcc(Core& core, const Insn& insn) {
    T const source = TRY(read_rm<T>(core, insn));
    core.set_gpr<T>(insn.reg(), core.lazy.condition(insn.cc()) ? source : core.gpr<T>(insn.reg()));
    return no_fault;
}
Fault setcc(Core& core, const Insn& insn) { return write_rm<u8>(core, insn, core.lazy.condition(insn.cc())); }

namespace {

/// A memory bit string is indexed by the whole signed register: the word it falls into is the operand.
template <Word T, class Operation>
Fault bit_string(Core& core, const Insn& insn, bool writes, Operation operation) {
    T const index = read_gpr<T>(core, insn, insn.reg());
    if (!insn.memory()) {
        auto const r = operation(core.gpr<T>(insn.rm()), index, core.flags());
        if (writes) core.set_gpr<T>(insn.rm(), r.value);
        core.set_flags(r.flags);
        return no_fault;
    }
    i64 const words = static_cast<i64>(static_cast<Signed<T>>(index)) >> std::countr_zero(bits_of<T>);
    u64 const mask = insn.address_size == 8 ? ~u64{0} : insn.address_size == 4 ? 0xffffffff : 0xffff;
    u64 const offset = (effective_address(core, insn) + static_cast<u64>(words) * sizeof(T)) & mask;
    u64 const linear = TRY(linear_address(core, insn.segment, offset, sizeof(T), writes ? AccessType::write : AccessType::read));
    T const a = TRY(writes ? load_to_modify<T>(core, linear) : load_linear<T>(core, linear, core.context));
    auto const r = operation(a, index, core.flags());
    if (writes) TRY(store_linear<T>(core, linear, r.value, core.context));
    core.set_flags(r.flags);
    return no_fault;
}

}  // namespace

template <Word T>
Fault bit_test(Core& core, const Insn& insn) {
    return bit_string<T>(core, insn, false, ops::bt<T>);
}
template <Word T>
Fault bit_test_set(Core& core, const Insn& insn) {
    return bit_string<T>(core, insn, true, ops::bts<T>);
}
template <Word T>
Fault bit_test_reset(Core& core, const Insn& insn) {
    return bit_string<T>(core, insn, true, ops::btr<T>);
}
template <Word T>
Fault bit_test_complement(Core& core, const Insn& insn) {
    return bit_string<T>(core, insn, true, ops::btc<T>);
}

namespace {

/// A scan of zero leaves the whole destination, also the upper half that a 32-bit write would clear (AMD documents it).
template <Word T>
Fault bit_scan(Core& core, const Insn& insn, T (*scan)(T)) {
    T const source = TRY(read_rm<T>(core, insn));
    if (source != 0) core.set_gpr<T>(insn.reg(), scan(source));
    core.set_flags(core.flags().z(source == 0));
    return no_fault;
}

}  // namespace

template <Word T>
Fault bit_scan_forward(Core& core, const Insn& insn) {
    return bit_scan<T>(core, insn, ops::bsf<T>);
}
template <Word T>
Fault bit_scan_reverse(Core& core, const Insn& insn) {
    return bit_scan<T>(core, insn, ops::bsr<T>);
}

namespace {

/// The double-width accumulator: AX for bytes, rDX:rAX else.
template <Word T>
T accumulator_high(const Core& core) {
    if constexpr (sizeof(T) == 1) return static_cast<u8>(core.cpu.gpr[RAX] >> 8);
    else return core.gpr<T>(RDX);
}
template <Word T>
void set_accumulator(Core& core, T low, T high) {
    if constexpr (sizeof(T) == 1) core.set_gpr<u16>(RAX, static_cast<u16>(low | high << 8));
    else {
        core.set_gpr<T>(RAX, low);
        core.set_gpr<T>(RDX, high);
    }
}
template <Word T>
Fault multiply(Core& core, const Insn& insn, ops::Product<T> (*operation)(T, T, Flags)) {
    auto const p = operation(core.gpr<T>(RAX), TRY(read_rm<T>(core, insn)), core.flags());
    set_accumulator<T>(core, p.low, p.high);
    core.set_flags(p.flags);
    return no_fault;
}
template <Word T>
Fault divide(Core& core, const Insn& insn, std::optional<ops::Quotient<T>> (*operation)(T, T, T)) {
    T const divisor = TRY(read_rm<T>(core, insn));
    auto const q = operation(accumulator_high<T>(core), core.gpr<T>(RAX), divisor);
    if (!q) return fault::de();
    set_accumulator<T>(core, q->quotient, q->remainder);
    return no_fault;
}

}  // namespace

template <Word T>
Fault mul(Core& core, const Insn& insn) {
    return multiply<T>(core, insn, ops::mul<T>);
}
template <Word T>
Fault imul(Core& core, const Insn& insn) {
    return multiply<T>(core, insn, ops::imul<T>);
}
template <Word T>
Fault div(Core& core, const Insn& insn) {
    return divide<T>(core, insn, ops::div<T>);
}
template <Word T>
Fault idiv(Core& core, const Insn& insn) {
    return divide<T>(core, insn, ops::idiv<T>);
}

Fault sahf(Core& core, const Insn&) {
    u32 const mask = Flags::all & ~Flags::OF;
    core.set_flags({(core.flags().bits & Flags::OF) | (static_cast<u32>(core.cpu.gpr[RAX] >> 8) & mask)});
    return no_fault;
}
Fault lahf(Core& core, const Insn&) {
    u64 const ah = (core.flags().bits & 0xff) | 2;
    core.cpu.gpr[RAX] = (core.cpu.gpr[RAX] & ~u64{0xff00}) | ah << 8;
    return no_fault;
}
Fault cmc(Core& core, const Insn&) { return core.set_flags(core.flags().c(!core.flags().c())), no_fault; }
Fault clc(Core& core, const Insn&) { return core.set_flags(core.flags().c(false)), no_fault; }
Fault stc(Core& core, const Insn&) { return core.set_flags(core.flags().c(true)), no_fault; }
Fault cld(Core& core, const Insn&) { return core.cpu.rflags &= ~rflags::DF, no_fault; }
Fault std_(Core& core, const Insn&) { return core.cpu.rflags |= rflags::DF, no_fault; }
Fault salc(Core& core, const Insn&) { return core.set_gpr<u8>(RAX, core.flags().c() ? 0xff : 0), no_fault; }

/// splitmix64 of the machine's own generator; CF says that a number was there, the other flags are cleared.
Fault rdrand(Core& core, const Insn& insn) {
    core.rng += 0x9e3779b97f4a7c15;
    u64 z = core.rng;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    z ^= z >> 31;
    switch (insn.operand_size) {
    case 2: core.set_gpr<u16>(insn.rm(), static_cast<u16>(z)); break;
    case 4: core.set_gpr<u32>(insn.rm(), static_cast<u32>(z)); break;
    default: core.set_gpr<u64>(insn.rm(), z); break;
    }
    core.set_flags(Flags{}.c(true));
    return no_fault;
}

template <Word T>
Fault crc32(Core& core, const Insn& insn) {
    u32 const sum = ops::crc32<T>(core.gpr<u32>(insn.reg()), TRY(read_rm<T>(core, insn)));
    core.set_gpr<u32>(insn.reg(), sum);
    return no_fault;
}

INSTANTIATE(xchg)
INSTANTIATE(xchg_accumulator)
INSTANTIATE(xadd)
INSTANTIATE(cmpxchg)
INSTANTIATE(lea)
INSTANTIATE(mov_from_segment)
INSTANTIATE(mov_from_offset)
INSTANTIATE(mov_to_offset)
INSTANTIATE(movnti)
INSTANTIATE(cbw)
INSTANTIATE(cwd)
INSTANTIATE(cmovcc)
INSTANTIATE(bit_test)
INSTANTIATE(bit_test_set)
INSTANTIATE(bit_test_reset)
INSTANTIATE(bit_test_complement)
INSTANTIATE(bit_scan_forward)
INSTANTIATE(bit_scan_reverse)
INSTANTIATE(mul)
INSTANTIATE(imul)
INSTANTIATE(div)
INSTANTIATE(idiv)
INSTANTIATE(crc32)

}  // namespace ramet::exec
