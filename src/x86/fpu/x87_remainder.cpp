#include "x86/fpu/x87_remainder.h"

#include <bit>

#include "x86/fpu/x87_arith.h"

namespace ramet::fpu {

namespace {

/// A finite, nonzero value as significand * 2^(exponent - 63), the significand's top bit set.
struct Scaled {
    u64 significand = 0;
    i32 exponent = 0;  // biased; below 1 for denormals
};

constexpr Scaled scaled(F80 a) {
    int const shift = std::countl_zero(a.significand);
    i32 const biased = static_cast<i32>(exponent(a) == 0 ? 1 : exponent(a));
    return {a.significand << shift, biased - shift};
}

/// The value m * 2^(exponent - 63) as a register; exact because no bit lies below the smallest denormal's.
constexpr F80 composed(u64 m, i32 biased, u16 sign) {
    if (m == 0) {
        return {0, sign};
    }
    int const shift = std::countl_zero(m);
    i32 const e = biased - shift;
    if (e >= 1) {
        return {m << shift, static_cast<u16>(sign | e)};
    }
    int const up = shift + e - 1;  // from the value's unit to that of denormals
    return {up >= 0 ? m << up : m >> -up, sign};
}

struct Division {
    u64 remainder = 0;
    u64 quotient = 0;
};

/// a * 2^steps / b, for significands with their top bits set and at most 63 steps.
constexpr Division divide(u64 a, u64 b, u32 steps) {
    u128 const numerator = u128{a} << steps;
    return {static_cast<u64>(numerator % b), static_cast<u64>(numerator / b)};
}

struct Remainder {
    F80 value;
    u16 conditions = 0;
};

constexpr u16 quotient_bits(u64 q) {
    return static_cast<u16>((q & 4 ? fsw::C0 : 0) | (q & 2 ? fsw::C3 : 0) | (q & 1 ? fsw::C1 : 0));
}

/// One step; both finite and nonzero.
Remainder reduce(F80 a, F80 b, bool to_nearest) {
    Scaled const x = scaled(a);
    Scaled const y = scaled(b);
    u16 const sign = a.sign_exponent & 0x8000;
    i32 const distance = x.exponent - y.exponent;
    if (distance < (to_nearest ? -1 : 0)) {
        return {composed(x.significand, x.exponent, sign), 0};
    }
    if (distance >= 64) {
        u32 const steps = 32 + static_cast<u32>(distance) % 32;
        Division const d = divide(x.significand, y.significand, steps);
        return {composed(d.remainder, x.exponent - static_cast<i32>(steps), sign), fsw::C2};
    }
    if (distance == -1) {  // |a| < |b|, and more than half of it when its significand is larger
        if (x.significand <= y.significand) {
            return {composed(x.significand, x.exponent, sign), 0};
        }
        u64 const rest = static_cast<u64>(u128{y.significand} * 2 - x.significand);
        return {composed(rest, x.exponent, sign ^ 0x8000), quotient_bits(1)};
    }
    Division const d = divide(x.significand, y.significand, static_cast<u32>(distance));
    u128 const twice = u128{d.remainder} * 2;
    if (to_nearest && (twice > y.significand || (twice == y.significand && (d.quotient & 1)))) {
        return {composed(y.significand - d.remainder, y.exponent, sign ^ 0x8000), quotient_bits(d.quotient + 1)};
    }
    return {composed(d.remainder, y.exponent, sign), quotient_bits(d.quotient)};
}

void remainder(X87& f, bool to_nearest) {
    if (is_empty(f, 0) || is_empty(f, 1)) {
        f.fsw = static_cast<u16>(f.fsw & ~fsw::C2);
        if (!stack_underflow(f)) {
            set_st(f, 0, indefinite);
        }
        return;
    }
    F80 const a = st(f, 0);
    F80 const b = st(f, 1);
    constexpr u16 quotient_kept = fsw::C0 | fsw::C3;
    auto const finish = [&](u16 flags, F80 value, u16 conditions, u16 kept) {
        u16 const before = f.fsw;
        bool const done = accept(f, flags);
        if (done) {
            st(f, 0) = value;
        }
        set_conditions(f, static_cast<u16>(done ? (before & kept) | conditions : before & quotient_kept));
    };
    if (is_nan(a) || is_nan(b) || is_unsupported(a) || is_unsupported(b)) {
        X87 masked = f;
        masked.fcw |= fcw::masks;
        auto const r = host::add(masked, a, b);  // chooses among NaNs as every operation does
        return finish(r.status & (fsw::IE | fsw::DE), r.value, 0, quotient_kept);
    }
    if (is_infinite(a) || is_zero(b)) {
        return finish(fsw::IE, indefinite, 0, quotient_kept);
    }
    u16 const denormal = is_denormal(a) || is_denormal(b) ? fsw::DE : 0;
    if (is_zero(a) || is_infinite(b)) {
        F80 const value = is_zero(a) ? a : composed(scaled(a).significand, scaled(a).exponent, a.sign_exponent & 0x8000);
        return finish(denormal, value, 0, 0);
    }
    Remainder r = reduce(a, b, to_nearest);
    u16 flags = denormal;
    if (is_denormal(r.value) && !(f.fcw & fsw::UE) && !(denormal & ~f.fcw)) {  // unmasked underflow: tiny suffices, and the result is scaled up
        constexpr i32 bias_adjustment = 24576;
        Scaled const tiny = scaled(r.value);
        r.value = composed(tiny.significand, tiny.exponent + bias_adjustment, r.value.sign_exponent & 0x8000);
        flags |= fsw::UE;
    }
    finish(flags, r.value, r.conditions, 0);
}

}  // namespace

void fprem(X87& f) { remainder(f, false); }
void fprem1(X87& f) { remainder(f, true); }

}  // namespace ramet::fpu
