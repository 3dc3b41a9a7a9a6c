// The x87 unit's bookkeeping: register stack, tags, exception flags and their masked or unmasked answers.
// AMD64 APM volume 1, chapter 6. Arithmetic itself: x87_host.h; instructions: x87_arith.h, x87_transfer.h, x87_compare.h,
// x87_remainder.h, x87_transcendental.h; memory images: x87_image.h.
//
// Every instruction first checks the stack, then computes, then reports flags. An unmasked IE, DE or ZE leaves operands and stack
// as they were; an unmasked OE, UE or PE comes after the result. Either way ES is set, and the next waiting instruction is
// #MF. Values in registers marked empty stay there, as in hardware.
// Tests: the vectors of groups x87, x87trans and fpstate.
#pragma once

#include "x86/cpu.h"

namespace ramet::fpu {

namespace fsw {
inline constexpr u16 IE = 1, DE = 2, ZE = 4, OE = 8, UE = 0x10, PE = 0x20, SF = 0x40, ES = 0x80;
inline constexpr u16 C0 = 0x100, C1 = 0x200, C2 = 0x400, C3 = 0x4000, B = 0x8000;
inline constexpr u16 exceptions = 0x3f;
inline constexpr u16 conditions = C0 | C1 | C2 | C3;
inline constexpr u16 top = 0x3800;
inline constexpr unsigned top_shift = 11;
inline constexpr u16 before_computing = IE | DE | ZE;
}  // namespace fsw

namespace fcw {
inline constexpr u16 masks = 0x3f;
inline constexpr u16 fninit = 0x37f;
inline constexpr unsigned rounding_shift = 10;
/// Bits that keep what is written; bit 6 always reads as one.
inline constexpr u16 writable = 0x1f3f;
inline constexpr u16 always_one = 0x40;
}  // namespace fcw

/// The answer to an invalid operation: a quiet NaN, negative.
inline constexpr F80 indefinite = {0xc000000000000000, 0xffff};
inline constexpr F80 one = {0x8000000000000000, 0x3fff};
inline constexpr F80 zero = {};

constexpr bool is_negative(F80 a) { return a.sign_exponent & 0x8000; }
constexpr unsigned exponent(F80 a) { return a.sign_exponent & 0x7fff; }
constexpr bool is_zero(F80 a) { return exponent(a) == 0 && a.significand == 0; }
constexpr bool is_infinite(F80 a) { return exponent(a) == 0x7fff && a.significand == u64{1} << 63; }
constexpr bool is_nan(F80 a) { return exponent(a) == 0x7fff && a.significand > u64{1} << 63; }
constexpr bool is_signaling(F80 a) { return is_nan(a) && !(a.significand >> 62 & 1); }
constexpr bool is_denormal(F80 a) { return exponent(a) == 0 && a.significand != 0; }
/// Unnormals, pseudo-infinities and pseudo-NaNs: no valid operand since the 80387.
constexpr bool is_unsupported(F80 a) { return exponent(a) != 0 && !(a.significand >> 63); }
constexpr F80 quiet(F80 a) { return {a.significand | u64{1} << 62, a.sign_exponent}; }
constexpr F80 negated(F80 a) { return {a.significand, static_cast<u16>(a.sign_exponent ^ 0x8000)}; }

constexpr unsigned physical(const X87& f, unsigned i) { return (f.top() + i) & 7; }
constexpr F80& st(X87& f, unsigned i) { return f.st[physical(f, i)]; }
constexpr const F80& st(const X87& f, unsigned i) { return f.st[physical(f, i)]; }
constexpr bool is_empty(const X87& f, unsigned i) { return !(f.ftw >> physical(f, i) & 1); }
constexpr void set_empty(X87& f, unsigned i) { f.ftw = static_cast<u8>(f.ftw & ~(1u << physical(f, i))); }
constexpr void set_st(X87& f, unsigned i, F80 value) {
    st(f, i) = value;
    f.ftw = static_cast<u8>(f.ftw | 1u << physical(f, i));
}
constexpr void set_top(X87& f, unsigned top) {
    f.fsw = static_cast<u16>((f.fsw & ~fsw::top) | (top & 7) << fsw::top_shift);
}
constexpr void pop(X87& f) {
    set_empty(f, 0);
    set_top(f, f.top() + 1);
}
constexpr void push(X87& f, F80 value) {
    set_top(f, f.top() + 7);
    set_st(f, 0, value);
}

/// An exception that the guest has not masked is pending.
constexpr bool is_pending(const X87& f) { return f.fsw & ~f.fcw & fsw::exceptions; }
/// ES and B summarise pending exceptions.
constexpr void summarise(X87& f) {
    u16 const summary = fsw::ES | fsw::B;
    f.fsw = static_cast<u16>(is_pending(f) ? f.fsw | summary : f.fsw & ~summary);
}

constexpr void set_conditions(X87& f, u16 conditions) {
    f.fsw = static_cast<u16>((f.fsw & ~fsw::conditions) | (conditions & fsw::conditions));
}
constexpr void set_c1(X87& f, bool on) { f.fsw = static_cast<u16>((f.fsw & ~fsw::C1) | (on ? fsw::C1 : 0)); }

/// Sets flags; true when one of them is unmasked.
constexpr bool report(X87& f, u16 flags) {
    f.fsw = static_cast<u16>(f.fsw | flags);
    summarise(f);
    return flags & ~f.fcw & fsw::exceptions;
}

/// An empty register was read: true when the guest wants to hear of it.
constexpr bool stack_underflow(X87& f) {
    set_c1(f, false);
    return report(f, fsw::IE | fsw::SF);
}
/// A full register would be pushed upon.
constexpr bool stack_overflow(X87& f) {
    set_c1(f, true);
    return report(f, fsw::IE | fsw::SF);
}

/// push() with its check; what every load ends with. C1 stays clear without overflow.
constexpr void push_checked(X87& f, F80 value) {
    if (!is_empty(f, 7)) {
        if (!stack_overflow(f)) {
            push(f, indefinite);
        }
        return;
    }
    push(f, value);
}

}  // namespace ramet::fpu
