// x87 comparisons: FCOM, FUCOM and FTST to condition codes, FCOMI and FUCOMI to ZF, PF and CF; FXAM.
#pragma once

#include "x86/fpu/x87_host.h"
#include "x86/ops/flags.h"

namespace ramet::fpu {

/// C3 C2 C0 of operands that have no order.
inline constexpr u16 unordered = fsw::C3 | fsw::C2 | fsw::C0;

/// The condition codes tell the result even if an exception is unmasked (which AMD's processors do); only a pop is then left out.
inline bool accept_comparison(X87& f, u16 status) {
    set_conditions(f, status & unordered);
    return !report(f, status & fsw::exceptions);
}
/// With an empty register.
inline bool accept_underflow(X87& f) {
    bool const unmasked = stack_underflow(f);
    set_conditions(f, unordered);
    return !unmasked;
}

/// Both return true when done (the caller may pop).
template <auto Compare>
bool compare_registers(X87& f, unsigned other) {
    if (is_empty(f, 0) || is_empty(f, other)) {
        return accept_underflow(f);
    }
    return accept_comparison(f, Compare(f, st(f, 0), st(f, other)));
}
template <class Operand>
bool compare_memory(X87& f, Operand operand) {
    if (is_empty(f, 0)) {
        return accept_underflow(f);
    }
    return accept_comparison(f, host::compare(f, st(f, 0), operand));
}

/// FCOMI: ZF PF CF take the place of C3 C2 C0, which stay, as does C1 unless the stack underflows. True: the caller may pop.
template <auto Compare>
bool compare_to_flags(X87& f, unsigned other, Flags& flags) {
    bool const underflow = is_empty(f, 0) || is_empty(f, other);
    u16 const status = underflow ? unordered : Compare(f, st(f, 0), st(f, other));
    flags = Flags{}.z(status & fsw::C3).p(status & fsw::C2).c(status & fsw::C0);
    return underflow ? !stack_underflow(f) : !report(f, status & fsw::exceptions);
}

inline void ftst(X87& f) {
    if (is_empty(f, 0)) {
        accept_underflow(f);
        return;
    }
    accept_comparison(f, host::compare(f, st(f, 0), zero));
}

/// C3 C2 C0: unsupported 000, NaN 001, normal 010, infinity 011, zero 100, empty 101, denormal 110. C1: sign.
inline void fxam(X87& f) {
    F80 const a = st(f, 0);
    u16 result = fsw::C2;
    if (is_empty(f, 0)) {
        result = fsw::C3 | fsw::C0;
    } else if (is_unsupported(a)) {
        result = 0;
    } else if (is_nan(a)) {
        result = fsw::C0;
    } else if (is_infinite(a)) {
        result = fsw::C2 | fsw::C0;
    } else if (is_zero(a)) {
        result = fsw::C3;
    } else if (is_denormal(a)) {
        result = fsw::C3 | fsw::C2;
    }
    set_conditions(f, static_cast<u16>(result | (is_negative(a) ? fsw::C1 : 0)));
}

}  // namespace ramet::fpu
