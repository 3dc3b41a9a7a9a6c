// Multiplication and division. CF = OF = "the upper half is significant". Undefined flags: IMUL/MUL leave SF, ZF, PF, AF
// unchanged... as the hardware shows no consistent value we take SF/PF/ZF/AF of the input; DIV and IDIV change no flag.
#pragma once

#include <optional>

#include "x86/ops/flags.h"

namespace ramet::ops {

template <Word T>
struct Product {
    T low, high;
    Flags flags;
};
template <Word T>
struct Quotient {
    T quotient, remainder;
};

template <Word T>
constexpr Product<T> mul(T a, T b, Flags in) {
    auto const wide = static_cast<Wide<T>>(static_cast<Wide<T>>(a) * b);
    T const low = static_cast<T>(wide), high = static_cast<T>(wide >> bits_of<T>);
    return {low, high, in.c(high != 0).o(high != 0)};
}

template <Word T>
constexpr Product<T> imul(T a, T b, Flags in) {
    auto const wide = static_cast<SignedWide<T>>(static_cast<SignedWide<T>>(static_cast<Signed<T>>(a)) * static_cast<Signed<T>>(b));
    T const low = static_cast<T>(wide), high = static_cast<T>(wide >> bits_of<T>);
    bool const over = wide != static_cast<SignedWide<T>>(static_cast<Signed<T>>(low));
    return {low, high, in.c(over).o(over)};
}
/// The two- and three-operand forms.
template <Word T>
constexpr Alu<T> imul2(T a, T b, Flags in) {
    auto const p = imul<T>(a, b, in);
    return {p.low, p.flags};
}

/// nullopt: #DE.
template <Word T>
constexpr std::optional<Quotient<T>> div(T high, T low, T divisor) {
    if (high >= divisor) return std::nullopt;  // covers zero
    if constexpr (sizeof(T) == 8) {
        if (high == 0) return Quotient<T>{low / divisor, low % divisor};
    }
    auto const dividend = static_cast<Wide<T>>(static_cast<Wide<T>>(high) << bits_of<T> | low);
    return Quotient<T>{static_cast<T>(dividend / divisor), static_cast<T>(dividend % divisor)};
}

template <Word T>
constexpr std::optional<Quotient<T>> idiv(T high, T low, T divisor) {
    if (divisor == 0) return std::nullopt;
    using U = Wide<T>;
    U const dividend = static_cast<U>(static_cast<U>(high) << bits_of<T> | low);
    bool const negative = high & sign_bit<T>, divisor_negative = divisor & sign_bit<T>;
    U const n = negative ? static_cast<U>(U{0} - dividend) : dividend;
    U const d = divisor_negative ? static_cast<T>(T{0} - divisor) : divisor;
    U const q = static_cast<U>(n / d), r = static_cast<U>(n % d);
    U const q_max = negative != divisor_negative ? U{sign_bit<T>} : static_cast<U>(sign_bit<T> - 1);
    if (q > q_max) return std::nullopt;
    return Quotient<T>{static_cast<T>(negative != divisor_negative ? U{0} - q : q), static_cast<T>(negative ? U{0} - r : r)};
}

static_assert(idiv<u8>(0xff, 0x80, 0xff).has_value() == false);
static_assert(idiv<u8>(0xff, 0x80, 1)->quotient == 0x80);
static_assert(!div<u8>(0, 1, 0));

}  // namespace ramet::ops
