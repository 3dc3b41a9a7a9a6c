// Shifts and rotates. Counts are masked to 5 bits (6 for 64-bit operands); a masked count of 0 changes no flag.
// Undefined flags, one documented value each: OF after counts above 1 is what the count-1 rule gives for the final
// step; AF is 0 after shifts; CF after SHL/SHR past the width is 0.
#pragma once

#include "x86/ops/flags.h"

namespace ramet::ops {

template <Word T>
constexpr unsigned shift_count(u8 count) {
    return count & (bits_of<T> == 64 ? 63 : 31);
}

template <Word T>
constexpr Alu<T> shl(T a, u8 count, Flags in) {
    unsigned const n = shift_count<T>(count);
    if (n == 0) return {a, in};
    T const before = n - 1 < bits_of<T> ? static_cast<T>(a << (n - 1)) : T{0};
    T const r = static_cast<T>(before << 1);
    bool const carry = before & sign_bit<T>;
    return {r, in.szp(r).c(carry).o(((r & sign_bit<T>) != 0) != carry).a(false)};
}

template <Word T>
constexpr Alu<T> shr(T a, u8 count, Flags in) {
    unsigned const n = shift_count<T>(count);
    if (n == 0) return {a, in};
    T const before = n - 1 < bits_of<T> ? static_cast<T>(a >> (n - 1)) : T{0};
    T const r = static_cast<T>(before >> 1);
    return {r, in.szp(r).c(before & 1).o(((r << 1 ^ r) & sign_bit<T>) != 0).a(false)};
}

template <Word T>
constexpr Alu<T> sar(T a, u8 count, Flags in) {
    unsigned const n = shift_count<T>(count);
    if (n == 0) return {a, in};
    auto const sa = static_cast<Signed<T>>(a);
    unsigned const m = n - 1 < bits_of<T> ? n - 1 : bits_of<T> - 1;
    auto const before = static_cast<Signed<T>>(sa >> m);
    T const r = static_cast<T>(before >> 1);
    return {r, in.szp(r).c(before & 1).o(false).a(false)};
}

template <Word T>
constexpr Alu<T> rol(T a, u8 count, Flags in) {
    if (shift_count<T>(count) == 0) return {a, in};
    T const r = std::rotl(a, static_cast<int>(shift_count<T>(count) % bits_of<T>));
    return {r, in.c(r & 1).o(((r & sign_bit<T>) != 0) != ((r & 1) != 0))};
}

template <Word T>
constexpr Alu<T> ror(T a, u8 count, Flags in) {
    if (shift_count<T>(count) == 0) return {a, in};
    T const r = std::rotr(a, static_cast<int>(shift_count<T>(count) % bits_of<T>));
    return {r, in.c(r & sign_bit<T>).o(((r ^ r << 1) & sign_bit<T>) != 0)};
}

/// Rotate left through carry: a rotation of bits + 1 places.
template <Word T>
constexpr Alu<T> rcl(T a, u8 count, Flags in) {
    unsigned const n = shift_count<T>(count) % (bits_of<T> + 1);
    if (shift_count<T>(count) == 0) return {a, in};
    T r = a;
    bool carry = in.c();
    for (unsigned i = 0; i < n; ++i) {
        bool const out = r & sign_bit<T>;
        r = static_cast<T>(r << 1 | T(carry));
        carry = out;
    }
    return {r, in.c(carry).o(((r & sign_bit<T>) != 0) != carry)};
}

template <Word T>
constexpr Alu<T> rcr(T a, u8 count, Flags in) {
    unsigned const n = shift_count<T>(count) % (bits_of<T> + 1);
    if (shift_count<T>(count) == 0) return {a, in};
    T r = a;
    bool carry = in.c();
    for (unsigned i = 0; i < n; ++i) {
        bool const out = r & 1;
        r = static_cast<T>(r >> 1 | (carry ? sign_bit<T> : T{0}));
        carry = out;
    }
    return {r, in.c(carry).o(((r ^ r << 1) & sign_bit<T>) != 0)};
}

/// Double shifts. For 16-bit operands a count above 16 goes on into the destination's own bits, as AMD's processors do.
template <Word T>
constexpr Alu<T> shld(T a, T b, u8 count, Flags in) {
    unsigned const n = shift_count<T>(count);
    if (n == 0) return {a, in};
    T r = 0;
    bool carry = false;
    if constexpr (bits_of<T> == 16) {
        u64 const wide = u64{a} << 32 | u64{b} << 16 | b;  // from 16 on, b comes in twice, as AMD's processors do it; CF is then clear
        r = static_cast<T>(wide << n >> 32);
        carry = n <= 16 && (wide >> (48 - n) & 1);
    } else {
        r = static_cast<T>(a << n | b >> (bits_of<T> - n));
        carry = a >> (bits_of<T> - n) & 1;
    }
    return {r, in.szp(r).c(carry).o((n < bits_of<T> && (r & sign_bit<T>) != 0) != carry).a(false)};
}

template <Word T>
constexpr Alu<T> shrd(T a, T b, u8 count, Flags in) {
    unsigned const n = shift_count<T>(count);
    if (n == 0) return {a, in};
    T r = 0;
    bool carry = false;
    if constexpr (bits_of<T> == 16) {
        u64 const wide = u64{b} << 32 | u64{b} << 16 | a;
        r = static_cast<T>(wide >> n);
        carry = n <= 16 && (wide >> (n - 1) & 1);
    } else {
        r = static_cast<T>(a >> n | b << (bits_of<T> - n));
        carry = a >> (n - 1) & 1;
    }
    return {r, in.szp(r).c(carry).o(((r ^ r << 1) & sign_bit<T>) != 0).a(false)};
}

static_assert(shl<u8>(0x81, 1, {}).value == 2 && shl<u8>(0x81, 1, {}).flags.c());
static_assert(sar<u8>(0x80, 31, {}).value == 0xff);
static_assert(rcl<u8>(0x80, 1, {}).value == 0 && rcl<u8>(0x80, 1, {}).flags.c());

}  // namespace ramet::ops
