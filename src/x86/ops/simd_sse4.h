// Integer vectors of SSSE3, SSE4.1 and SSE4.2, lane by lane in portable C++, since a host may lack them: a is the
// destination's old value, b the source. AMD64 APM volume 4. String comparisons: simd_string.h.
// Tests: the vectors of groups ssse3 and sse41.
#pragma once

#include "x86/ops/flags.h"
#include "x86/ops/simd_int.h"

namespace ramet::ops {

// SSSE3 ---------------------------------------------------------------------------------------------------------------

/// Neighbours combined: results from a in the lower half, from b in the upper.
template <class T>
constexpr V128 horizontal(V128 a, V128 b, auto f) {
    auto const x = lanes<T>(a);
    auto const y = lanes<T>(b);
    Lanes<T> r = {};
    constexpr std::size_t half = r.size() / 2;
    for (std::size_t i = 0; i < half; ++i) {
        r[i] = static_cast<T>(f(x[2 * i], x[2 * i + 1]));
        r[half + i] = static_cast<T>(f(y[2 * i], y[2 * i + 1]));
    }
    return from_lanes(r);
}
constexpr V128 phaddw(V128 a, V128 b) {
    return horizontal<i16>(a, b, [](int x, int y) { return x + y; });
}
constexpr V128 phaddd(V128 a, V128 b) {
    return horizontal<u32>(a, b, [](u32 x, u32 y) { return x + y; });
}
constexpr V128 phaddsw(V128 a, V128 b) {
    return horizontal<i16>(a, b, [](int x, int y) { return saturate<i16>(x + y); });
}
constexpr V128 phsubw(V128 a, V128 b) {
    return horizontal<i16>(a, b, [](int x, int y) { return x - y; });
}
constexpr V128 phsubd(V128 a, V128 b) {
    return horizontal<u32>(a, b, [](u32 x, u32 y) { return x - y; });
}
constexpr V128 phsubsw(V128 a, V128 b) {
    return horizontal<i16>(a, b, [](int x, int y) { return saturate<i16>(x - y); });
}
/// MMX: both operands fit in one vector, whose halves are combined as above.
template <V128 operation(V128, V128)>
constexpr V128 horizontal_mm(V128 a, V128 b) {
    return {operation(joined(a, b), {}).lo, 0};
}

template <class T>
constexpr V128 psign(V128 a, V128 b) {
    return each<T>(a, b, [](i64 x, i64 y) { return y < 0 ? -x : y == 0 ? 0 : x; });
}
constexpr V128 psignb(V128 a, V128 b) { return psign<i8>(a, b); }
constexpr V128 psignw(V128 a, V128 b) { return psign<i16>(a, b); }
constexpr V128 psignd(V128 a, V128 b) { return psign<i32>(a, b); }

template <class T>
constexpr V128 pabs(V128 b) {
    return each<T>(b, [](i64 x) { return x < 0 ? -x : x; });
}
constexpr V128 pabsb(V128, V128 b) { return pabs<i8>(b); }
constexpr V128 pabsw(V128, V128 b) { return pabs<i16>(b); }
constexpr V128 pabsd(V128, V128 b) { return pabs<i32>(b); }

constexpr V128 pmulhrsw(V128 a, V128 b) {
    return each<i16>(a, b, [](int x, int y) { return ((x * y >> 14) + 1) >> 1; });
}
/// Unsigned bytes of a times signed bytes of b, neighbours added with saturation.
constexpr V128 pmaddubsw(V128 a, V128 b) {
    auto const x = lanes<u8>(a);
    auto const y = lanes<i8>(b);
    Lanes<i16> r = {};
    for (std::size_t i = 0; i < r.size(); ++i) {
        r[i] = saturate<i16>(x[2 * i] * y[2 * i] + x[2 * i + 1] * y[2 * i + 1]);
    }
    return from_lanes(r);
}
constexpr V128 pshufb(V128 a, V128 b) {
    auto const x = lanes<u8>(a);
    return each<u8>(b, [&](u8 index) { return index & 0x80 ? 0 : x[index & 15]; });
}
constexpr V128 pshufb_mm(V128 a, V128 b) {
    auto const x = lanes<u8>(a);
    return {each<u8>(b, [&](u8 index) { return index & 0x80 ? 0 : x[index & 7]; }).lo, 0};
}
/// Sixteen bytes out of b (below) and a, from byte imm on.
constexpr V128 palignr(V128 a, V128 b, u8 imm) {
    if (imm >= 16) {
        return psrldq(a, static_cast<u8>(imm - 16));
    }
    return por(psrldq(b, imm), pslldq(a, static_cast<u8>(16 - imm)));
}
constexpr V128 palignr_mm(V128 a, V128 b, u8 imm) { return {psrldq(joined(b, a), imm).lo, 0}; }

// SSE4.1 --------------------------------------------------------------------------------------------------------------

constexpr V128 pminsb(V128 a, V128 b) {
    return each<i8>(a, b, [](i8 x, i8 y) { return x < y ? x : y; });
}
constexpr V128 pminsd(V128 a, V128 b) {
    return each<i32>(a, b, [](i32 x, i32 y) { return x < y ? x : y; });
}
constexpr V128 pminuw(V128 a, V128 b) {
    return each<u16>(a, b, [](u16 x, u16 y) { return x < y ? x : y; });
}
constexpr V128 pminud(V128 a, V128 b) {
    return each<u32>(a, b, [](u32 x, u32 y) { return x < y ? x : y; });
}
constexpr V128 pmaxsb(V128 a, V128 b) {
    return each<i8>(a, b, [](i8 x, i8 y) { return x > y ? x : y; });
}
constexpr V128 pmaxsd(V128 a, V128 b) {
    return each<i32>(a, b, [](i32 x, i32 y) { return x > y ? x : y; });
}
constexpr V128 pmaxuw(V128 a, V128 b) {
    return each<u16>(a, b, [](u16 x, u16 y) { return x > y ? x : y; });
}
constexpr V128 pmaxud(V128 a, V128 b) {
    return each<u32>(a, b, [](u32 x, u32 y) { return x > y ? x : y; });
}
constexpr V128 pmulld(V128 a, V128 b) {
    return each<u32>(a, b, [](u32 x, u32 y) { return x * y; });
}
constexpr V128 pmuldq(V128 a, V128 b) {
    auto const x = lanes<i32>(a);
    auto const y = lanes<i32>(b);
    return {static_cast<u64>(i64{x[0]} * y[0]), static_cast<u64>(i64{x[2]} * y[2])};
}
constexpr V128 pcmpeqq(V128 a, V128 b) { return {a.lo == b.lo ? ~u64{0} : 0, a.hi == b.hi ? ~u64{0} : 0}; }
constexpr V128 packusdw(V128 a, V128 b) {
    auto const x = lanes<i32>(a);
    auto const y = lanes<i32>(b);
    Lanes<u16> r = {};
    for (std::size_t i = 0; i < 4; ++i) {
        r[i] = saturate<u16>(x[i]);
        r[4 + i] = saturate<u16>(y[i]);
    }
    return from_lanes(r);
}

/// The lowest lanes of b, extended.
template <class From, class To>
constexpr V128 extend(V128 b) {
    auto const x = lanes<From>(b);
    Lanes<To> r = {};
    for (std::size_t i = 0; i < r.size(); ++i) {
        r[i] = static_cast<To>(x[i]);
    }
    return from_lanes(r);
}
constexpr V128 pmovsxbw(V128, V128 b) { return extend<i8, i16>(b); }
constexpr V128 pmovsxbd(V128, V128 b) { return extend<i8, i32>(b); }
constexpr V128 pmovsxbq(V128, V128 b) { return extend<i8, i64>(b); }
constexpr V128 pmovsxwd(V128, V128 b) { return extend<i16, i32>(b); }
constexpr V128 pmovsxwq(V128, V128 b) { return extend<i16, i64>(b); }
constexpr V128 pmovsxdq(V128, V128 b) { return extend<i32, i64>(b); }
constexpr V128 pmovzxbw(V128, V128 b) { return extend<u8, u16>(b); }
constexpr V128 pmovzxbd(V128, V128 b) { return extend<u8, u32>(b); }
constexpr V128 pmovzxbq(V128, V128 b) { return extend<u8, u64>(b); }
constexpr V128 pmovzxwd(V128, V128 b) { return extend<u16, u32>(b); }
constexpr V128 pmovzxwq(V128, V128 b) { return extend<u16, u64>(b); }
constexpr V128 pmovzxdq(V128, V128 b) { return extend<u32, u64>(b); }

/// Lanes of b where `selected(lane)`, else of a.
template <class T>
constexpr V128 blend(V128 a, V128 b, auto selected) {
    auto x = lanes<T>(a);
    auto const y = lanes<T>(b);
    for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = selected(i) ? y[i] : x[i];
    }
    return from_lanes(x);
}
constexpr V128 pblendw(V128 a, V128 b, u8 imm) {
    return blend<u16>(a, b, [=](std::size_t i) { return imm >> i & 1; });
}
constexpr V128 blendps(V128 a, V128 b, u8 imm) {
    return blend<u32>(a, b, [=](std::size_t i) { return imm >> i & 1; });
}
constexpr V128 blendpd(V128 a, V128 b, u8 imm) {
    return blend<u64>(a, b, [=](std::size_t i) { return imm >> i & 1; });
}
/// By the signs of XMM0's lanes.
template <class T>
constexpr V128 blend_variable(V128 a, V128 b, V128 xmm0) {
    auto const mask = lanes<std::make_signed_t<T>>(xmm0);
    return blend<T>(a, b, [&](std::size_t i) { return mask[i] < 0; });
}
constexpr V128 pblendvb(V128 a, V128 b, V128 xmm0) { return blend_variable<u8>(a, b, xmm0); }
constexpr V128 blendvps(V128 a, V128 b, V128 xmm0) { return blend_variable<u32>(a, b, xmm0); }
constexpr V128 blendvpd(V128 a, V128 b, V128 xmm0) { return blend_variable<u64>(a, b, xmm0); }

