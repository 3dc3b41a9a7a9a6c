// Floating point of SSE3 and SSE4.1, and the approximations RCP and RSQRT, from SSE2 instructions and integers, since a
// host may lack the extensions or approximate otherwise. Same conventions as sse_arith.h.
// Tests: the vectors of groups sse_fp, sse41 and sse_approx.
#pragma once

#include "x86/cpu.h"

namespace ramet::fpu {

// SSE3: alternate subtraction and addition; sums and differences of neighbours.
V128 addsubps(V128 a, V128 b);
V128 addsubpd(V128 a, V128 b);
V128 haddps(V128 a, V128 b);
V128 haddpd(V128 a, V128 b);
V128 hsubps(V128 a, V128 b);
V128 hsubpd(V128 a, V128 b);

// SSE4.1: rounding to an integer in floating-point format. imm bits 0..1 rounding mode, bit 2 MXCSR's instead, bit 3
// do not report inexactness.
V128 roundps(V128 a, V128 b, u8 imm);
V128 roundpd(V128 a, V128 b, u8 imm);
V128 roundss(V128 a, V128 b, u8 imm);
V128 roundsd(V128 a, V128 b, u8 imm);

// SSE4.1: dot product of the lanes chosen by imm bits 4.., into the lanes chosen by imm bits 0..
V128 dpps(V128 a, V128 b, u8 imm);
V128 dppd(V128 a, V128 b, u8 imm);
/// The same when an exception may be unmasked. Each step reports on its own: what the products raise prevents the sums.
/// False: #XM, as checked() of sse_checked.h.
struct Staged {
    u32& mxcsr;
    V128& result;
};
bool dpps(Staged to, V128 a, V128 b, u8 imm);
bool dppd(Staged to, V128 a, V128 b, u8 imm);

// 1/x and 1/sqrt(x), where CPUs differ. Ours: the exact quotient to the nearest single, the exact root rounded down; both are
// well within the 1.5 * 2^-12 that the manual asks for. They raise no flag and ignore rounding, FTZ and DAZ: denormals
// count as zero, results below the normal range become zero.
V128 rcpps(V128 a, V128 b);
V128 rcpss(V128 a, V128 b);
V128 rsqrtps(V128 a, V128 b);
V128 rsqrtss(V128 a, V128 b);

}  // namespace ramet::fpu
