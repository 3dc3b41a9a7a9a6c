// The driver of pure operations: load the operands a row declares, compute, store, then commit the flags. The destination's
// store is the last thing that can fault, so a faulting instruction has changed nothing.
#pragma once

#include "x86/exec/operands.h"

namespace ramet::exec {

template <class R>
struct IsAlu : std::false_type {};
template <Word T>
struct IsAlu<Alu<T>> : std::true_type {};

/// operation(inputs…, flags) or operation(inputs…), whichever exists.
template <class T, auto Operation, class... Inputs>
constexpr auto apply(Flags flags, Inputs... inputs) {
    if constexpr (requires { Operation.template operator()<T>(inputs..., flags); })
        return Operation.template operator()<T>(inputs..., flags);
    else return Operation.template operator()<T>(inputs...);
}

template <isa::Operands O, class T, auto Operation, class... Inputs>
auto call_with_sources(Core& core, const Insn& insn, Inputs... inputs) {
    // inputs: the destination when it is read; the sources follow in the order of the row
    using First = TypeOf<O.list[0], T>;
    using R = decltype([&] {
        if constexpr (O.count == 1) return apply<First, Operation>(Flags{}, inputs...);
        else if constexpr (O.count == 2) return apply<First, Operation>(Flags{}, inputs..., TypeOf<O.list[1], T>{});
        else return apply<First, Operation>(Flags{}, inputs..., TypeOf<O.list[1], T>{}, TypeOf<O.list[2], T>{});
    }());
    if constexpr (O.count == 1) return Result<R>(apply<First, Operation>(core.flags(), inputs...));
    else {
        auto const b = read_operand<O.list[1], T>(core, insn);
        if (b.fault.raised()) return Result<R>(b.fault);
        if constexpr (O.count == 2) return Result<R>(apply<First, Operation>(core.flags(), inputs..., b.value));
        else {
            auto const c = read_operand<O.list[2], T>(core, insn);
            if (c.fault.raised()) return Result<R>(c.fault);
            return Result<R>(apply<First, Operation>(core.flags(), inputs..., b.value, c.value));
        }
    }
}

template <class R>
constexpr auto value_of(R const& r) {
    if constexpr (IsAlu<R>::value) return r.value;
    else return r;
}
template <class R>
void commit_flags(Core& core, R const& r) {
    if constexpr (IsAlu<R>::value) core.set_flags(r.flags);
}

/// One row at operand size T.
template <isa::Operands O, class T, auto Operation>
Fault drive(Core& core, const Insn& insn) {
    constexpr Operand first = O.list[0];
    using V = TypeOf<first, T>;
    if constexpr (first.access == Access::w) {
        auto const r = TRY((call_with_sources<O, T, Operation>(core, insn)));
        TRY((write_operand<first, T>(core, insn, value_of(r))));
        commit_flags(core, r);
    } else if constexpr (first.access == Access::rw && first.kind == Kind::E) {
        Place place;
        V const a = TRY(read_place<V>(core, insn, place));
        auto const r = TRY((call_with_sources<O, T, Operation>(core, insn, a)));
        TRY(write_place<V>(core, insn, place, value_of(r)));
        commit_flags(core, r);
    } else {
        V const a = TRY((read_operand<first, T>(core, insn)));
        auto const r = TRY((call_with_sources<O, T, Operation>(core, insn, a)));
        if constexpr (first.access == Access::rw) TRY((write_operand<first, T>(core, insn, value_of(r))));
        commit_flags(core, r);
    }
    return no_fault;
}

using Exec = Fault (*)(Core&, const Insn&);
/// By operand size: 1 (byte rows), 2, 4, 8 bytes.
using ExecSet = std::array<Exec, 4>;

constexpr bool sized_by_byte(isa::Operands const& o) {
    for (auto const& operand : o.list)
        if (operand.kind != Kind::none && operand.kind != Kind::DX && operand.kind != Kind::CL && operand.kind != Kind::one)
            return operand.size == Size::b;
    return false;
}

/// The driver at every operand size a row can have.
template <isa::Operands O, auto Operation>
constexpr ExecSet drive_all() {
    if constexpr (sized_by_byte(O)) {
        constexpr Exec e = &drive<O, u8, Operation>;
        return {e, e, e, e};
    } else return {&drive<O, u16, Operation>, &drive<O, u16, Operation>, &drive<O, u32, Operation>, &drive<O, u64, Operation>};
}

inline unsigned size_slot(const Insn& insn) { return insn.operand_size == 8 ? 3 : insn.operand_size == 4 ? 2 : 1; }

/// What executes an instruction.
Exec exec_of(const Insn& insn);

}  // namespace ramet::exec
