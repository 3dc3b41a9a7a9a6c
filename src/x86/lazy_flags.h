// LazyFlags: the arithmetic flags as {result, source, kind}, computed when somebody looks.
//
// ZF, SF and PF come from `result` alone, whatever the kind: ZF = result is 0; SF = its sign, inverted by kind bit 8; PF = parity of
// its low byte, inverted by kind bit 9. CF, OF and AF follow from the operands, which the result and `source` give back: each by itself, because most who
// look want one. The kind `image` holds the three as bits in `source`. Outside the interpreter nobody can tell.
// Tests: tests/x86/lazy_flags_test.cpp.
#pragma once

#include "x86/ops/alu.h"

namespace ramet {

enum class FlagKind : u32 { image, logic, add8, add16, add32, add64, sub8, sub16, sub32, sub64, inc8, inc16, inc32, inc64, dec8, dec16, dec32, dec64 };

template <Word T>
constexpr u32 size_index = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
template <Word T>
constexpr u32 kind_of(FlagKind eight_bit) {
    return static_cast<u32>(eight_bit) + size_index<T>;
}
template <Word T>
constexpr u64 sign_extended(T r) {
    return static_cast<u64>(static_cast<i64>(static_cast<Signed<T>>(r)));
}

struct LazyFlags {
    static constexpr u32 invert_sign = 0x100, invert_parity = 0x200;

    u64 result = 1;
    u64 source = 0;
    u32 kind = 0;

    /// result = a + b or a - b; source = b. For inc and dec source is the old CF.
    template <Word T>
    void set(FlagKind eight_bit, T r, u64 s) {
        result = sign_extended(r);
        source = s;
        kind = kind_of<T>(eight_bit);
    }
    template <Word T>
    void set_logic(T r) {
        result = sign_extended(r);
        kind = static_cast<u32>(FlagKind::logic);
    }
    /// Any operation whose SF, ZF and PF follow from its result.
    template <Word T>
    void set_result(T r, Flags f) {
        result = sign_extended(r);
        source = f.bits & (Flags::CF | Flags::OF | Flags::AF);
        kind = static_cast<u32>(FlagKind::image);
    }
    /// CF and OF change, the others stay: multiplications.
    void set_carry_overflow(bool c, bool o) {
        source = (a() ? Flags::AF : 0) | (c ? Flags::CF : 0) | (o ? Flags::OF : 0);
        kind &= invert_sign | invert_parity;
    }
    /// CF alone changes: bit tests.
    void set_carry(bool c) { set_carry_overflow(c, o()); }
    void set(Flags f) {
        result = f.z() ? 0 : 1;
        source = f.bits & (Flags::CF | Flags::OF | Flags::AF);
        kind = (f.s() ? invert_sign : 0) | (f.p() != f.z() ? invert_parity : 0);
    }

    bool z() const { return result == 0; }
    bool s() const { return (result >> 63 ^ kind >> 8) & 1; }
    bool p() const { return (!__builtin_parity(static_cast<u8>(result)) ^ (kind >> 9 & 1)) != 0; }
    [[gnu::always_inline]] bool c() const {
        u32 const k = kind & 0xff;
        if (k >= at(FlagKind::inc8)) return source != 0;
        if (k <= at(FlagKind::logic)) return image(k, Flags::CF);
        u64 const a = k >= at(FlagKind::sub8) ? result + source : result;
        return a << above(k) < source << above(k);
    }
    bool o() const {
        u32 const k = kind & 0xff;
        if (k <= at(FlagKind::logic)) return image(k, Flags::OF);
        u64 const a = first(k), b = second(k);
        return ((minus(k) ? a ^ b : b ^ result) & (a ^ result)) << above(k) >> 63;
    }
    bool a() const {
        u32 const k = kind & 0xff;
        return k <= at(FlagKind::logic) ? image(k, Flags::AF) : ((first(k) ^ second(k) ^ result) & 0x10) != 0;
    }

    Flags get() const {
        return {(c() ? Flags::CF : 0u) | (p() ? Flags::PF : 0u) | (a() ? Flags::AF : 0u) | (z() ? Flags::ZF : 0u) | (s() ? Flags::SF : 0u) | (o() ? Flags::OF : 0u)};
    }

    bool condition(unsigned cc) const {
        bool on = false;
        switch (cc >> 1) {
        case 0: on = o(); break;
        case 1: on = c(); break;
        case 2: on = z(); break;
        case 3: on = z() || c(); break;
        case 4: on = s(); break;
        case 5: on = p(); break;
        case 6: on = s() != o(); break;
        default: on = z() || s() != o(); break;
        }
        return on != ((cc & 1) != 0);
    }

private:
    static constexpr u32 at(FlagKind k) { return static_cast<u32>(k); }
    /// The kinds from add8 on: four sizes each of sums, differences, increments, decrements.
    static constexpr u32 from_sums(u32 k) { return k - at(FlagKind::add8); }
    static constexpr bool minus(u32 k) { return (from_sums(k) & 4) != 0; }
    /// Bits of 64 above the operands.
    static constexpr u32 above(u32 k) { return 64 - (8u << (from_sums(k) & 3)); }
    bool image(u32 k, u32 flag) const { return k == at(FlagKind::image) && (source & flag) != 0; }
    u64 second(u32 k) const { return k >= at(FlagKind::inc8) ? 1 : source; }
    u64 first(u32 k) const { return minus(k) ? result + second(k) : result - second(k); }
};

}  // namespace ramet
