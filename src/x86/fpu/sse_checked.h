// SSE arithmetic for guests that have unmasked an exception: the slow path around the operations of sse_arith.h.
//
// The operation runs with all exceptions masked and no flag set; the flags it leaves are compared with the guest's masks.
// An unmasked exception leaves the destination alone, sets flags, and is #XM. Order (APM volume 1, "SIMD Floating-Point
// Exceptions"): IE, DE and ZE are found before computing; if one of them is unmasked, nothing is computed, so OE, UE and
// PE stay as they are. Underflow differs between masked (tiny and inexact) and unmasked (tiny): a second run with FTZ, which
// flushes exact denormals too and says so, tells.
// Tests: the vectors of groups sse_fp and sse_cvt.
#pragma once

#include "x86/fpu/environment.h"

namespace ramet::fpu {

inline constexpr u32 before_computing = mxcsr::IE | mxcsr::DE | mxcsr::ZE;

/// Exceptions that the guest wants to hear of.
constexpr u32 unmasked(u32 guest_mxcsr) { return ~(guest_mxcsr >> mxcsr::mask_shift) & mxcsr::flags; }

/// Flags that `operation` raises under the guest's control bits; `result` receives what it returns.
template <class Value, class Operation>
u32 raised_by(u32 guest_mxcsr, const Operation& operation, Value& result) {
    u32 control = (guest_mxcsr & mxcsr::writable & ~mxcsr::flags) | mxcsr::masks;
    bool const reports_tiny = unmasked(guest_mxcsr) & mxcsr::UE;
    u32 tiny = 0;
    if (reports_tiny) {
        set_host_mxcsr(control | mxcsr::FTZ);
        result = operation();
        tiny = host_mxcsr() & mxcsr::UE;
        control &= ~mxcsr::FTZ;  // has no effect while underflow is unmasked
    }
    set_host_mxcsr(control);
    result = operation();
    return (host_mxcsr() & mxcsr::flags) | tiny;
}

/// Runs `operation` and updates the guest's flags. False: #XM, and the result is not to be written. The host's MXCSR then holds
/// the guest's again. `inexact` tells PE where overflow or underflow is reported (sse_unbounded.h).
template <class Value, class Operation, class Inexact>
bool checked(u32& guest_mxcsr, const Operation& operation, const Inexact& inexact, Value& result) {
    guest_mxcsr = collected_mxcsr(guest_mxcsr);
    u32 raised = raised_by(guest_mxcsr, operation, result);
    u32 const reported = unmasked(guest_mxcsr);
    if (raised & reported & (mxcsr::OE | mxcsr::UE)) {
        raised = (raised & ~mxcsr::PE) | (raised & inexact(guest_mxcsr));
    }
    if (raised & reported & before_computing) {
        raised &= before_computing;
    }
    guest_mxcsr |= raised;
    load_mxcsr(guest_mxcsr);
    return (raised & reported) == 0;
}

}  // namespace ramet::fpu
