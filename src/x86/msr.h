// Model-specific registers: those of the CPU here, the rest is asked of the machine (local APIC). Unknown ones are #GP(0).
#pragma once

#include "x86/core.h"

namespace ramet::msr {

inline constexpr u32 performance_counters = 4;  ///< as all of AMD's processors have; without an event that they would count

Result<u64> read(Core& core, u32 index);
Fault write(Core& core, u32 index, u64 value);

}  // namespace ramet::msr
