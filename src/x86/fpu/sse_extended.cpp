#include "x86/fpu/sse_extended.h"

#include <bit>

#include "x86/fpu/sse_arith.h"
#include "x86/fpu/sse_unbounded.h"
#include "x86/ops/simd_int.h"
#include "x86/ops/simd_move.h"

namespace ramet::fpu {

namespace {

using ops::from_lanes;
using ops::Lanes;
using ops::lanes;

/// The bits of one IEEE 754 format.
template <class T>
struct Format;
template <>
struct Format<u32> {
    static constexpr unsigned fraction_bits = 23;
    static constexpr i32 bias = 127;
    static constexpr i32 exponent_max = 255;
};
template <>
struct Format<u64> {
    static constexpr unsigned fraction_bits = 52;
    static constexpr i32 bias = 1023;
    static constexpr i32 exponent_max = 2047;
};

template <class T>
constexpr T sign_of = T{1} << (sizeof(T) * 8 - 1);
template <class T>
constexpr T fraction_mask = (T{1} << Format<T>::fraction_bits) - 1;
template <class T>
constexpr T quiet_bit = T{1} << (Format<T>::fraction_bits - 1);
template <class T>
constexpr i32 exponent(T x) {
    return static_cast<i32>((x & ~sign_of<T>) >> Format<T>::fraction_bits);
}
template <class T>
constexpr bool is_nan(T x) {
    return exponent(x) == Format<T>::exponent_max && (x & fraction_mask<T>) != 0;
}

// Rounding modes as RC in MXCSR and in the immediate of ROUNDPS.
constexpr unsigned to_nearest = 0, down = 1, up = 2;

/// Must the magnitude grow by one unit? `below`: the discarded bits, `half`: half a unit.
template <class T>
constexpr bool rounds_away(T below, T half, bool odd, bool negative, unsigned mode) {
    if (below == 0) {
        return false;
    }
    switch (mode) {
    case to_nearest: return below > half || (below == half && odd);
    case down: return negative;
    case up: return !negative;
    default: return false;
    }
}

/// x rounded to an integer, and the flags that it raises.
template <class T>
T round_lane(T x, unsigned mode, bool denormals_are_zero, u32& raised) {
    using F = Format<T>;
    i32 const e = exponent(x) - F::bias;
    T const sign = x & sign_of<T>;
    T const magnitude = x ^ sign;
    if (is_nan(x)) {
        raised |= x & quiet_bit<T> ? 0 : mxcsr::IE;
        return x | quiet_bit<T>;
    }
    if (e >= static_cast<i32>(F::fraction_bits)) {
        return x;
    }
    if (magnitude == 0 || (exponent(x) == 0 && denormals_are_zero)) {
        return sign;
    }
    constexpr T one = T{F::bias} << F::fraction_bits;
    if (e < 0) {
        raised |= mxcsr::PE;
        constexpr T half = one - (T{1} << F::fraction_bits);
        return sign | (rounds_away(magnitude, half, false, sign != 0, mode) ? one : 0);
    }
    T const unit = T{1} << (F::fraction_bits - static_cast<unsigned>(e));
    T const below = magnitude & (unit - 1);
    bool const odd = e == 0 || (magnitude & unit) != 0;
    raised |= below != 0 ? mxcsr::PE : 0;
    T const kept = magnitude - below;
    return sign | (rounds_away(below, static_cast<T>(unit / 2), odd, sign != 0, mode) ? kept + unit : kept);
}

template <class T>
V128 round_vector(V128 a, V128 b, u8 imm, std::size_t count) {
    u32 const control = host_mxcsr();
    unsigned const mode = imm & 4 ? control >> 13 & 3 : imm & 3;
    u32 raised = 0;
    auto r = lanes<T>(a);
    auto const x = lanes<T>(b);
    for (std::size_t i = 0; i < count; ++i) {
        r[i] = round_lane<T>(x[i], mode, control & mxcsr::DAZ, raised);
    }
    raise_flags(imm & 8 ? raised & ~mxcsr::PE : raised);
    return from_lanes(r);
}

constexpr V128 even_singles = {0x00000000ffffffff, 0x00000000ffffffff};
constexpr V128 odd_singles = {0xffffffff00000000, 0xffffffff00000000};

/// Lanes 0 and 2 of a, then of b; lanes 1 and 3.
V128 evens(V128 a, V128 b) { return ops::shufps(a, b, 0x88); }
V128 odds(V128 a, V128 b) { return ops::shufps(a, b, 0xdd); }

/// Ones in the lanes whose bit in `bits` is set.
V128 singles_mask(unsigned bits) {
    Lanes<u32> r = {};
    for (unsigned i = 0; i < 4; ++i) {
        r[i] = bits >> i & 1 ? ~u32{0} : 0;
    }
    return from_lanes(r);
}
V128 doubles_mask(unsigned bits) { return {bits & 1 ? ~u64{0} : 0, bits & 2 ? ~u64{0} : 0}; }

/// What RCP and RSQRT do with operands that have no finite, normal reciprocal. True: r is the result.
bool special_reciprocal(u32 x, u32& r) {
    u32 const sign = x & sign_of<u32>;
    constexpr u32 infinity = 0x7f800000;
    if (is_nan(x)) {
        r = x | quiet_bit<u32>;
        return true;
    }
    if (exponent(x) == 0) {
        r = sign | infinity;
        return true;
    }
    if (exponent(x) == 255) {
        r = sign;
        return true;
    }
    return false;
}

/// 2^(top) / m for a significand m of 24 bits, to the nearest.
u32 reciprocal_lane(u32 x) {
    u32 r = 0;
    if (special_reciprocal(x, r)) {
        return r;
    }
    u64 const significand = (x & fraction_mask<u32>) | 1u << 23;
    i32 const e = exponent(x);
    if (significand == 1u << 23) {
        i32 const power = 254 - e;
        return power <= 0 ? x & sign_of<u32> : (x & sign_of<u32>) | static_cast<u32>(power) << 23;
    }
    u32 const quotient = static_cast<u32>(((u64{1} << 48) / significand + 1) / 2);  // in (2^23, 2^24)
    i32 const power = 253 - e;
    if (power <= 0) {
        return x & sign_of<u32>;
    }
    return (x & sign_of<u32>) | static_cast<u32>(power) << 23 | (quotient & fraction_mask<u32>);
}

/// Largest r with r * r <= x.
u64 integer_root(u64 x) {
    u64 r = 0;
    for (u64 bit = u64{1} << 31; bit != 0; bit >>= 1) {
        if ((r | bit) * (r | bit) <= x) {
            r |= bit;
        }
    }
    return r;
}

/// 1/sqrt of m * 2^(e - 150): with e made even, 2^k / sqrt(m) by an integer root of 2^2k / m.
u32 root_reciprocal_lane(u32 x) {
    constexpr u32 default_nan = 0xffc00000;
    u32 r = 0;
    if (special_reciprocal(x, r) && (is_nan(x) || exponent(x) == 0 || !(x & sign_of<u32>))) {
        return r;
    }
    if (x & sign_of<u32>) {
        return default_nan;
    }
    i32 const e = exponent(x) - Format<u32>::bias;
    bool const odd = e & 1;
    u64 const significand = ((x & fraction_mask<u32>) | 1u << 23) << (odd ? 1 : 0);  // value in [1, 4) times 2^23
    i32 const half = (e - (odd ? 1 : 0)) / 2;
    if (significand == 1u << 23) {
        return static_cast<u32>(Format<u32>::bias - half) << 23;
    }
    // 2^71 / significand is 2^48 / value, and its root 2^24 / sqrt(value), in (2^23, 2^24).
    u64 const ratio = static_cast<u64>((u128{1} << 71) / significand);
    u32 const root = static_cast<u32>(integer_root(ratio));
    return static_cast<u32>(Format<u32>::bias - half - 1) << 23 | (root & fraction_mask<u32>);
}

V128 each_single(V128 b, u32 function(u32)) {
    return ops::each<u32>(b, function);
}

}  // namespace

V128 addsubps(V128 a, V128 b) {
    V128 const sums = addps(ops::pand(a, odd_singles), ops::pand(b, odd_singles));
    V128 const differences = subps(ops::pand(a, even_singles), ops::pand(b, even_singles));
    return ops::por(ops::pand(sums, odd_singles), ops::pand(differences, even_singles));
}
V128 addsubpd(V128 a, V128 b) {
    return {subsd(a, b).lo, addsd(V128{a.hi, 0}, V128{b.hi, 0}).lo};
}
V128 haddps(V128 a, V128 b) { return addps(evens(a, b), odds(a, b)); }
V128 haddpd(V128 a, V128 b) { return addpd(ops::punpcklqdq(a, b), ops::punpckhqdq(a, b)); }
V128 hsubps(V128 a, V128 b) { return subps(evens(a, b), odds(a, b)); }
V128 hsubpd(V128 a, V128 b) { return subpd(ops::punpcklqdq(a, b), ops::punpckhqdq(a, b)); }

V128 roundps(V128 a, V128 b, u8 imm) { return round_vector<u32>(a, b, imm, 4); }
V128 roundpd(V128 a, V128 b, u8 imm) { return round_vector<u64>(a, b, imm, 2); }
V128 roundss(V128 a, V128 b, u8 imm) { return round_vector<u32>(a, b, imm, 1); }
V128 roundsd(V128 a, V128 b, u8 imm) { return round_vector<u64>(a, b, imm, 1); }

V128 dpps(V128 a, V128 b, u8 imm) {
    V128 const chosen = singles_mask(imm >> 4);
    V128 const products = mulps(ops::pand(a, chosen), ops::pand(b, chosen));
    V128 const pairs = haddps(products, products);
    return ops::pand(haddps(pairs, pairs), singles_mask(imm));
}
V128 dppd(V128 a, V128 b, u8 imm) {
    V128 const chosen = doubles_mask(imm >> 4);
    V128 const products = mulpd(ops::pand(a, chosen), ops::pand(b, chosen));
    return ops::pand(haddpd(products, products), doubles_mask(imm));
}

namespace {

template <class Step>
bool staged(Staged to, Step step, V128 a, V128 b) {
    V128 r = {};
    bool const done = checked(to.mxcsr, [&] { return step(a, b); }, [&](u32 control) { return step(Unbounded{a, control}, Unbounded{b, control}); }, r);
    to.result = r;
    return done;
}
constexpr auto multiply_singles = [](auto a, auto b) { return mulps(a, b); };
constexpr auto multiply_doubles = [](auto a, auto b) { return mulpd(a, b); };
constexpr auto add_singles = [](auto a, auto b) { return haddps(a, b); };
constexpr auto add_doubles = [](auto a, auto b) { return haddpd(a, b); };

}  // namespace

bool dpps(Staged to, V128 a, V128 b, u8 imm) {
    V128 const chosen = singles_mask(imm >> 4);
    V128& r = to.result;
    bool const done = staged(to, multiply_singles, ops::pand(a, chosen), ops::pand(b, chosen)) && staged(to, add_singles, r, r) &&
                      staged(to, add_singles, r, r);
    r = ops::pand(r, singles_mask(imm));
    return done;
}
bool dppd(Staged to, V128 a, V128 b, u8 imm) {
    V128 const chosen = doubles_mask(imm >> 4);
    V128& r = to.result;
    bool const done = staged(to, multiply_doubles, ops::pand(a, chosen), ops::pand(b, chosen)) && staged(to, add_doubles, r, r);
    r = ops::pand(r, doubles_mask(imm));
    return done;
}

V128 rcpps(V128, V128 b) { return each_single(b, reciprocal_lane); }
V128 rcpss(V128 a, V128 b) { return ops::merge_single(a, rcpps(a, b)); }
V128 rsqrtps(V128, V128 b) { return each_single(b, root_reciprocal_lane); }
V128 rsqrtss(V128 a, V128 b) { return ops::merge_single(a, rsqrtps(a, b)); }

}  // namespace ramet::fpu
