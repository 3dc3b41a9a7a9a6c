// Flags: the six arithmetic flags OF SF ZF AF PF CF at their places in RFLAGS, as a value with one builder each.
#pragma once

#include <bit>
#include <concepts>
#include <type_traits>

#include "base/types.h"

namespace ramet {

template <class T>
concept Word = std::same_as<T, u8> || std::same_as<T, u16> || std::same_as<T, u32> || std::same_as<T, u64>;

template <Word T>
inline constexpr unsigned bits_of = sizeof(T) * 8;
template <Word T>
inline constexpr T sign_bit = T(T{1} << (bits_of<T> - 1));

template <Word T>
using Signed = std::make_signed_t<T>;

/// The word of twice the size.
template <class T>
struct WideOf;
template <> struct WideOf<u8> { using type = u16; using stype = i16; };
template <> struct WideOf<u16> { using type = u32; using stype = i32; };
template <> struct WideOf<u32> { using type = u64; using stype = i64; };
template <> struct WideOf<u64> { using type = u128; using stype = i128; };
template <Word T>
using Wide = typename WideOf<T>::type;
template <Word T>
using SignedWide = typename WideOf<T>::stype;

struct Flags {
    static constexpr u32 CF = 1, PF = 4, AF = 0x10, ZF = 0x40, SF = 0x80, OF = 0x800;
    static constexpr u32 all = CF | PF | AF | ZF | SF | OF;

    u32 bits = 0;

    constexpr bool c() const { return bits & CF; }
    constexpr bool p() const { return bits & PF; }
    constexpr bool a() const { return bits & AF; }
    constexpr bool z() const { return bits & ZF; }
    constexpr bool s() const { return bits & SF; }
    constexpr bool o() const { return bits & OF; }

    constexpr Flags with(u32 mask, bool on) const { return {(bits & ~mask) | (on ? mask : 0)}; }
    constexpr Flags c(bool on) const { return with(CF, on); }
    constexpr Flags p(bool on) const { return with(PF, on); }
    constexpr Flags a(bool on) const { return with(AF, on); }
    constexpr Flags z(bool on) const { return with(ZF, on); }
    constexpr Flags s(bool on) const { return with(SF, on); }
    constexpr Flags o(bool on) const { return with(OF, on); }

    /// SF, ZF and PF as a result sets them.
    template <Word T>
    constexpr Flags szp(T r) const {
        return s(r & sign_bit<T>).z(r == 0).p(!__builtin_parity(static_cast<u8>(r)));
    }
    friend constexpr bool operator==(Flags, Flags) = default;
};

/// A value and the flags that computing it leaves.
template <Word T>
struct Alu {
    T value;
    Flags flags;
};

/// The sixteen conditions of Jcc, SETcc and CMOVcc, by the low four opcode bits.
constexpr bool condition(unsigned cc, Flags f) {
    bool result = false;
    switch (cc >> 1) {
    case 0: result = f.o(); break;
    case 1: result = f.c(); break;
    case 2: result = f.z(); break;
    case 3: result = f.c() || f.z(); break;
    case 4: result = f.s(); break;
    case 5: result = f.p(); break;
    case 6: result = f.s() != f.o(); break;
    default: result = f.z() || f.s() != f.o(); break;
    }
    return result != ((cc & 1) != 0);
}

}  // namespace ramet
