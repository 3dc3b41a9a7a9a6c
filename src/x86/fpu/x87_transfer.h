// x87 loads, stores, exchanges and constants. See x87_unit.h for the order of things.
//
// Stores compute what goes to memory: the caller has probed the place for writing, writes the value if there is one, and the pop
// has already happened. So a page fault comes before any change.
#pragma once

#include "x86/fpu/x87_host.h"

namespace ramet::fpu {

/// FLD of a float or double, FILD: conversion, then push.
template <class Operand>
void load(X87& f, Operand operand) {
    set_c1(f, false);
    if (!is_empty(f, 7)) {
        push_checked(f, zero);
        return;
    }
    auto const r = host::load(f, operand);
    report(f, r.status & fsw::exceptions);
    if (!(r.status & ~f.fcw & fsw::IE)) {  // an unmasked DE does not prevent the load in AMD's processors
        push(f, r.value);
    }
}
/// FLD m80: no conversion, no exception.
inline void load_extended(X87& f, F80 value) {
    set_c1(f, false);
    push_checked(f, value);
}
void load_register(X87& f, unsigned i);
/// FBLD: 18 decimal digits and a sign.
void load_decimal(X87& f, u64 low, u16 high);
/// FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ by the low three opcode bits; rounded as RC says.
void load_constant(X87& f, unsigned number);

/// What an empty register stores while IE is masked.
constexpr u32 empty_value(Single) { return 0xffc00000; }
constexpr u64 empty_value(Double) { return 0xfff8000000000000; }
constexpr i16 empty_value(i16) { return -0x8000; }
constexpr i32 empty_value(i32) { return -0x7fffffff - 1; }
constexpr i64 empty_value(i64) { return -0x7fffffffffffffff - 1; }

/// Flags of a conversion to memory. True: there is a value to be written. PE alone does not prevent that.
inline bool accept_store(X87& f, u16 status) {
    u16 const flags = status & fsw::exceptions;
    report(f, flags);
    set_c1(f, status & fsw::C1);
    return !(flags & ~f.fcw & (fsw::exceptions & ~fsw::PE));
}

/// FST, FIST: ST(0) converted. True: `to` is to be written.
template <class Target>
bool store(X87& f, Target& to) {
    if (is_empty(f, 0)) {
        if (stack_underflow(f)) {
            return false;
        }
        to = Target{empty_value(Target{})};
        return true;
    }
    Computed<Target> r;
    host::store(f, st(f, 0), r);
    to = r.value;
    return accept_store(f, r.status);
}
/// FISTTP: towards zero whatever RC says.
template <class Target>
bool store_truncated(X87& f, Target& to) {
    u16 const control = f.fcw;
    f.fcw |= 0xc00;
    bool const done = store(f, to);
    f.fcw = control;
    return done;
}
/// FSTP m80: the register's bytes.
bool store_extended(X87& f, F80& to);
/// FBSTP: ten bytes, in the layout of an F80.
bool store_decimal(X87& f, F80& to);

/// FST ST(i); true when done.
bool store_register(X87& f, unsigned i);
void fxch(X87& f, unsigned i);
void fcmov(X87& f, unsigned i, bool condition);

}  // namespace ramet::fpu
