// The driver of x87 rows: a function of x86/fpu/x87_instructions.h, its operand from memory or the register stack, and what the unit
// remembers of its last instruction. AMD64 APM volume 5.
//
// Order of faults: #NM, then #MF for what an earlier instruction left pending, then those of memory. A store probes its place before
// the unit changes, so it is all or nothing. Not modelled: CR0.NE=0, which reports through the interrupt controller; it is #MF, too.
#pragma once

#include "x86/exec/driver.h"
#include "x86/fpu/x87_host.h"

namespace ramet::exec {

inline Fault x87_available(const Core& core) { return core.cpu.cr0 & (cr0::EM | cr0::TS) ? fault::nm() : no_fault; }
inline Fault x87_waiting(const Core& core) {
    TRY(x87_available(core));
    return fpu::is_pending(core.cpu.x87) ? fault::mf() : no_fault;
}

/// Last instruction and operand, for FSTENV and its like. Control instructions leave them.
inline void remember(Core& core, const Insn& insn) {
    X87& f = core.cpu.x87;
    f.fop = static_cast<u16>((insn.opcode & 7) << 8 | insn.modrm);
    f.fip = core.cpu.rip;
    f.fcs = core.cpu.seg[CS].selector;
    if (insn.memory()) {
        f.fdp = effective_address(core, insn);
        f.fds = core.cpu.seg[insn.segment].selector;
    }
}

/// A row's memory operand: real or integer, by what the operation takes.
template <Operand O, auto Operation, template <class> class Argument>
constexpr auto pick_x87_operand() {
    using fpu::Double;
    using fpu::Single;
    constexpr auto takes = []<class T>(T) { return std::is_invocable_v<decltype(Operation), X87&, typename Argument<T>::type>; };
    if constexpr (O.size == Size::t) return F80{};
    else if constexpr (O.size == Size::w) return i16{};
    else if constexpr (O.size == Size::d && takes(Single{})) return Single{};
    else if constexpr (O.size == Size::d) return i32{};
    else if constexpr (takes(Double{})) return Double{};
    else return i64{};
}
template <class T>
struct Passed {
    using type = T;
};
template <class T>
struct Referred {
    using type = T&;
};

template <class T>
constexpr unsigned x87_size = std::is_same_v<T, F80> ? 10 : sizeof(T);

/// Where an operand lies. Ten bytes are eight and two, each with its own check, so that they may wrap around a 16-bit or 32-bit offset.
struct Pieces {
    u64 first = 0, second = 0;
    unsigned first_size = 0;
};
template <unsigned Size>
Result<Pieces> x87_pieces(Core& core, const Insn& insn, AccessType type) {
    u64 const offset = effective_address(core, insn);
    Pieces p;
    p.first_size = std::min(Size, 8u);
    p.first = TRY(linear_address(core, insn.segment, offset, p.first_size, type));
    if constexpr (Size > 8) p.second = TRY(linear_address(core, insn.segment, within_address_size(insn, offset + 8), Size - 8, type));
    return p;
}
inline bool contiguous(Pieces const& p) { return p.second == p.first + p.first_size; }

template <Operand O, auto Operation>
Fault x87_load(Core& core, const Insn& insn) {
    using Value = decltype(pick_x87_operand<O, Operation, Passed>());
    constexpr unsigned size = x87_size<Value>;
    Pieces const p = TRY(x87_pieces<size>(core, insn, AccessType::read));
    Value value;
    auto* const bytes = reinterpret_cast<u8*>(&value);
    if constexpr (size <= 8) value = TRY(load_linear<Value>(core, p.first, core.context));
    else if (contiguous(p)) TRY(read_linear(core, p.first, bytes, size, core.context));
    else {
        TRY(read_linear(core, p.first, bytes, p.first_size, core.context));
        TRY(read_linear(core, p.second, bytes + p.first_size, size - p.first_size, core.context));
    }
    Operation(core.cpu.x87, value);
    return no_fault;
}
template <Operand O, auto Operation>
Fault x87_store(Core& core, const Insn& insn) {
    auto value = pick_x87_operand<O, Operation, Referred>();
    constexpr unsigned size = x87_size<decltype(value)>;
    Pieces const p = TRY(x87_pieces<size>(core, insn, AccessType::write));
    if constexpr (size <= 8) {
        TRY(probe_store<decltype(value)>(core, p.first));
        return Operation(core.cpu.x87, value) ? store_linear(core, p.first, value, core.context) : no_fault;
    }
    bool const whole = contiguous(p);
    TRY(probe_write(core, p.first, whole ? size : p.first_size, core.context));
    if (!whole) TRY(probe_write(core, p.second, size - p.first_size, core.context));
    if (!Operation(core.cpu.x87, value)) return no_fault;
    const auto* const bytes = reinterpret_cast<const u8*>(&value);
    if (whole) return write_linear(core, p.first, bytes, size, core.context);
    TRY(write_linear(core, p.first, bytes, p.first_size, core.context));
    return write_linear(core, p.second, bytes + p.first_size, size - p.first_size, core.context);
}
template <auto Operation>
void x87_register(Core& core, unsigned i) {
    X87& f = core.cpu.x87;
    if constexpr (requires { { Operation(f, i, core.flags()) } -> std::same_as<Flags>; }) core.set_flags(Operation(f, i, core.flags()));
    else if constexpr (requires { Operation(f, i, core.flags()); }) Operation(f, i, core.flags());
    else Operation(f, i);
}

template <isa::Operands O, auto Operation>
Fault drive_x87(Core& core, const Insn& insn) {
    constexpr Operand operand = O.list[0];
    TRY(x87_waiting(core));
    if constexpr (O.count == 0) Operation(core.cpu.x87);
    else if constexpr (operand.kind == Kind::ST) x87_register<Operation>(core, insn.modrm & 7);
    else if constexpr (operand.access == Access::w) TRY((x87_store<operand, Operation>(core, insn)));
    else TRY((x87_load<operand, Operation>(core, insn)));
    remember(core, insn);
    return no_fault;
}

}  // namespace ramet::exec
