// FPREM and FPREM1, in integers: exact, and equal on every host.
//
// With D the difference of the exponents, D < 64 gives the final remainder and the low three quotient bits. Otherwise one step
// reduces the exponent by N, between 32 and 63, and C2 asks for another. N is the CPU's choice; as AMD does it, N = 32 + D mod 32,
// so that D - N is a multiple of 32. Partial steps truncate, in FPREM1 too.
// Manual: AMD64 APM volume 5, "FPREM1". Tests: the vectors of group x87.
#pragma once

#include "x86/fpu/x87_unit.h"

namespace ramet::fpu {

void fprem(X87& f);
void fprem1(X87& f);

}  // namespace ramet::fpu
