// Operands as a row declares them, resolved at compile time: how each kind is read and written.
// A memory destination that is also read is probed for writing first, so that a fault reports a write and nothing happens twice.
#pragma once

#include "x86/access.h"
#include "x86/isa.h"

namespace ramet::exec {

using isa::Access;
using isa::Kind;
using isa::Operand;
using isa::Size;

/// AH..BH when there is no REX prefix.
inline u8 read_gpr8(const Core& core, const Insn& insn, unsigned n) {
    if (insn.rex == 0 && n >= 4 && n < 8) return static_cast<u8>(core.cpu.gpr[n - 4] >> 8);
    return static_cast<u8>(core.cpu.gpr[n]);
}
inline void write_gpr8(Core& core, const Insn& insn, unsigned n, u8 value) {
    if (insn.rex == 0 && n >= 4 && n < 8) core.cpu.gpr[n - 4] = (core.cpu.gpr[n - 4] & ~u64{0xff00}) | u64{value} << 8;
    else core.set_gpr<u8>(n, value);
}
template <Word T>
T read_gpr(const Core& core, const Insn& insn, unsigned n) {
    if constexpr (sizeof(T) == 1) return read_gpr8(core, insn, n);
    else return core.gpr<T>(n);
}
template <Word T>
void write_gpr(Core& core, const Insn& insn, unsigned n, T value) {
    if constexpr (sizeof(T) == 1) write_gpr8(core, insn, n, value);
    else core.set_gpr<T>(n, value);
}

/// Where an r/m destination lives once it is known to be writable.
struct Place {
    bool memory = false;
    u64 linear = 0;
    unsigned reg = 0;
};

template <Word T>
Result<T> read_memory(Core& core, const Insn& insn) {
    return load<T>(core, insn.segment, effective_address(core, insn));
}
template <Word T>
Fault write_memory(Core& core, const Insn& insn, T value) {
    return store<T>(core, insn.segment, effective_address(core, insn), value);
}
template <Word T>
Result<T> read_rm(Core& core, const Insn& insn) {
    if (insn.memory()) return read_memory<T>(core, insn);
    return read_gpr<T>(core, insn, insn.rm());
}
template <Word T>
Fault write_rm(Core& core, const Insn& insn, T value) {
    if (insn.memory()) return write_memory<T>(core, insn, value);
    write_gpr<T>(core, insn, insn.rm(), value);
    return no_fault;
}

/// Faults as writing a T would; does nothing where the TLB says that it may be written.
template <class T>
Fault probe_store(Core& core, u64 linear) {
    TlbEntry const& e = core.caches->tlb.at(core.context, linear);
    bool const known = e.write_tag == ((linear + sizeof(T) - 1) & ~(page_size - 1));
    return known ? no_fault : probe_write(core, linear, sizeof(T), core.context);
}

/// Reads memory that will be written next at the same linear address.
template <Word T>
Result<T> load_to_modify(Core& core, u64 linear) {
    TRY(probe_store<T>(core, linear));
    return load_linear<T>(core, linear, core.context);
}

/// An r/m operand that is read and then written.
template <Word T>
Result<T> read_place(Core& core, const Insn& insn, Place& place) {
    if (!insn.memory()) {
        place.reg = insn.rm();
        return read_gpr<T>(core, insn, place.reg);
    }
    place.memory = true;
    place.linear = TRY(linear_address(core, insn.segment, effective_address(core, insn), sizeof(T), AccessType::write));
    return load_to_modify<T>(core, place.linear);
}
template <Word T>
Fault write_place(Core& core, const Insn& insn, Place const& place, T value) {
    if (place.memory) return store_linear<T>(core, place.linear, value, core.context);
    write_gpr<T>(core, insn, place.reg, value);
    return no_fault;
}

/// The type of an operand when the operand size is T.
template <Operand O, class T>
struct OperandType {
    static constexpr auto pick() {
        if constexpr (O.size == Size::b) return u8{};
        else if constexpr (O.size == Size::w) return u16{};
        else if constexpr (O.size == Size::d) return u32{};
        else if constexpr (O.size == Size::q) return u64{};
        else return T{};
    }
    using type = decltype(pick());
};
template <Operand O, class T>
using TypeOf = typename OperandType<O, T>::type;

/// Reads a source operand (or a register destination that is read).
template <Operand O, class T>
Result<TypeOf<O, T>> read_operand(Core& core, const Insn& insn) {
    using V = TypeOf<O, T>;
    if constexpr (O.kind == Kind::E) return read_rm<V>(core, insn);
    else if constexpr (O.kind == Kind::M) return read_memory<V>(core, insn);
    else if constexpr (O.kind == Kind::R) return read_gpr<V>(core, insn, insn.rm());
    else if constexpr (O.kind == Kind::G) return read_gpr<V>(core, insn, insn.reg());
    else if constexpr (O.kind == Kind::Z) return read_gpr<V>(core, insn, insn.opcode_reg());
    else if constexpr (O.kind == Kind::AL || O.kind == Kind::eAX) return core.gpr<V>(RAX);
    else if constexpr (O.kind == Kind::CL) return core.gpr<u8>(RCX);
    else if constexpr (O.kind == Kind::one) return u8{1};
    else if constexpr (O.kind == Kind::I) return static_cast<V>(insn.immediate);
    else static_assert(O.kind == Kind::E, "operand kind needs a special function");
}

/// Writes a register destination, or r/m that was not read.
template <Operand O, class T>
Fault write_operand(Core& core, const Insn& insn, TypeOf<O, T> value) {
    using V = TypeOf<O, T>;
    if constexpr (O.kind == Kind::E) return write_rm<V>(core, insn, value);
    else if constexpr (O.kind == Kind::M) return write_memory<V>(core, insn, value);
    else if constexpr (O.kind == Kind::R) write_gpr<V>(core, insn, insn.rm(), value);
    else if constexpr (O.kind == Kind::G) write_gpr<V>(core, insn, insn.reg(), value);
    else if constexpr (O.kind == Kind::Z) write_gpr<V>(core, insn, insn.opcode_reg(), value);
    else if constexpr (O.kind == Kind::AL || O.kind == Kind::eAX) core.set_gpr<V>(RAX, value);
    else static_assert(O.kind == Kind::E, "operand kind needs a special function");
    return no_fault;
}

}  // namespace ramet::exec
