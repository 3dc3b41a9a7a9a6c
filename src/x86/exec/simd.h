// The driver of SIMD rows: load the operands a row declares, compute a pure operation on vectors, store, then commit flags. The
// destination's store is the last thing that can fault, so a faulting instruction has changed nothing.
//
// What an operation looks like follows from the row:
//   V W U, P Q N, and M     vectors. A source shorter than its register comes zero-extended, from memory; MMX registers are the lower
//                           half. As a destination, memory takes the low bytes of the result.
//   E G R                   integers, of the size the row says; "y" is u32, or u64 with REX.W.
//   I                       u8.
//   a destination           its old value is the first argument, whether read or not: operation(a, b…). An integer destination passes
//                           it only to operations that want it, where it tells the width: operation(b…) or operation(T old, b…).
//   implicit XMM0           operations of three vectors receive it last.
//   first operand read only the result is Flags: a comparison.
// Size x is aligned to 16 bytes or #GP; u is not. Rows with sse_fp run under the guest's MXCSR (fpu/environment.h).
//
// Order of faults: #UD and #NM for the unit, #MF for what is pending (MMX), those of memory, then #XM.
// Tests: the vectors of groups mmx, sse_… and aes_pclmul.
#pragma once

#include "x86/exec/driver.h"
#include "x86/fpu/sse_extended.h"
#include "x86/fpu/sse_unbounded.h"
#include "x86/fpu/x87_image.h"

