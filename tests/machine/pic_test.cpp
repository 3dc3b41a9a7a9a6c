#include "machine/devices/pic.h"

#include <gtest/gtest.h>

#include "rig.h"

namespace ramet {
namespace {

class PicTest : public testing::Test {
protected:
    PicTest() {
        initialise(0, 0x30, 4);
        initialise(2, 0x38, 2);
    }
    void initialise(unsigned command, u8 vector, u8 wiring, u8 icw4 = 1) {
        rig.write(command, 0x11);
        rig.write(command + 1, vector);
        rig.write(command + 1, wiring);
        rig.write(command + 1, icw4);
        rig.write(command + 1, 0);
    }
    void pulse(unsigned irq) {
        rig.device.set_line(irq, false);
        rig.device.set_line(irq, true);
    }
    Rig<Pic> rig;
    Pic& pic = rig.device;
};

TEST_F(PicTest, DeliversTheVectorOfTheLine) {
    pulse(3);
    ASSERT_TRUE(pic.interrupt());
    EXPECT_EQ(pic.acknowledge(), 0x33);
    EXPECT_FALSE(pic.interrupt());
}

TEST_F(PicTest, AnEdgeCountsOnce) {
    pulse(3);
    pic.acknowledge();
    rig.write(0, 0x20);
    EXPECT_FALSE(pic.interrupt()) << "the line is still up, but there was no new edge";
}

TEST_F(PicTest, ALevelStays) {
    rig.write(4, 0x20);
    pic.set_line(5, true);
    EXPECT_EQ(pic.acknowledge(), 0x35);
    EXPECT_FALSE(pic.interrupt()) << "in service";
    rig.write(0, 0x20);
    EXPECT_TRUE(pic.interrupt());
    pic.set_line(5, false);
    EXPECT_FALSE(pic.interrupt());
}

TEST_F(PicTest, LowerLinesWait) {
    pulse(4);
    EXPECT_EQ(pic.acknowledge(), 0x34);
    pulse(6);
    EXPECT_FALSE(pic.interrupt());
    pulse(1);
    EXPECT_TRUE(pic.interrupt());
    EXPECT_EQ(pic.acknowledge(), 0x31);
    rig.write(0, 0x20);
    EXPECT_FALSE(pic.interrupt());
    rig.write(0, 0x20);
    EXPECT_EQ(pic.acknowledge(), 0x36);
}

TEST_F(PicTest, MaskHoldsBack) {
    rig.write(1, 0x08);
    pulse(3);
    EXPECT_FALSE(pic.interrupt());
    rig.write(1, 0);
    EXPECT_TRUE(pic.interrupt()) << "the edge was kept";
}

TEST_F(PicTest, TheSlaveComesThroughTheCascade) {
    pulse(12);
    ASSERT_TRUE(pic.interrupt());
    EXPECT_EQ(pic.acknowledge(), 0x3c);
    pulse(14);
    EXPECT_FALSE(pic.interrupt());
    rig.write(2, 0x20);
    rig.write(0, 0x20);
    EXPECT_EQ(pic.acknowledge(), 0x3e);
}

TEST_F(PicTest, NothingToServeIsSpurious) { EXPECT_EQ(pic.acknowledge(), 0x37); }

TEST_F(PicTest, AutomaticEndOfInterrupt) {
    initialise(0, 0x30, 4, 3);
    pulse(3);
    pic.acknowledge();
    pulse(5);
    EXPECT_TRUE(pic.interrupt());
}

TEST_F(PicTest, RotationMakesTheServedLineLast) {
    pulse(3);
    pic.acknowledge();
    rig.write(0, 0xa0);  // rotate on non-specific end of interrupt
    pulse(3);
    pulse(5);
    EXPECT_EQ(pic.acknowledge(), 0x35);
}

TEST_F(PicTest, SpecificEndOfInterrupt) {
    pulse(4);
    pic.acknowledge();
    pulse(2 + 8);
    pulse(1);
    pic.acknowledge();
    rig.write(0, 0x64);  // ends 4, not 1
    rig.write(0, 0x0b);
    EXPECT_EQ(rig.read(0), 0x02);
}

TEST_F(PicTest, PollAcknowledges) {
    pulse(6);
    rig.write(0, 0x0c);
    EXPECT_EQ(rig.read(0), 0x86);
    EXPECT_FALSE(pic.interrupt());
}

TEST_F(PicTest, ReadsRequestAndService) {
    pulse(6);
    rig.write(0, 0x0a);
    EXPECT_EQ(rig.read(0), 0x40);
    pic.acknowledge();
    rig.write(0, 0x0b);
    EXPECT_EQ(rig.read(0), 0x40);
    rig.write(0, 0x0a);
    EXPECT_EQ(rig.read(0), 0);
}

TEST_F(PicTest, SpecialMaskLetsLowerLinesThrough) {
    pulse(3);
    pic.acknowledge();
    rig.write(0, 0x68);
    rig.write(1, 0x08);
    pulse(6);
    EXPECT_TRUE(pic.interrupt());
}

}  // namespace
}  // namespace ramet
