#include "x86/fpu/x87_arith.h"

#include <bit>

namespace ramet::fpu {

void fscale(X87& f) { compute_registers<&host::scale>(f, 0, 1); }

namespace {

struct Parts {
    F80 exponent;
    F80 significand;
};

/// A small integer as a register value.
constexpr F80 from_integer(i32 value) {
    if (value == 0) {
        return zero;
    }
    u64 const magnitude = static_cast<u64>(value < 0 ? -value : value);
    unsigned const shift = static_cast<unsigned>(std::countl_zero(magnitude));
    unsigned const biased = 0x3fff + 63 - shift;
    return {magnitude << shift, static_cast<u16>(biased | (value < 0 ? 0x8000 : 0))};
}

/// Exponent and significand of a nonzero finite value, the significand in [1, 2).
constexpr Parts split(F80 a) {
    unsigned const shift = static_cast<unsigned>(std::countl_zero(a.significand));
    i32 const biased = static_cast<i32>(exponent(a) == 0 ? 1 : exponent(a)) - static_cast<i32>(shift);
    u16 const sign = a.sign_exponent & 0x8000;
    return {from_integer(biased - 0x3fff), {a.significand << shift, static_cast<u16>(sign | 0x3fff)}};
}
static_assert(split({u64{3} << 62, 0x4001}).exponent == F80{u64{1} << 63, 0x4000});

}  // namespace

/// ST(0) = exponent, then push the significand. Zero is ZE with exponent minus infinity.
void fxtract(X87& f) {
    if (is_empty(f, 0) || !is_empty(f, 7)) {
        bool const unmasked = is_empty(f, 0) ? stack_underflow(f) : stack_overflow(f);
        if (!unmasked) {
            set_st(f, 0, indefinite);
            push(f, indefinite);
        }
        return;
    }
    F80 const a = st(f, 0);
    u16 flags = 0;
    Parts parts;
    if (is_unsupported(a)) {
        flags = fsw::IE;
        parts = {indefinite, indefinite};
    } else if (is_nan(a)) {
        flags = is_signaling(a) ? fsw::IE : 0;
        parts = {quiet(a), quiet(a)};
    } else if (is_infinite(a)) {
        parts = {{a.significand, 0x7fff}, a};
    } else if (is_zero(a)) {
        flags = fsw::ZE;
        parts = {{u64{1} << 63, 0xffff}, a};
    } else {
        flags = is_denormal(a) ? fsw::DE : 0;
        parts = split(a);
    }
    if (accept(f, flags)) {
        st(f, 0) = parts.exponent;
        push(f, parts.significand);
    }
}

}  // namespace ramet::fpu
