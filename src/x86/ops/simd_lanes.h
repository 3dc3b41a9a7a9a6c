// Vectors as lanes. A V128 is seen as sixteen bytes, eight words, four doublewords or two quadwords, lane 0 lowest.
//
// An MMX operand is a V128 whose upper half is zero, and an MMX result is the lower half of a V128, so that operations
// which stay within a lane serve both. Where MMX differs (packing, unpacking, shuffling), the operation of MMX is
// called …_mm and derived from the other one.
#pragma once

#include <emmintrin.h>

#include <array>
#include <bit>
#include <limits>
#include <type_traits>

#include "x86/cpu.h"

namespace ramet::ops {

template <class T>
using Lanes = std::array<T, 16 / sizeof(T)>;

template <class T>
constexpr Lanes<T> lanes(V128 v) {
    return std::bit_cast<Lanes<T>>(v);
}
template <class T, std::size_t N>
constexpr V128 from_lanes(const std::array<T, N>& lane) {
    static_assert(N * sizeof(T) == 16);
    return std::bit_cast<V128>(lane);
}

/// f applied to each lane, or to each pair of lanes.
template <class T>
constexpr V128 each(V128 a, auto f) {
    auto x = lanes<T>(a);
    for (auto& lane : x) {
        lane = static_cast<T>(f(lane));
    }
    return from_lanes(x);
}
template <class T>
constexpr V128 each(V128 a, V128 b, auto f) {
    auto x = lanes<T>(a);
    auto const y = lanes<T>(b);
    for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = static_cast<T>(f(x[i], y[i]));
    }
    return from_lanes(x);
}

/// The nearest value that To can hold.
template <class To>
constexpr To saturate(i64 value) {
    constexpr i64 low = std::numeric_limits<To>::min();
    constexpr i64 high = std::numeric_limits<To>::max();
    return static_cast<To>(value < low ? low : value > high ? high : value);
}

/// Two MMX registers side by side, a below b.
constexpr V128 joined(V128 a, V128 b) { return {a.lo, b.lo}; }

/// The compiler's vector type and back; free of charge.
inline __m128i host(V128 v) { return std::bit_cast<__m128i>(v); }
inline V128 guest(__m128i v) { return std::bit_cast<V128>(v); }

}  // namespace ramet::ops
