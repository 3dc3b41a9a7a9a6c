#include "machine/ticks.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ramet {
namespace {

TEST(Ticks, PitRunsAtTheCrystalsTwelfth) {
    EXPECT_EQ(ticks_at(pit_ticks, Cycles{cycles_per_second}), 1'193'181);
    EXPECT_EQ(ticks_at(pm_ticks, Cycles{cycles_per_second}), 3'579'545);
}

RC_GTEST_PROP(Ticks, FirstCycleOfATickIsTheFirst, (u32 tick)) {
    for (Ratio const ratio : {pit_ticks, pm_ticks}) {
        Cycles const at = cycle_of_tick(ratio, u64{tick} + 1);
        RC_ASSERT(ticks_at(ratio, at) == u64{tick} + 1);
        RC_ASSERT(ticks_at(ratio, Cycles{at - 1}) == tick);
    }
}

TEST(Ticks, BeyondTheRangeIsNever) {
    EXPECT_EQ(cycle_of_tick(pit_ticks, ~u64{0}), Cycles::never());
    EXPECT_EQ(after(Cycles{10}, ~u64{0} - 10), Cycles::never());
    EXPECT_EQ(after(Cycles{10}, 5), Cycles{15});
    EXPECT_EQ(after(Cycles::never(), 0), Cycles::never());
}

}  // namespace
}  // namespace ramet
