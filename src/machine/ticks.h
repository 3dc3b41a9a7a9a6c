// Virtual time: one cycle is one nanosecond, always. Every timer in the PC derives from the cycle counter by an exact ratio, so
// no rounding drifts between two of them. Products are taken in 128 bits: nothing wraps within the range of Cycles.
// Tests: tests/machine/ticks_test.cpp.
#pragma once

#include "base/types.h"

namespace ramet {

inline constexpr u64 cycles_per_second = 1'000'000'000;

/// A timer's frequency as a fraction of the cycle rate: ticks = cycles * numerator / denominator.
struct Ratio {
    u64 numerator;
    u64 denominator;
};

inline constexpr Ratio pit_ticks{105, 88'000};  ///< 14.31818 MHz / 12 = 105/88 MHz
inline constexpr Ratio pm_ticks{315, 88'000};   ///< 14.31818 MHz / 4

/// Ticks that have passed at `at`.
constexpr u64 ticks_at(Ratio ratio, Cycles at) {
    return static_cast<u64>(u128{at.value} * ratio.numerator / ratio.denominator);
}

/// The first cycle at which `ticks` ticks have passed; never() when that lies beyond the range of Cycles.
constexpr Cycles cycle_of_tick(Ratio ratio, u64 ticks) {
    u128 const cycles = (u128{ticks} * ratio.denominator + ratio.numerator - 1) / ratio.numerator;
    return cycles < Cycles::never().value ? Cycles{static_cast<u64>(cycles)} : Cycles::never();
}

/// Sum that stops at never().
constexpr Cycles after(Cycles at, u64 cycles) {
    return cycles < Cycles::never().value - at.value ? Cycles{at.value + cycles} : Cycles::never();
}

}  // namespace ramet