template <class T>
constexpr V128 insert(V128 a, u64 value, u8 imm) {
    auto x = lanes<T>(a);
    x[imm % x.size()] = static_cast<T>(value);
    return from_lanes(x);
}
template <class T>
constexpr u64 extract(V128 b, u8 imm) {
    auto const x = lanes<T>(b);
    return x[imm % x.size()];
}
constexpr V128 pinsrb(V128 a, u64 value, u8 imm) { return insert<u8>(a, value, imm); }
constexpr V128 pinsrb(V128 a, V128 b, u8 imm) { return insert<u8>(a, b.lo, imm); }
constexpr u64 pextrb(V128 b, u8 imm) { return extract<u8>(b, imm); }
/// PINSRD and PINSRQ, PEXTRD and PEXTRQ: the integer's type tells the lane.
constexpr V128 pinsr(V128 a, u32 value, u8 imm) { return insert<u32>(a, value, imm); }
constexpr V128 pinsr(V128 a, u64 value, u8 imm) { return insert<u64>(a, value, imm); }
constexpr u32 pextr(u32, V128 b, u8 imm) { return static_cast<u32>(extract<u32>(b, imm)); }
constexpr u64 pextr(u64, V128 b, u8 imm) { return extract<u64>(b, imm); }
constexpr V128 insertps_value(V128 a, u32 value, u8 imm) {
    auto x = lanes<u32>(a);
    x[imm >> 4 & 3] = value;
    for (unsigned i = 0; i < 4; ++i) {
        x[i] = imm >> i & 1 ? 0 : x[i];
    }
    return from_lanes(x);
}
/// The memory form has one single; the register form chooses one of b's.
constexpr V128 insertps_mem(V128 a, V128 b, u8 imm) { return insertps_value(a, static_cast<u32>(b.lo), imm); }
constexpr V128 insertps(V128 a, V128 b, u8 imm) { return insertps_value(a, lanes<u32>(b)[imm >> 6], imm); }

