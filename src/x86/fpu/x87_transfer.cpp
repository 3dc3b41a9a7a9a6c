#include "x86/fpu/x87_transfer.h"

#include <array>
#include <bit>

namespace ramet::fpu {

void load_register(X87& f, unsigned i) {
    set_c1(f, false);
    if (is_empty(f, i)) {  // comes before overflow
        if (!stack_underflow(f)) {
            push(f, indefinite);
        }
        return;
    }
    push_checked(f, st(f, i));
}

/// Digits above 9 count as their binary value, as hardware does.
void load_decimal(X87& f, u64 low, u16 high) {
    u64 magnitude = 0;
    for (int digit = 17; digit >= 0; --digit) {
        unsigned const bits = digit >= 16 ? high >> 4 * (digit - 16) & 15u : static_cast<unsigned>(low >> 4 * digit & 15);
        magnitude = magnitude * 10 + bits;
    }
    F80 value = {0, static_cast<u16>(high & 0x8000)};
    if (magnitude != 0) {
        unsigned const shift = static_cast<unsigned>(std::countl_zero(magnitude));
        value.significand = magnitude << shift;
        value.sign_exponent = static_cast<u16>(value.sign_exponent | (0x3fff + 63 - shift));
    }
    load_extended(f, value);
}

void load_constant(X87& f, unsigned number) {
    /// Truncated values, and whether rounding to nearest goes up.
    struct Constant {
        F80 truncated;
        bool nearest_is_up;
        bool exact;
    };
    static constexpr std::array<Constant, 8> constants = {{
        {one, false, true},                                  // 1
        {{0xd49a784bcd1b8afe, 0x4000}, false, false},        // log2(10)
        {{0xb8aa3b295c17f0bb, 0x3fff}, true, false},         // log2(e)
        {{0xc90fdaa22168c234, 0x4000}, true, false},         // pi
        {{0x9a209a84fbcff798, 0x3ffd}, true, false},         // log10(2)
        {{0xb17217f7d1cf79ab, 0x3ffe}, true, false},         // ln(2)
        {zero, false, true},                                 // 0
        {zero, false, true},
    }};
    Constant const& c = constants[number & 7];
    unsigned const rounding = f.fcw >> fcw::rounding_shift & 3;
    bool const up = !c.exact && (rounding == 2 || (rounding == 0 && c.nearest_is_up));
    load_extended(f, {c.truncated.significand + (up ? 1 : 0), c.truncated.sign_exponent});
}

bool store_extended(X87& f, F80& to) {
    if (is_empty(f, 0)) {
        to = indefinite;
        return !stack_underflow(f);
    }
    set_c1(f, false);
    to = st(f, 0);
    return true;
}

bool store_decimal(X87& f, F80& to) {
    constexpr F80 decimal_indefinite = {0xc000000000000000, 0xffff};
    if (is_empty(f, 0)) {
        to = decimal_indefinite;
        return !stack_underflow(f);
    }
    Computed<F80> r;
    host::store_decimal(f, st(f, 0), r);
    to = r.value;
    return accept_store(f, r.status);
}

bool store_register(X87& f, unsigned i) {
    if (is_empty(f, 0)) {
        if (stack_underflow(f)) {
            return false;
        }
        set_st(f, i, indefinite);
        return true;
    }
    set_c1(f, false);
    set_st(f, i, st(f, 0));
    return true;
}

void fxch(X87& f, unsigned i) {
    if (is_empty(f, 0) || is_empty(f, i)) {
        if (stack_underflow(f)) {
            return;
        }
    } else {
        set_c1(f, false);
    }
    F80 const a = is_empty(f, 0) ? indefinite : st(f, 0);
    F80 const b = is_empty(f, i) ? indefinite : st(f, i);
    set_st(f, 0, b);
    set_st(f, i, a);
}

void fcmov(X87& f, unsigned i, bool condition) {
    if (is_empty(f, 0) || is_empty(f, i)) {
        if (!stack_underflow(f)) {
            set_st(f, 0, indefinite);
        }
        return;
    }
    if (condition) {
        st(f, 0) = st(f, i);
    }
}

}  // namespace ramet::fpu
