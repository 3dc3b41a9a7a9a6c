// CPUID of the two CPU models: ramet-v1 is the x86-64 baseline, ramet-v2 is x86-64-v2 with AES, PCLMUL, MOVBE, RDRAND, SMEP, SMAP, UMIP,
// FSGSBASE, PCID with INVPCID (AMD has had both since Zen 3, and neither before), and XSAVE of x87 and SSE state. ramet-v2 also executes
// LZCNT, and TZCNT, although it cannot announce the rest of BMI1.
// Vendor AuthenticAMD, so that vendor-specific behaviour has one truth. Nothing comes from the host.
#pragma once

#include "x86/core.h"

namespace ramet::cpuid {

struct Leaf {
    u32 eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Leaf query(const Core& core, u32 leaf, u32 subleaf);

inline bool has_smap(const Core& core) { return core.model_v2; }
inline bool has_cmpxchg16b(const Core& core) { return core.model_v2; }
inline bool has_rdtscp(const Core& core) { return core.model_v2; }
/// CR4 bits the model knows; others are #GP(0).
u64 allowed_cr4(const Core& core);

}  // namespace ramet::cpuid
