// Addition, subtraction and logic, as pure functions: operands and flags in, value and flags out.
// OSZAPC as the manual defines them. After AND, OR, XOR and TEST the undefined AF is 0.
#pragma once

#include "x86/ops/flags.h"

namespace ramet::ops {

/// a + b.
template <Word T>
constexpr Alu<T> add(T a, T b, Flags in) {
    T const r = static_cast<T>(a + b);
    return {r, in.szp(r).c(r < a).o(((a ^ r) & (b ^ r)) & sign_bit<T>).a((a ^ b ^ r) & 0x10)};
}

/// a + b + CF.
template <Word T>
constexpr Alu<T> adc(T a, T b, Flags in) {
    T const r = static_cast<T>(a + b + in.c());
    bool const carry = in.c() ? r <= a : r < a;
    return {r, in.szp(r).c(carry).o(((a ^ r) & (b ^ r)) & sign_bit<T>).a((a ^ b ^ r) & 0x10)};
}

/// a - b.
template <Word T>
constexpr Alu<T> sub(T a, T b, Flags in) {
    T const r = static_cast<T>(a - b);
    return {r, in.szp(r).c(a < b).o(((a ^ b) & (a ^ r)) & sign_bit<T>).a((a ^ b ^ r) & 0x10)};
}

/// a - b - CF.
template <Word T>
constexpr Alu<T> sbb(T a, T b, Flags in) {
    T const r = static_cast<T>(a - b - in.c());
    bool const borrow = in.c() ? a <= b : a < b;
    return {r, in.szp(r).c(borrow).o(((a ^ b) & (a ^ r)) & sign_bit<T>).a((a ^ b ^ r) & 0x10)};
}

template <Word T>
constexpr Alu<T> cmp(T a, T b, Flags in) {
    return sub<T>(a, b, in);
}

template <Word T>
constexpr Flags logic_flags(T r, Flags in) {
    return in.szp(r).c(false).o(false).a(false);
}
template <Word T>
constexpr Alu<T> and_(T a, T b, Flags in) {
    T const r = a & b;
    return {r, logic_flags(r, in)};
}
template <Word T>
constexpr Alu<T> or_(T a, T b, Flags in) {
    T const r = a | b;
    return {r, logic_flags(r, in)};
}
template <Word T>
constexpr Alu<T> xor_(T a, T b, Flags in) {
    T const r = a ^ b;
    return {r, logic_flags(r, in)};
}
template <Word T>
constexpr Alu<T> test(T a, T b, Flags in) {
    return and_<T>(a, b, in);
}

/// a + 1; CF stays.
template <Word T>
constexpr Alu<T> inc(T a, Flags in) {
    auto const r = add<T>(a, 1, in);
    return {r.value, r.flags.c(in.c())};
}
/// a - 1; CF stays.
template <Word T>
constexpr Alu<T> dec(T a, Flags in) {
    auto const r = sub<T>(a, 1, in);
    return {r.value, r.flags.c(in.c())};
}
template <Word T>
constexpr Alu<T> neg(T a, Flags in) {
    return sub<T>(0, a, in);
}
template <Word T>
constexpr T not_(T a) {
    return static_cast<T>(~a);
}

template <Word T>
constexpr T mov(T b) {
    return b;
}
/// Source of any smaller width, zero-extended.
template <Word T>
constexpr T movzx(Word auto b) {
    return static_cast<T>(b);
}
template <Word T>
constexpr T movsx(Word auto b) {
    return static_cast<T>(static_cast<Signed<T>>(static_cast<Signed<decltype(b)>>(b)));
}
/// MOVSXD with a 16-bit operand size moves 16 bits.
template <Word T>
constexpr T movsxd(u32 b) {
    return sizeof(T) == 8 ? static_cast<T>(static_cast<i64>(static_cast<i32>(b))) : static_cast<T>(b);
}

static_assert(adc<u8>(0xff, 0, Flags{}.c(true)).value == 0);
static_assert(add<u8>(0x7f, 1, {}).flags.o());
static_assert(sub<u16>(0, 1, {}).flags.c());
static_assert(inc<u8>(0xff, {}).flags == Flags{}.z(true).p(true).a(true));
static_assert(movsx<u32>(u8{0x80}) == 0xffffff80);

}  // namespace ramet::ops
