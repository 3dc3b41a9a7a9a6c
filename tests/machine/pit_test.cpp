#include "machine/devices/pit.h"

#include <gtest/gtest.h>

#include "machine/ticks.h"
#include "rig.h"

namespace ramet {
namespace {

class PitTest : public testing::Test {
protected:
    void set_up(unsigned channel, unsigned mode, u16 count) {
        rig.write(3, channel << 6 | 0x30 | mode << 1);
        rig.write(channel, count & 0xff);
        rig.write(channel, count >> 8);
        rig.rises.clear();  // the control word may have raised the output
    }
    u32 latched(unsigned channel) {
        rig.write(3, channel << 6);
        u32 const low = rig.read(channel);
        return low | rig.read(channel) << 8;
    }
    void run_ticks(u64 ticks) { rig.run_to(cycle_of_tick(pit_ticks, ticks_at(pit_ticks, rig.now) + ticks)); }
    Rig<Pit> rig;
};

TEST_F(PitTest, Mode2FiresEveryPeriod) {
    set_up(0, 2, 1000);
    run_ticks(10'001);
    ASSERT_EQ(rig.rises.size(), 10);
    for (u64 i = 0; i < 10; ++i) EXPECT_EQ(ticks_at(pit_ticks, rig.rises[i]), 1 + 1000 * (i + 1));
}

TEST_F(PitTest, Mode2ReloadsWithoutGlitch) {
    set_up(0, 2, 1000);
    run_ticks(500);
    rig.write(0, 100);
    rig.write(0, 0);
    run_ticks(701);
    ASSERT_EQ(rig.rises.size(), 3);
    EXPECT_EQ(ticks_at(pit_ticks, rig.rises[0]), 1001) << "the period under way ends as it began";
    EXPECT_EQ(ticks_at(pit_ticks, rig.rises[1]), 1101);
}

TEST_F(PitTest, Mode0FiresOnceAndCountsOn) {
    set_up(0, 0, 100);
    EXPECT_FALSE(rig.line);
    run_ticks(200'000);
    ASSERT_EQ(rig.rises.size(), 1);
    EXPECT_EQ(ticks_at(pit_ticks, rig.rises[0]), 101);
    EXPECT_TRUE(rig.line);
}

TEST_F(PitTest, Mode4StrobesOnce) {
    set_up(0, 4, 50);
    run_ticks(1000);
    EXPECT_EQ(rig.rises.size(), 1);
}

TEST_F(PitTest, CountsDown) {
    set_up(0, 2, 1000);
    run_ticks(101);
    EXPECT_EQ(latched(0), 900);
    run_ticks(100);
    EXPECT_EQ(latched(0), 800);
}

TEST_F(PitTest, ALatchedCountWaitsForItsReader) {
    set_up(0, 2, 1000);
    run_ticks(101);
    rig.write(3, 0);
    run_ticks(300);
    rig.write(3, 0);  // ignored: one is latched
    EXPECT_EQ(rig.read(0) | rig.read(0) << 8, 900);
}

TEST_F(PitTest, Mode3CountsByTwo) {
    set_up(2, 3, 1000);
    rig.write(4, 1);
    run_ticks(11);
    u32 const first = latched(2);
    run_ticks(5);
    EXPECT_EQ(latched(2), first - 10);
}

TEST_F(PitTest, CalibratesThroughChannel2AsLinuxDoes) {
    rig.write(4, 0);
    rig.write(4, 1);
    set_up(2, 0, 11'931);  // ten milliseconds
    EXPECT_EQ(rig.read(4) & 0x20, 0);
    Cycles const start = rig.now;
    while (!(rig.read(4) & 0x20)) rig.run_for(1000);
    EXPECT_NEAR(static_cast<double>(rig.now - start), 10'000'000, 2000);
}

TEST_F(PitTest, GateHoldsMode0) {
    rig.write(4, 1);
    set_up(2, 0, 1000);
    run_ticks(301);
    rig.write(4, 0);
    u32 const held = latched(2);
    run_ticks(5000);
    EXPECT_EQ(latched(2), held);
    rig.write(4, 1);
    run_ticks(1);
    EXPECT_NEAR(latched(2), held - 1, 1);
}

TEST_F(PitTest, ReadBackTellsTheMode) {
    set_up(0, 2, 1000);
    run_ticks(2);
    rig.write(3, 0xe2);  // status of channel 0
    EXPECT_EQ(rig.read(0), 0x80 | 0x30 | 2 << 1);
}

TEST_F(PitTest, CountsInDecimal) {
    rig.write(3, 0x30 | 2 << 1 | 1);
    rig.write(0, 0x00);
    rig.write(0, 0x10);  // 1000
    run_ticks(2);
    EXPECT_EQ(latched(0), 0x0999);
}

TEST_F(PitTest, RefreshBitToggles) {
    u32 const before = rig.read(4) & 0x10;
    run_ticks(18);
    EXPECT_NE(rig.read(4) & 0x10, before);
}

TEST_F(PitTest, FirmwareLeavesThe18HertzTick) {
    Rig<Pit> after{Pit::after_firmware()};
    after.run_to(Cycles{cycles_per_second});
    EXPECT_EQ(after.rises.size(), 18);
}

}  // namespace
}  // namespace ramet
