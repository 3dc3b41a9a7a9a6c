// Pace: how many cycles a slice of a hosted machine gets, so that it lasts about a millisecond of this host's time: whoever wants the machine at a
// boundary waits for the end of a slice, and one guest may be a thousand times slower than another. Time decides nothing but where slices end, which
// no guest can see.
// Tests: tests/remote/family_test.cpp.
#pragma once

#include <algorithm>

#include "base/types.h"

namespace ramet {

class Pace {
public:
    static constexpr u64 slice_ns = 1'000'000, cycles_min = 10'000, cycles_max = 4'000'000;

    u64 cycles() const { return cycles_; }
    /// A slice took so long.
    void took(u64 cycles, u64 ns) {
        if (cycles < cycles_ / 2 && ns < slice_ns) return;  // it ended early, of which nothing can be learnt
        cycles_ = std::clamp(cycles * slice_ns / std::max<u64>(ns, 1), cycles_min, cycles_max);
    }

private:
    u64 cycles_ = cycles_min;
};

}  // namespace ramet