namespace ramet::exec {

// Availability of the units (APM volume 2, "CR0 Register" and table 8-5) ----------------------------------------------------

inline Fault sse_available(const Core& core) {
    if ((core.cpu.cr0 & cr0::EM) || !(core.cpu.cr4 & cr4::OSFXSR)) return fault::ud();
    return core.cpu.cr0 & cr0::TS ? fault::nm() : no_fault;
}
inline Fault mmx_available(const Core& core) {
    if (core.cpu.cr0 & cr0::EM) return fault::ud();
    if (core.cpu.cr0 & cr0::TS) return fault::nm();
    return fpu::is_pending(core.cpu.x87) ? fault::mf() : no_fault;
}
template <u32 Traits>
Fault available(const Core& core) {
    if constexpr ((Traits & isa::sse) != 0) TRY(sse_available(core));
    if constexpr ((Traits & isa::mmx) != 0) TRY(mmx_available(core));
    return no_fault;
}

// Operands ------------------------------------------------------------------------------------------------------------------

constexpr bool is_mmx(Kind k) { return k == Kind::P || k == Kind::Q || k == Kind::N; }
constexpr bool is_vector(Kind k) { return is_mmx(k) || k == Kind::V || k == Kind::W || k == Kind::U || k == Kind::M; }

/// Bytes in memory.
constexpr unsigned vector_size(Size s) {
    switch (s) {
    case Size::b: return 1;
    case Size::w: return 2;
    case Size::d: return 4;
    case Size::q: return 8;
    default: return 16;
    }
}

/// The linear address of a vector in memory. Misalignment of size x comes before every other fault of the access.
template <Operand O>
Result<u64> vector_address(Core& core, const Insn& insn, AccessType type) {
    u64 const offset = effective_address(core, insn);
    if constexpr (O.size == Size::x) {
        bool const has_base = !core.code64() || insn.segment >= FS;
        u64 const base = has_base ? core.cpu.seg[insn.segment].base : 0;
        if ((base + offset) & 15) return fault::gp();
    }
    u64 const linear = TRY(linear_address(core, insn.segment, offset, vector_size(O.size), type));
    if constexpr (O.size == Size::u) TRY(check_alignment(core, linear, 16));
    return linear;
}

template <Operand O>
Result<V128> load_vector(Core& core, const Insn& insn) {
    u64 const linear = TRY(vector_address<O>(core, insn, AccessType::read));
    constexpr unsigned size = vector_size(O.size);
    if constexpr (size == 16) return load_linear<V128>(core, linear, core.context);
    else if constexpr (size == 8) return V128{TRY(load_linear<u64>(core, linear, core.context)), 0};
    else if constexpr (size == 4) return V128{TRY(load_linear<u32>(core, linear, core.context)), 0};
    else if constexpr (size == 2) return V128{TRY(load_linear<u16>(core, linear, core.context)), 0};
    else return V128{TRY(load_linear<u8>(core, linear, core.context)), 0};
}
template <Operand O>
Fault store_vector(Core& core, const Insn& insn, V128 value) {
    u64 const linear = TRY(vector_address<O>(core, insn, AccessType::write));
    constexpr unsigned size = vector_size(O.size);
    if constexpr (size == 16) return store_linear<V128>(core, linear, value, core.context);
    else if constexpr (size == 8) return store_linear<u64>(core, linear, value.lo, core.context);
    else if constexpr (size == 4) return store_linear<u32>(core, linear, static_cast<u32>(value.lo), core.context);
    else if constexpr (size == 2) return store_linear<u16>(core, linear, static_cast<u16>(value.lo), core.context);
    else return store_linear<u8>(core, linear, static_cast<u8>(value.lo), core.context);
}

inline V128 mm(const Core& core, unsigned n) { return {core.cpu.x87.st[n & 7].significand, 0}; }

template <Operand O>
Result<V128> read_vector(Core& core, const Insn& insn) {
    if constexpr (O.kind == Kind::V) return core.cpu.xmm[insn.reg()];
    else if constexpr (O.kind == Kind::U) return core.cpu.xmm[insn.rm()];
    else if constexpr (O.kind == Kind::P) return mm(core, insn.reg());
    else if constexpr (O.kind == Kind::N) return mm(core, insn.rm());
    else if constexpr (O.kind == Kind::W) return insn.memory() ? load_vector<O>(core, insn) : Result<V128>(core.cpu.xmm[insn.rm()]);
    else if constexpr (O.kind == Kind::Q) return insn.memory() ? load_vector<O>(core, insn) : Result<V128>(mm(core, insn.rm()));
    else return load_vector<O>(core, insn);
}
template <Operand O>
Fault write_vector(Core& core, const Insn& insn, V128 value) {
    constexpr bool may_be_memory = O.kind == Kind::W || O.kind == Kind::Q || O.kind == Kind::M;
    if constexpr (may_be_memory)
        if (insn.memory()) return store_vector<O>(core, insn, value);
    if constexpr (O.kind == Kind::V) core.cpu.xmm[insn.reg()] = value;
    else if constexpr (O.kind == Kind::P) fpu::set_mm(core.cpu.x87, insn.reg() & 7, value.lo);
    else if constexpr (is_mmx(O.kind)) fpu::set_mm(core.cpu.x87, insn.rm() & 7, value.lo);
    else core.cpu.xmm[insn.rm()] = value;
    return no_fault;
}

/// A source as the operation receives it.
template <Operand O, class T>
auto read_source(Core& core, const Insn& insn) {
    if constexpr (is_vector(O.kind)) return read_vector<O>(core, insn);
    else if constexpr (O.kind == Kind::I) return Result<u8>(static_cast<u8>(insn.immediate));
    else return read_operand<O, T>(core, insn);
}

// The operation ---------------------------------------------------------------------------------------------------------------

/// Floating point under the guest's MXCSR: directly while every exception is masked, else by attempt(mxcsr, result).
template <u32 Traits, class Compute, class Attempt>
auto run(Core& core, Compute compute, Attempt attempt) -> Result<decltype(compute())> {
    if constexpr ((Traits & isa::sse_fp) != 0) {
        if (fpu::unmasked(core.cpu.mxcsr) != 0) {
            decltype(compute()) r = {};
            if (attempt(core.cpu.mxcsr, r)) return r;
            return core.cpu.cr4 & cr4::OSXMMEXCPT ? fault::xm() : fault::ud();
        }
    }
    return compute();
}

/// An operation that reports after each of its steps.
template <auto Operation>
concept is_staged = requires(fpu::Staged to, V128 v, u8 imm) { Operation(to, v, v, imm); };

/// PE of an operation whose overflow or underflow is reported.
template <auto Operation, class A, class B>
u32 inexact_beyond(u32 mxcsr, A a, B b) {
    using fpu::Unbounded;
    if constexpr (std::is_same_v<A, V128> && std::is_same_v<B, V128>)
        if constexpr (requires { Operation(Unbounded{}, Unbounded{}); }) return Operation(Unbounded{a, mxcsr}, Unbounded{b, mxcsr});
    return fpu::mxcsr::PE;
}

/// operation(a, sources…), operation(sources…) or operation(a, sources…, xmm0), whichever exists.
template <auto Operation, class A, class... Sources>
auto call(const Core& core, A a, Sources... sources) {
    if constexpr (requires { Operation(a, sources...); }) return Operation(a, sources...);
    else if constexpr (requires { Operation(sources...); }) return Operation(sources...);
    else return Operation(a, sources..., core.cpu.xmm[0]);
}

inline u64 low_bits(V128 v) { return v.lo; }
inline u64 low_bits(u64 v) { return v; }

/// Where the result goes. The last step, and the only one that changes anything.
template <Operand O, class T, class R>
Fault write_result(Core& core, const Insn& insn, R result) {
    if constexpr (std::is_same_v<R, Flags>) core.set_flags(result);
    else if constexpr (!is_vector(O.kind)) return write_operand<O, T>(core, insn, static_cast<TypeOf<O, T>>(low_bits(result)));
    else if constexpr (std::is_same_v<R, V128>) return write_vector<O>(core, insn, result);
    else return write_vector<O>(core, insn, V128{result, 0});
    return no_fault;
}

/// A destination's old value: read only where it is needed, so that a store does not load.
template <Operand O, class T>
auto read_old(Core& core, const Insn& insn) {
    if constexpr (O.access != Access::w) return read_source<O, T>(core, insn);
    else if constexpr (is_vector(O.kind)) return Result<V128>(V128{});
    else return Result<TypeOf<O, T>>(TypeOf<O, T>{});
}

/// One row, where T is the type of operands of size y.
template <isa::Operands O, u32 Traits, auto Operation, class T>
Fault drive_simd(Core& core, const Insn& insn) {
    static_assert(O.count == 2 || O.count == 3);
    TRY(available<Traits>(core));
    auto const a = TRY((read_old<O.list[0], T>(core, insn)));
    auto const b = TRY((read_source<O.list[1], T>(core, insn)));
    // With floating point the registers become MMX's before an #XM is found.
    if constexpr ((Traits & isa::mmx) != 0 && (Traits & isa::sse_fp) != 0) fpu::enter_mmx(core.cpu.x87);
    u8 const imm = static_cast<u8>(insn.immediate);
    auto const compute = [&] {
        if constexpr (O.count == 3) return call<Operation>(core, a, b, imm);
        else return call<Operation>(core, a, b);
    };
    auto const attempt = [&](u32& mxcsr, auto& r) {
        if constexpr (is_staged<Operation>) return Operation(fpu::Staged{mxcsr, r}, a, b, imm);
        else return fpu::checked(mxcsr, compute, [&](u32 control) { return inexact_beyond<Operation>(control, a, b); }, r);
    };
    auto const result = TRY((run<Traits>(core, compute, attempt)));
    TRY((write_result<O.list[0], T>(core, insn, result)));
    if constexpr ((Traits & isa::mmx) != 0) fpu::enter_mmx(core.cpu.x87);
    return no_fault;
}

/// Shifts of a register by an immediate have the destination in r/m and no second register.
template <isa::Operands O, u32 Traits, auto Operation>
constexpr ExecSet simd() {
    constexpr Exec narrow = &drive_simd<O, Traits, Operation, u32>;
    return {narrow, narrow, narrow, &drive_simd<O, Traits, Operation, u64>};
}

}  // namespace ramet::exec
