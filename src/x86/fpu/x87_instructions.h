// The x87 instructions as the instruction table names them: functions of the unit and an operand, which is a value from memory, the
// number of a stack register, or a reference to what is to be stored (true: store it). What they are made of: x87_arith.h,
// x87_transfer.h, x87_compare.h, x87_remainder.h, x87_transcendental.h. Who fetches and stores operands: x86/exec/x87.h.
#pragma once

#include "x86/fpu/x87_arith.h"
#include "x86/fpu/x87_compare.h"
#include "x86/fpu/x87_remainder.h"
#include "x86/fpu/x87_transcendental.h"
#include "x86/fpu/x87_transfer.h"

namespace ramet::fpu::x87 {

template <class T>
concept Real = std::same_as<T, Single> || std::same_as<T, Double>;
template <class T>
concept Integer = std::same_as<T, i16> || std::same_as<T, i32> || std::same_as<T, i64>;

// Arithmetic: FADD, FIADD, FADDP and their like, by the operation they share.
inline constexpr auto add = [](const X87& f, F80 a, auto b) { return host::add(f, a, b); };
inline constexpr auto subtract = [](const X87& f, F80 a, auto b) { return host::subtract(f, a, b); };
inline constexpr auto subtract_reversed = [](const X87& f, F80 a, auto b) { return host::subtract_reversed(f, a, b); };
inline constexpr auto multiply = [](const X87& f, F80 a, auto b) { return host::multiply(f, a, b); };
inline constexpr auto divide = [](const X87& f, F80 a, auto b) { return host::divide(f, a, b); };
inline constexpr auto divide_reversed = [](const X87& f, F80 a, auto b) { return host::divide_reversed(f, a, b); };

template <auto Operation>
void with_real(X87& f, Real auto b) {
    compute_memory<Operation>(f, b);
}
template <auto Operation>
void with_integer(X87& f, Integer auto b) {
    compute_memory<Operation>(f, b);
}
template <auto Operation>
void with_register(X87& f, unsigned i) {
    compute_registers<Operation>(f, 0, i);
}
template <auto Operation>
void to_register(X87& f, unsigned i) {
    compute_registers<Operation>(f, i, 0);
}
template <auto Operation>
void to_register_pop(X87& f, unsigned i) {
    if (compute_registers<Operation>(f, i, 0)) pop(f);
}

inline void fabs(X87& f) { compute_unary<&absolute>(f); }
inline void fchs(X87& f) { compute_unary<&change_sign>(f); }
inline void fsqrt(X87& f) { compute_unary<&host::square_root>(f); }
inline void frndint(X87& f) { compute_unary<&host::round>(f); }

// Comparisons. Unordered ones (FUCOM) do not report quiet NaNs.
inline constexpr auto compare = [](const X87& f, F80 a, F80 b) { return host::compare(f, a, b); };
inline constexpr auto compare_quietly = [](const X87& f, F80 a, F80 b) { return host::compare_quietly(f, a, b); };

inline void fcom(X87& f, Real auto b) { compare_memory(f, b); }
inline void fcomp(X87& f, Real auto b) {
    if (compare_memory(f, b)) pop(f);
}
inline void ficom(X87& f, Integer auto b) { compare_memory(f, b); }
inline void ficomp(X87& f, Integer auto b) {
    if (compare_memory(f, b)) pop(f);
}
template <auto Compare>
void compare_register(X87& f, unsigned i) {
    compare_registers<Compare>(f, i);
}
template <auto Compare>
void compare_register_pop(X87& f, unsigned i) {
    if (compare_registers<Compare>(f, i)) pop(f);
}
template <auto Compare>
void compare_pop_pop(X87& f) {
    if (compare_registers<Compare>(f, 1)) {
        pop(f);
        pop(f);
    }
}
template <auto Compare>
Flags compare_flags(X87& f, unsigned i, Flags flags) {
    compare_to_flags<Compare>(f, i, flags);
    return flags;
}
template <auto Compare>
Flags compare_flags_pop(X87& f, unsigned i, Flags flags) {
    if (compare_to_flags<Compare>(f, i, flags)) pop(f);
    return flags;
}

// Loads.
inline void fld(X87& f, Real auto b) { load(f, b); }
inline void fld(X87& f, F80 b) { load_extended(f, b); }
inline void fld(X87& f, unsigned i) { load_register(f, i); }
inline void fild(X87& f, Integer auto b) { load(f, b); }
inline void fbld(X87& f, F80 image) { load_decimal(f, image.significand, image.sign_exponent); }
template <unsigned Number>
void constant(X87& f) {
    load_constant(f, Number);
}

// Stores. One that is done may pop.
inline bool popped(X87& f, bool done) {
    if (done) pop(f);
    return done;
}
inline bool fst(X87& f, Real auto& to) { return store(f, to); }
inline bool fstp(X87& f, Real auto& to) { return popped(f, store(f, to)); }
inline bool fstp(X87& f, F80& to) { return popped(f, store_extended(f, to)); }
inline bool fist(X87& f, Integer auto& to) { return store(f, to); }
inline bool fistp(X87& f, Integer auto& to) { return popped(f, store(f, to)); }
inline bool fisttp(X87& f, Integer auto& to) { return popped(f, store_truncated(f, to)); }
inline bool fbstp(X87& f, F80& to) { return popped(f, store_decimal(f, to)); }
inline void fst_register(X87& f, unsigned i) { store_register(f, i); }
inline void fstp_register(X87& f, unsigned i) { popped(f, store_register(f, i)); }
/// The alias D9 /3 does not look for underflow: an empty register is popped, and nothing else.
inline void fstp_unchecked(X87& f, unsigned i) {
    set_c1(f, false);
    if (!is_empty(f, 0)) set_st(f, i, st(f, 0));
    pop(f);
}

// The stack.
inline void fincstp(X87& f) {
    set_c1(f, false);
    set_top(f, f.top() + 1);
}
inline void fdecstp(X87& f) {
    set_c1(f, false);
    set_top(f, f.top() + 7);
}
inline void ffree(X87& f, unsigned i) {
    set_c1(f, false);
    set_empty(f, i);
}
inline void ffreep(X87& f, unsigned i) {
    ffree(f, i);
    pop(f);
}
inline void fnop(X87&) {}

// Conditional moves.
inline void fcmovb(X87& f, unsigned i, Flags flags) { fcmov(f, i, flags.c()); }
inline void fcmove(X87& f, unsigned i, Flags flags) { fcmov(f, i, flags.z()); }
inline void fcmovbe(X87& f, unsigned i, Flags flags) { fcmov(f, i, flags.c() || flags.z()); }
inline void fcmovu(X87& f, unsigned i, Flags flags) { fcmov(f, i, flags.p()); }
inline void fcmovnb(X87& f, unsigned i, Flags flags) { fcmov(f, i, !flags.c()); }
inline void fcmovne(X87& f, unsigned i, Flags flags) { fcmov(f, i, !flags.z()); }
inline void fcmovnbe(X87& f, unsigned i, Flags flags) { fcmov(f, i, !(flags.c() || flags.z())); }
inline void fcmovnu(X87& f, unsigned i, Flags flags) { fcmov(f, i, !flags.p()); }

using fpu::f2xm1;
using fpu::fcos;
using fpu::fpatan;
using fpu::fprem;
using fpu::fprem1;
using fpu::fptan;
using fpu::fscale;
using fpu::fsin;
using fpu::fsincos;
using fpu::ftst;
using fpu::fxam;
using fpu::fxch;
using fpu::fxtract;
using fpu::fyl2x;
using fpu::fyl2xp1;

}  // namespace ramet::fpu::x87
