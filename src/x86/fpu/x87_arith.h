// x87 arithmetic: FADD to FDIVR, FSQRT, FRNDINT, FSCALE, FABS, FCHS, FXTRACT. See x87_unit.h for the order of things.
#pragma once

#include "x86/fpu/x87_host.h"

namespace ramet::fpu {

/// Flags of a computation into a register. True: there is a result to be written. The status word's C1 tells the rounding direction.
/// An unmasked IE, DE or ZE prevents the computation, and so the flags that it would have raised.
inline bool accept(X87& f, u16 status) {
    bool const prevented = status & ~f.fcw & fsw::before_computing;
    report(f, status & (prevented ? fsw::before_computing : fsw::exceptions));
    set_c1(f, !prevented && (status & fsw::C1));
    return !prevented;
}

/// ST(target) = a op ST(source) for registers; true when done (the caller may pop).
template <auto Operation>
bool compute_registers(X87& f, unsigned target, unsigned source) {
    if (is_empty(f, target) || is_empty(f, source)) {
        if (stack_underflow(f)) {
            return false;
        }
        set_st(f, target, indefinite);
        return true;
    }
    auto const r = Operation(f, st(f, target), st(f, source));
    if (!accept(f, r.status)) {
        return false;
    }
    st(f, target) = r.value;
    return true;
}

/// ST(0) = ST(0) op operand.
template <auto Operation, class Operand>
void compute_memory(X87& f, Operand operand) {
    if (is_empty(f, 0)) {
        if (!stack_underflow(f)) {
            set_st(f, 0, indefinite);
        }
        return;
    }
    auto const r = Operation(f, st(f, 0), operand);
    if (accept(f, r.status)) {
        st(f, 0) = r.value;
    }
}

/// ST(0) = op ST(0).
template <auto Operation>
void compute_unary(X87& f) {
    if (is_empty(f, 0)) {
        if (!stack_underflow(f)) {
            set_st(f, 0, indefinite);
        }
        return;
    }
    auto const r = Operation(f, st(f, 0));
    if (accept(f, r.status)) {
        st(f, 0) = r.value;
    }
}

/// FABS and FCHS change a sign and nothing else, whatever the value.
inline Computed<F80> absolute(const X87&, F80 a) { return {{a.significand, static_cast<u16>(exponent(a))}, 0}; }
inline Computed<F80> change_sign(const X87&, F80 a) { return {negated(a), 0}; }

void fscale(X87& f);
void fxtract(X87& f);

}  // namespace ramet::fpu
