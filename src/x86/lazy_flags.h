// LazyFlags: the arithmetic flags as {result, source, kind}, computed when somebody looks.
//
// ZF, SF and PF come from `result` alone, whatever the kind: ZF = result is 0; SF = its sign, inverted by kind bit 8; PF = parity of
// its low byte, inverted by kind bit 9. CF, OF and AF follow from the kind, by calling the pure operation again. The kind `image`
// holds CF, OF and AF as bits in `source`. Outside the interpreter nobody can tell.
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
        source = (carry_parts().bits & Flags::AF) | (c ? Flags::CF : 0) | (o ? Flags::OF : 0);
        kind &= invert_sign | invert_parity;
    }
    void set(Flags f) {
        result = f.z() ? 0 : 1;
        source = f.bits & (Flags::CF | Flags::OF | Flags::AF);
        kind = (f.s() ? invert_sign : 0) | (f.p() != f.z() ? invert_parity : 0);
    }

    bool z() const { return result == 0; }
    bool s() const { return (result >> 63 ^ kind >> 8) & 1; }
    bool p() const { return (!__builtin_parity(static_cast<u8>(result)) ^ (kind >> 9 & 1)) != 0; }
    bool c() const { return carry_parts().c(); }
    bool o() const { return carry_parts().o(); }

    Flags get() const { return {carry_parts().bits | (p() ? Flags::PF : 0) | (z() ? Flags::ZF : 0) | (s() ? Flags::SF : 0)}; }

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
    template <Word T>
    Flags added() const {
        return ops::add<T>(static_cast<T>(result - source), static_cast<T>(source), {}).flags;
    }
    template <Word T>
    Flags subtracted() const {
        return ops::sub<T>(static_cast<T>(result + source), static_cast<T>(source), {}).flags;
    }
    template <Word T>
    Flags incremented() const {
        return ops::inc<T>(static_cast<T>(result - 1), Flags{}.c(source != 0)).flags;
    }
    template <Word T>
    Flags decremented() const {
        return ops::dec<T>(static_cast<T>(result + 1), Flags{}.c(source != 0)).flags;
    }
    Flags parts() const {
        switch (static_cast<FlagKind>(kind & 0xff)) {
        case FlagKind::image: return {static_cast<u32>(source)};
        case FlagKind::logic: return {};
        case FlagKind::add8: return added<u8>();
        case FlagKind::add16: return added<u16>();
        case FlagKind::add32: return added<u32>();
        case FlagKind::add64: return added<u64>();
        case FlagKind::sub8: return subtracted<u8>();
        case FlagKind::sub16: return subtracted<u16>();
        case FlagKind::sub32: return subtracted<u32>();
        case FlagKind::sub64: return subtracted<u64>();
        case FlagKind::inc8: return incremented<u8>();
        case FlagKind::inc16: return incremented<u16>();
        case FlagKind::inc32: return incremented<u32>();
        case FlagKind::inc64: return incremented<u64>();
        case FlagKind::dec8: return decremented<u8>();
        case FlagKind::dec16: return decremented<u16>();
        case FlagKind::dec32: return decremented<u32>();
        case FlagKind::dec64: return decremented<u64>();
        }
        return {};
    }
    Flags carry_parts() const { return {parts().bits & (Flags::CF | Flags::OF | Flags::AF)}; }
};

}  // namespace ramet
