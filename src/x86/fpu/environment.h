// The host's MXCSR, which the guest's SSE arithmetic runs under.
//
// While an interpreter runs, the host's MXCSR holds the guest's rounding mode, FTZ, DAZ and sticky flags, with every exception
// masked, so that one host instruction does what the guest's does and leaves the flags it leaves. Whoever reads the
// guest's MXCSR (STMXCSR, FXSAVE, the end of a run) first collects the flags. Guests that unmask an exception take the
// slow path in sse_checked.h, which looks at the flags of each instruction.
//
// Only src/x86/fpu names float, double or a rounding mode. Tests: the vectors of groups sse_fp and sse_cvt.
#pragma once

#include "base/types.h"

namespace ramet::fpu {

/// MXCSR (APM volume 1, "MXCSR Register"). Bits 16 and above are reserved here: misaligned SSE is not announced.
namespace mxcsr {
inline constexpr u32 IE = 1, DE = 2, ZE = 4, OE = 8, UE = 0x10, PE = 0x20;
inline constexpr u32 flags = 0x3f;
inline constexpr u32 DAZ = 0x40;
inline constexpr u32 masks = 0x1f80;
inline constexpr unsigned mask_shift = 7;
inline constexpr u32 UM = UE << mask_shift;
inline constexpr u32 rounding = 0x6000;
inline constexpr u32 FTZ = 0x8000;
inline constexpr u32 writable = 0xffff;
inline constexpr u32 reset = 0x1f80;
}  // namespace mxcsr

inline u32 host_mxcsr() {
    u32 value;
    asm volatile("stmxcsr %0" : "=m"(value));
    return value;
}
inline void set_host_mxcsr(u32 value) { asm volatile("ldmxcsr %0" : : "m"(value) : "memory"); }

/// Makes the guest's control bits and flags the host's.
inline void load_mxcsr(u32 guest) { set_host_mxcsr((guest & mxcsr::writable) | mxcsr::masks); }
/// The guest's MXCSR with what has accumulated since load_mxcsr.
inline u32 collected_mxcsr(u32 guest) { return guest | (host_mxcsr() & mxcsr::flags); }

/// Sets sticky flags, for operations that our own code computes.
inline void raise_flags(u32 flags) {
    if (flags != 0) {
        set_host_mxcsr(host_mxcsr() | flags);
    }
}

/// Around a run of the interpreter: the guest's environment inside, the host's own after.
class MxcsrScope {
public:
    explicit MxcsrScope(u32& guest) : guest_(guest), host_(host_mxcsr()) { load_mxcsr(guest); }
    ~MxcsrScope() {
        guest_ = collected_mxcsr(guest_);
        set_host_mxcsr(host_);
    }
    MxcsrScope(const MxcsrScope&) = delete;
    MxcsrScope& operator=(const MxcsrScope&) = delete;

private:
    u32& guest_;
    u32 host_;
};

}  // namespace ramet::fpu
