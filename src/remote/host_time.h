// The host's clock, for leases, rates and patience with peers. It never reaches a guest.
#pragma once

#include "base/types.h"

namespace ramet {

/// Nanoseconds of a clock that only goes forward.
u64 host_ns();

inline constexpr u64 ns_per_s = 1'000'000'000;
inline constexpr u64 ns_per_ms = 1'000'000;

}  // namespace ramet
