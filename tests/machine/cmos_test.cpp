#include "machine/devices/cmos.h"

#include <gtest/gtest.h>

#include "rig.h"

namespace ramet {
namespace {

class CmosTest : public testing::Test {
protected:
    static constexpr u64 second = 1'000'000'000;
    static constexpr u64 MiB = u64{1} << 20;

    CmosTest() : rig(Cmos::after_firmware(1'709'210'096, 256 * MiB, 0)) {}  // 2024-02-29T12:34:56Z, a Thursday
    u32 get(u8 at) {
        rig.write(0, at);
        return rig.read(1);
    }
    void set(u8 at, u8 value) {
        rig.write(0, at);
        rig.write(1, value);
    }
    Rig<Cmos> rig;
};

TEST_F(CmosTest, ShowsTheDateInDecimal) {
    EXPECT_EQ(get(0), 0x56);
    EXPECT_EQ(get(2), 0x34);
    EXPECT_EQ(get(4), 0x12);
    EXPECT_EQ(get(6), 5);
    EXPECT_EQ(get(7), 0x29);
    EXPECT_EQ(get(8), 0x02);
    EXPECT_EQ(get(9), 0x24);
    EXPECT_EQ(get(0x32), 0x20);
}

TEST_F(CmosTest, RunsOverTheEndOfALeapDay) {
    rig.run_for(12 * 3600 * second);
    EXPECT_EQ(get(7), 0x01);
    EXPECT_EQ(get(8), 0x03);
    EXPECT_EQ(get(6), 6);
}

TEST_F(CmosTest, TwelveHourClockAndBinary) {
    set(0xb, 0x04);
    EXPECT_EQ(get(0), 56);
    EXPECT_EQ(get(4), 0x80 | 12) << "noon is 12 pm";
    rig.run_for(3600 * second);
    EXPECT_EQ(get(4), 0x80 | 1);
}

TEST_F(CmosTest, SettingTheTimeStopsTheClock) {
    set(0xb, 0x82);
    set(0, 0x30);
    set(2, 0x59);
    set(4, 0x23);
    rig.run_for(100 * second);
    EXPECT_EQ(get(0), 0x30);
    set(0xb, 0x02);
    rig.run_for(31 * second);
    EXPECT_EQ(get(4), 0x00);
    EXPECT_EQ(get(2), 0x00);
    EXPECT_EQ(get(0), 0x01);
    EXPECT_EQ(get(8), 0x03) << "the day went on as well";
}

TEST_F(CmosTest, ResettingTheDividerStopsTheClock) {
    set(0xb, 0x42);
    set(0xa, 0x76);
    set(8, 0x02);
    set(7, 0x31);
    set(8, 0x03);
    set(0, 0x30);
    rig.run_for(100 * second);
    EXPECT_EQ(get(0), 0x30);
    EXPECT_EQ(get(0xa), 0x76) << "no update is in progress";
    EXPECT_EQ(get(0xc), 0) << "no periodic interrupts either";
    set(0xa, 0x26);
    rig.run_for(2 * second);
    EXPECT_EQ(get(0), 0x32);
    EXPECT_EQ(get(7), 0x31) << "days are plain memory until the clock runs";
    EXPECT_EQ(get(8), 0x03);
}

TEST_F(CmosTest, TheRunningClockKeepsTheMonthThatIsWritten) {
    set(8, 0x01);
    set(7, 0x31);
    set(8, 0x02);
    EXPECT_EQ(get(8), 0x02) << "the 31st is the last day of February";
    EXPECT_EQ(get(7), 0x29);
    set(7, 0x03);
    EXPECT_EQ(get(8), 0x02);
    EXPECT_EQ(get(7), 0x03);
}

TEST_F(CmosTest, UpdateInProgressShowsBeforeEachSecond) {
    EXPECT_EQ(get(0xa) & 0x80, 0);
    rig.run_for(second - 100'000);
    EXPECT_EQ(get(0xa) & 0x80, 0x80);
    rig.run_for(100'000);
    EXPECT_EQ(get(0xa) & 0x80, 0);
}

TEST_F(CmosTest, UpdateInterruptComesEverySecond) {
    set(0xb, 0x12);
    rig.run_for(second);
    EXPECT_TRUE(rig.line);
    EXPECT_EQ(get(0xc) & 0x90, 0x90);
    EXPECT_FALSE(rig.line);
    EXPECT_EQ(get(0xc) & 0x90, 0);
    rig.run_for(second);
    EXPECT_TRUE(rig.line);
}

TEST_F(CmosTest, PeriodicInterruptAt1024Hertz) {
    set(0xb, 0x42);
    for (int i = 0; i < 1024; ++i) {
        rig.run_to(rig.device.deadline());
        EXPECT_EQ(get(0xc) & 0x40, 0x40);
    }
    EXPECT_NEAR(static_cast<double>(rig.now.value), 1e9, 1e6);
}

TEST_F(CmosTest, AlarmAtATimeOfDay) {
    set(1, 0x00);
    set(3, 0x00);
    set(5, 0x13);
    set(0xb, 0x22);
    EXPECT_EQ(rig.device.deadline(), Cycles{(25 * 60 + 4) * second});
    rig.run_to(rig.device.deadline());
    EXPECT_EQ(get(0xc) & 0x20, 0x20);
}

TEST_F(CmosTest, AlarmEveryMinute) {
    set(1, 0x10);
    set(3, 0xff);
    set(5, 0xff);
    set(0xb, 0x22);
    EXPECT_EQ(rig.device.deadline(), Cycles{14 * second});
}

TEST_F(CmosTest, NoInterruptIsNoDeadline) { EXPECT_EQ(rig.device.deadline(), Cycles::never()); }

TEST_F(CmosTest, TellsTheMemorySize) {
    EXPECT_EQ(get(0x34) | get(0x35) << 8, (256 - 16) * 16);
    EXPECT_EQ(get(0x15) | get(0x16) << 8, 640);
}

TEST_F(CmosTest, KeepsItsMemory) {
    set(0x40, 0xa5);
    EXPECT_EQ(get(0x40), 0xa5);
    set(0xd, 0);
    EXPECT_EQ(get(0xd), 0x80) << "read-only";
}

}  // namespace
}  // namespace ramet
