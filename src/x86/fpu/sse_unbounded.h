// Which inexactness SSE arithmetic reports when overflow or underflow is unmasked: the result then counts as if exponents had no
// bounds, so PE tells only whether the significand was rounded (APM volume 1, "Overflow Exception" and "Underflow Exception").
//
// Operations here have the names and operands of sse_arith.h, of vectors marked Unbounded, and return PE or 0: lanes that neither
// overflow nor underflow as the masked answer says, others after computing with the x87 unit's exponents and 64 bits, which are wide
// enough for every operation on singles and doubles. Only the slow path of sse_checked.h asks.
// Tests: the vectors of groups sse_fp and sse_cvt.
#pragma once

#include "x86/fpu/sse_arith.h"
#include "x86/fpu/sse_checked.h"
#include "x86/fpu/x87_host.h"
#include "x86/ops/simd_lanes.h"

namespace ramet::fpu {

/// A vector, and the guest's MXCSR.
struct Unbounded {
    V128 value;
    u32 mxcsr;
};

namespace unbounded {

/// Bits of the 64-bit significand that a format drops.
template <class T>
constexpr u64 dropped = sizeof(T) == 4 ? (u64{1} << 40) - 1 : (u64{1} << 11) - 1;

inline Single real(u32 bits) { return {bits}; }
inline Double real(u64 bits) { return {bits}; }

inline u32 inexact(Computed<F80> r, u64 below) { return (r.status & fsw::PE) || (r.value.significand & below) ? mxcsr::PE : 0; }

inline X87 masked_unit() {
    X87 f;
    f.fcw = fcw::fninit;
    return f;
}

/// PE of one lane. `scalar` is the SSE operation, `wide` the one of the x87 unit.
template <class T, auto Scalar, auto Wide>
u32 lane(u32 guest, T a, T b) {
    V128 ignored;
    u32 const raised = raised_by(guest, [&] { return Scalar({a, 0}, {b, 0}); }, ignored);
    if (!(raised & unmasked(guest) & (mxcsr::OE | mxcsr::UE))) return raised & mxcsr::PE;
    X87 const f = masked_unit();
    return inexact(Wide(f, host::load(f, real(a)).value, real(b)), dropped<T>);
}
template <class T, auto Scalar, auto Wide>
u32 lanes(Unbounded a, Unbounded b) {
    auto const x = ops::lanes<T>(a.value), y = ops::lanes<T>(b.value);
    u32 raised = 0;
    for (std::size_t i = 0; i < x.size(); ++i) raised |= lane<T, Scalar, Wide>(a.mxcsr, x[i], y[i]);
    return raised;
}
template <class T, auto Scalar, auto Wide>
u32 lowest(Unbounded a, Unbounded b) {
    return lane<T, Scalar, Wide>(a.mxcsr, ops::lanes<T>(a.value)[0], ops::lanes<T>(b.value)[0]);
}
/// Neighbours, of a and then of b.
template <class T, auto Scalar, auto Wide>
u32 neighbours(Unbounded a, Unbounded b) {
    u32 raised = 0;
    for (V128 const v : {a.value, b.value}) {
        auto const x = ops::lanes<T>(v);
        for (std::size_t i = 0; i < x.size(); i += 2) raised |= lane<T, Scalar, Wide>(a.mxcsr, x[i], x[i + 1]);
    }
    return raised;
}
/// Even lanes subtract, odd ones add.
template <class T, auto Difference, auto WideDifference, auto Sum, auto WideSum>
u32 alternating(Unbounded a, Unbounded b) {
    auto const x = ops::lanes<T>(a.value), y = ops::lanes<T>(b.value);
    u32 raised = 0;
    for (std::size_t i = 0; i < x.size(); i += 2) {
        raised |= lane<T, Difference, WideDifference>(a.mxcsr, x[i], y[i]);
        raised |= lane<T, Sum, WideSum>(a.mxcsr, x[i + 1], y[i + 1]);
    }
    return raised;
}

inline constexpr auto sum = [](const X87& f, F80 a, auto b) { return host::add(f, a, b); };
inline constexpr auto difference = [](const X87& f, F80 a, auto b) { return host::subtract(f, a, b); };
inline constexpr auto product = [](const X87& f, F80 a, auto b) { return host::multiply(f, a, b); };
inline constexpr auto quotient = [](const X87& f, F80 a, auto b) { return host::divide(f, a, b); };

/// Double to single: the significand's bits that a single does not have.
inline u32 narrowed(u32 guest, u64 a) {
    V128 ignored;
    u32 const raised = raised_by(guest, [&] { return cvtsd2ss({}, {a, 0}); }, ignored);
    if (!(raised & unmasked(guest) & (mxcsr::OE | mxcsr::UE))) return raised & mxcsr::PE;
    X87 const f = masked_unit();
    return inexact({host::load(f, Double{a}).value, 0}, dropped<u32>);
}

}  // namespace unbounded

/// One operation of an overload set as a template argument.
#define SCALAR(name) [](V128 x, V128 y) { return name(x, y); }
#define RAMET_UNBOUNDED(name, wide)                                                                                      \
    inline u32 name##ss(Unbounded a, Unbounded b) { return unbounded::lowest<u32, SCALAR(name##ss), unbounded::wide>(a, b); } \
    inline u32 name##sd(Unbounded a, Unbounded b) { return unbounded::lowest<u64, SCALAR(name##sd), unbounded::wide>(a, b); } \
    inline u32 name##ps(Unbounded a, Unbounded b) { return unbounded::lanes<u32, SCALAR(name##ss), unbounded::wide>(a, b); }  \
    inline u32 name##pd(Unbounded a, Unbounded b) { return unbounded::lanes<u64, SCALAR(name##sd), unbounded::wide>(a, b); }

RAMET_UNBOUNDED(add, sum)
RAMET_UNBOUNDED(sub, difference)
RAMET_UNBOUNDED(mul, product)
RAMET_UNBOUNDED(div, quotient)

inline u32 haddps(Unbounded a, Unbounded b) { return unbounded::neighbours<u32, SCALAR(addss), unbounded::sum>(a, b); }
inline u32 haddpd(Unbounded a, Unbounded b) { return unbounded::neighbours<u64, SCALAR(addsd), unbounded::sum>(a, b); }
inline u32 hsubps(Unbounded a, Unbounded b) { return unbounded::neighbours<u32, SCALAR(subss), unbounded::difference>(a, b); }
inline u32 hsubpd(Unbounded a, Unbounded b) { return unbounded::neighbours<u64, SCALAR(subsd), unbounded::difference>(a, b); }
inline u32 addsubps(Unbounded a, Unbounded b) {
    return unbounded::alternating<u32, SCALAR(subss), unbounded::difference, SCALAR(addss), unbounded::sum>(a, b);
}
inline u32 addsubpd(Unbounded a, Unbounded b) {
    return unbounded::alternating<u64, SCALAR(subsd), unbounded::difference, SCALAR(addsd), unbounded::sum>(a, b);
}
inline u32 cvtsd2ss(Unbounded a, Unbounded b) { return unbounded::narrowed(a.mxcsr, b.value.lo); }
inline u32 cvtpd2ps(Unbounded a, Unbounded b) { return unbounded::narrowed(a.mxcsr, b.value.lo) | unbounded::narrowed(a.mxcsr, b.value.hi); }

#undef SCALAR
#undef RAMET_UNBOUNDED

}  // namespace ramet::fpu
