// F2XM1, FYL2X, FYL2XP1, FPATAN, FPTAN, FSIN, FCOS, FSINCOS.
//
// CPUs differ in the last bits of these; ours are correctly rounded to the register format in the guest's rounding mode, through MPFR,
// and PE, UE, OE and C1 follow from the exact result. FSIN and its like reduce their argument by pi of 66 bits (C90FDAA22168C234C as its
// significand), as every processor does, and take the function of the exact remainder. Arguments beyond 2^63 set C2 and are left.
// Manual: AMD64 APM volume 5. Tests: the vectors of group x87trans.
#pragma once

#include "x86/fpu/x87_unit.h"

namespace ramet::fpu {

void f2xm1(X87& f);
void fyl2x(X87& f);
void fyl2xp1(X87& f);
void fpatan(X87& f);
void fptan(X87& f);
void fsin(X87& f);
void fcos(X87& f);
void fsincos(X87& f);

}  // namespace ramet::fpu
