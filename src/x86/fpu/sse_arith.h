// SSE arithmetic, comparison and conversion through the host, as functions of two vectors: a is the destination's old
// value, b the source. Scalars keep the rest of a. They run under the guest's MXCSR (environment.h).
//
// Each is one SSE2 instruction in assembly, never C++ arithmetic: with two NaNs the first operand wins, and a compiler may
// swap the operands of an addition, fold it, or move it across a change of MXCSR. Every x86-64 host has SSE2, and IEEE
// 754 and the manual define every bit of these results. Later extensions: sse_extended.h.
// Tests: the vectors of groups sse_fp and sse_cvt.
#pragma once

#include <emmintrin.h>

#include <bit>

#include "x86/cpu.h"
#include "x86/fpu/environment.h"
#include "x86/ops/flags.h"

namespace ramet::fpu {

// An assembler mnemonic cannot be a template argument: this is the one place for macros.
#define RAMET_SSE(name)                                                     \
    inline V128 name(V128 a, V128 b) {                                      \
        auto x = std::bit_cast<__m128i>(a);                                 \
        auto const y = std::bit_cast<__m128i>(b);                           \
        asm volatile(#name " %1, %0" : "+x"(x) : "x"(y));                   \
        return std::bit_cast<V128>(x);                                      \
    }
#define RAMET_SSE_ALL(operation) \
    RAMET_SSE(operation##ps) RAMET_SSE(operation##pd) RAMET_SSE(operation##ss) RAMET_SSE(operation##sd)

RAMET_SSE_ALL(add)
RAMET_SSE_ALL(sub)
RAMET_SSE_ALL(mul)
RAMET_SSE_ALL(div)
RAMET_SSE_ALL(min)
RAMET_SSE_ALL(max)
RAMET_SSE_ALL(sqrt)

// Between formats. What a narrower result does not fill becomes zero, except in scalars.
RAMET_SSE(cvtps2pd)
RAMET_SSE(cvtpd2ps)
RAMET_SSE(cvtss2sd)
RAMET_SSE(cvtsd2ss)
RAMET_SSE(cvtdq2ps)
RAMET_SSE(cvtdq2pd)
RAMET_SSE(cvtps2dq)
RAMET_SSE(cvttps2dq)
RAMET_SSE(cvtpd2dq)
RAMET_SSE(cvttpd2dq)

#undef RAMET_SSE_ALL
#undef RAMET_SSE

/// MMX integers to floating point; the other way is cvt(t)pd2dq, and cvt(t)ps2dq of two lanes.
inline V128 cvtpi2pd(V128, V128 b) { return cvtdq2pd({}, b); }
inline V128 cvtpi2ps(V128 a, V128 b) { return {cvtdq2ps({}, {b.lo, 0}).lo, a.hi}; }
inline V128 cvtps2pi(V128, V128 b) { return cvtps2dq({}, {b.lo, 0}); }
inline V128 cvttps2pi(V128, V128 b) { return cvttps2dq({}, {b.lo, 0}); }

// Between vectors and integers. The first argument of a conversion to an integer only tells its width.
#define RAMET_FROM_INTEGER(name, mnemonic, Source)               \
    inline V128 name(V128 a, Source b) {                         \
        auto x = std::bit_cast<__m128i>(a);                      \
        asm volatile(mnemonic " %1, %0" : "+x"(x) : "r"(b));     \
        return std::bit_cast<V128>(x);                           \
    }
#define RAMET_TO_INTEGER(name, mnemonic, Target)                 \
    inline Target name(Target, V128 b) {                         \
        auto const x = std::bit_cast<__m128i>(b);                \
        Target r;                                                \
        asm volatile(mnemonic " %1, %0" : "=r"(r) : "x"(x));     \
        return r;                                                \
    }

RAMET_FROM_INTEGER(cvtsi2ss, "cvtsi2ssl", u32)
RAMET_FROM_INTEGER(cvtsi2ss, "cvtsi2ssq", u64)
RAMET_FROM_INTEGER(cvtsi2sd, "cvtsi2sdl", u32)
RAMET_FROM_INTEGER(cvtsi2sd, "cvtsi2sdq", u64)
RAMET_TO_INTEGER(cvtss2si, "cvtss2si", u32)
RAMET_TO_INTEGER(cvtss2si, "cvtss2si", u64)
RAMET_TO_INTEGER(cvttss2si, "cvttss2si", u32)
RAMET_TO_INTEGER(cvttss2si, "cvttss2si", u64)
RAMET_TO_INTEGER(cvtsd2si, "cvtsd2si", u32)
RAMET_TO_INTEGER(cvtsd2si, "cvtsd2si", u64)
RAMET_TO_INTEGER(cvttsd2si, "cvttsd2si", u32)
RAMET_TO_INTEGER(cvttsd2si, "cvttsd2si", u64)

#undef RAMET_TO_INTEGER
#undef RAMET_FROM_INTEGER

// Comparisons to a mask: EQ LT LE UNORD NEQ NLT NLE ORD by imm & 7.
#define RAMET_COMPARE(name)                                                                           \
    inline V128 name(V128 a, V128 b, u8 imm) {                                                        \
        auto x = std::bit_cast<__m128i>(a);                                                           \
        auto const y = std::bit_cast<__m128i>(b);                                                     \
        switch (imm & 7) {                                                                            \
        case 0: asm volatile(#name " $0, %1, %0" : "+x"(x) : "x"(y)); break;                          \
        case 1: asm volatile(#name " $1, %1, %0" : "+x"(x) : "x"(y)); break;                          \
        case 2: asm volatile(#name " $2, %1, %0" : "+x"(x) : "x"(y)); break;                          \
        case 3: asm volatile(#name " $3, %1, %0" : "+x"(x) : "x"(y)); break;                          \
        case 4: asm volatile(#name " $4, %1, %0" : "+x"(x) : "x"(y)); break;                          \
        case 5: asm volatile(#name " $5, %1, %0" : "+x"(x) : "x"(y)); break;                          \
        case 6: asm volatile(#name " $6, %1, %0" : "+x"(x) : "x"(y)); break;                          \
        default: asm volatile(#name " $7, %1, %0" : "+x"(x) : "x"(y)); break;                         \
        }                                                                                             \
        return std::bit_cast<V128>(x);                                                                \
    }
RAMET_COMPARE(cmpps)
RAMET_COMPARE(cmppd)
RAMET_COMPARE(cmpss)
RAMET_COMPARE(cmpsd)
#undef RAMET_COMPARE

// Comparisons to ZF, PF, CF; the other arithmetic flags become zero.
#define RAMET_COMPARE_FLAGS(name)                                                                     \
    inline Flags name(V128 a, V128 b) {                                                               \
        auto const x = std::bit_cast<__m128i>(a);                                                     \
        auto const y = std::bit_cast<__m128i>(b);                                                     \
        bool z, p, c;                                                                                 \
        asm volatile(#name " %4, %3" : "=@ccz"(z), "=@ccp"(p), "=@ccc"(c) : "x"(x), "x"(y)); \
        return Flags{}.z(z).p(p).c(c);                                                                    \
    }
RAMET_COMPARE_FLAGS(comiss)
RAMET_COMPARE_FLAGS(comisd)
RAMET_COMPARE_FLAGS(ucomiss)
RAMET_COMPARE_FLAGS(ucomisd)
#undef RAMET_COMPARE_FLAGS

}  // namespace ramet::fpu