/// Sums of absolute differences of one group of four bytes of b with eight of a.
constexpr V128 mpsadbw(V128 a, V128 b, u8 imm) {
    auto const x = lanes<u8>(a);
    auto const y = lanes<u8>(b);
    std::size_t const from_a = imm & 4;
    std::size_t const from_b = (imm & 3) * 4;
    Lanes<u16> r = {};
    for (std::size_t i = 0; i < r.size(); ++i) {
        for (std::size_t j = 0; j < 4; ++j) {
            int const difference = x[from_a + i + j] - y[from_b + j];
            r[i] = static_cast<u16>(r[i] + (difference < 0 ? -difference : difference));
        }
    }
    return from_lanes(r);
}
/// The smallest word and its place.
constexpr V128 phminposuw(V128, V128 b) {
    auto const x = lanes<u16>(b);
    u64 place = 0;
    for (std::size_t i = 1; i < x.size(); ++i) {
        place = x[i] < x[place] ? i : place;
    }
    return {x[place] | place << 16, 0};
}
/// ZF: no common bit; CF: b has no bit outside a. The other four flags become zero.
constexpr Flags ptest(V128 a, V128 b) {
    bool const disjoint = pand(a, b) == V128{};
    bool const contained = pandn(a, b) == V128{};
    return Flags{}.z(disjoint).c(contained);
}

// SSE4.2 --------------------------------------------------------------------------------------------------------------

constexpr V128 pcmpgtq(V128 a, V128 b) {
    return each<i64>(a, b, [](i64 x, i64 y) { return x > y ? -1 : 0; });
}

}  // namespace ramet::ops
