// Bit scans, counts and tests, byte swaps. Undefined flags: BSF, BSR and BT* leave what they do not define unchanged.
#pragma once

#include "x86/ops/flags.h"

namespace ramet::ops {

/// Bit scans; of zero there is no result.
template <Word T>
constexpr T bsf(T b) {
    return static_cast<T>(std::countr_zero(b));
}
template <Word T>
constexpr T bsr(T b) {
    return static_cast<T>(bits_of<T> - 1 - static_cast<unsigned>(std::countl_zero(b)));
}
template <Word T>
constexpr Alu<T> tzcnt(T b, Flags in) {
    T const r = static_cast<T>(std::countr_zero(b));
    return {r, in.c(b == 0).z(r == 0)};
}
template <Word T>
constexpr Alu<T> lzcnt(T b, Flags in) {
    T const r = static_cast<T>(std::countl_zero(b));
    return {r, in.c(b == 0).z(r == 0)};
}
template <Word T>
constexpr Alu<T> popcnt(T b, Flags) {
    return {static_cast<T>(std::popcount(b)), Flags{}.z(b == 0)};
}

/// Bit operations on a register or a word already selected; the count wraps at the width.
template <Word T>
constexpr Alu<T> bt(T a, T b, Flags in) {
    return {a, in.c(a >> (b % bits_of<T>) & 1)};
}
template <Word T>
constexpr Alu<T> bts(T a, T b, Flags in) {
    return {static_cast<T>(a | T{1} << (b % bits_of<T>)), bt<T>(a, b, in).flags};
}
template <Word T>
constexpr Alu<T> btr(T a, T b, Flags in) {
    return {static_cast<T>(a & ~(T{1} << (b % bits_of<T>))), bt<T>(a, b, in).flags};
}
template <Word T>
constexpr Alu<T> btc(T a, T b, Flags in) {
    return {static_cast<T>(a ^ T{1} << (b % bits_of<T>)), bt<T>(a, b, in).flags};
}

/// 16-bit operands are undefined by the manual; processors give zero.
template <Word T>
constexpr T bswap(T a) {
    if constexpr (sizeof(T) == 8) return __builtin_bswap64(a);
    if constexpr (sizeof(T) == 4) return __builtin_bswap32(a);
    return 0;
}
/// MOVBE swaps 16-bit operands too.
template <Word T>
constexpr T movbe(T b) {
    if constexpr (sizeof(T) == 2) return static_cast<T>(b << 8 | b >> 8);
    else return bswap<T>(b);
}

}  // namespace ramet::ops
