#include "machine/devices/acpi_pm.h"

#include <gtest/gtest.h>

#include "machine/ticks.h"
#include "rig.h"

namespace ramet {
namespace {

class AcpiPmTest : public testing::Test {
protected:
    Rig<AcpiPm> rig;
};

TEST_F(AcpiPmTest, TimerRunsAt3579545Hertz) {
    rig.run_for(1'000'000'000);
    EXPECT_EQ(rig.read(8, 4), 3'579'545);
    rig.run_for(4'000'000'000);
    EXPECT_EQ(rig.read(8, 4), (u64{3'579'545} * 5 + 2) & 0xff'ffff) << "24 bits, and no drift";
}

TEST_F(AcpiPmTest, TimerInterruptWhenItsTopBitChanges) {
    rig.write(2, 1, 2);
    EXPECT_FALSE(rig.line);
    rig.run_to(cycle_of_tick(pm_ticks, u64{1} << 23));
    EXPECT_TRUE(rig.line);
    EXPECT_EQ(rig.read(0, 2) & 1, 1);
    rig.write(0, 1, 2);
    EXPECT_FALSE(rig.line);
}

TEST_F(AcpiPmTest, SoftOffPowersOff) {
    rig.write(4, 5 << 10, 2);
    EXPECT_TRUE(rig.requests.empty());
    rig.write(4, 5 << 10 | 0x2000, 2);
    EXPECT_EQ(rig.requests, std::vector{Request::power_off});
}

TEST_F(AcpiPmTest, OtherSleepStatesDoNothing) {
    rig.write(4, 1 << 10 | 0x2000, 2);
    EXPECT_TRUE(rig.requests.empty());
}

TEST_F(AcpiPmTest, AcpiModeIsAlwaysOn) {
    rig.write(4, 0, 2);
    EXPECT_EQ(rig.read(4, 2) & 1, 1);
}

TEST_F(AcpiPmTest, BytesOfARegister) {
    rig.write(3, 0x05, 1);
    EXPECT_EQ(rig.read(2, 2), 0x0500);
}

}  // namespace
}  // namespace ramet
