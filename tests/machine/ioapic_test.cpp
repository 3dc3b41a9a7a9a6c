#include "machine/devices/ioapic.h"

#include <gtest/gtest.h>

#include "rig.h"

namespace ramet {
namespace {

class IoApicTest : public testing::Test {
protected:
    void set_entry(unsigned pin, u64 entry) {
        for (unsigned half = 0; half < 2; ++half) {
            rig.write(0, 0x10 + 2 * pin + half);
            rig.write(0x10, static_cast<u32>(entry >> 32 * half));
        }
    }
    void pin(unsigned n, bool level) {
        Wires wires = rig.wires();
        rig.device.set_pin(n, level, wires);
    }
    Rig<IoApic> rig;
};

TEST_F(IoApicTest, TellsItsVersion) {
    rig.write(0, 1);
    EXPECT_EQ(rig.read(0x10), 0x00170020);
}

TEST_F(IoApicTest, EntriesComeUpMasked) {
    pin(4, true);
    EXPECT_TRUE(rig.messages.empty());
}

TEST_F(IoApicTest, AnEdgeIsSentOnce) {
    set_entry(4, 0x44 | u64{1} << 56);
    pin(4, true);
    pin(4, true);
    ASSERT_EQ(rig.messages.size(), 1);
    EXPECT_EQ(rig.messages[0].vector, 0x44);
    EXPECT_EQ(rig.messages[0].destination, 1);
    pin(4, false);
    pin(4, true);
    EXPECT_EQ(rig.messages.size(), 2);
}

TEST_F(IoApicTest, ALevelIsSentAgainAfterItsEnd) {
    set_entry(9, 0x8000 | 0x39);
    pin(9, true);
    ASSERT_EQ(rig.messages.size(), 1);
    EXPECT_TRUE(rig.messages[0].level);
    Wires wires = rig.wires();
    rig.device.end_of_interrupt(0x39, wires);
    EXPECT_EQ(rig.messages.size(), 2) << "the line is still up";
    pin(9, false);
    rig.device.end_of_interrupt(0x39, wires);
    EXPECT_EQ(rig.messages.size(), 2);
}

TEST_F(IoApicTest, ALevelWaitsBehindItsMask) {
    set_entry(9, 0x18000 | 0x39);
    pin(9, true);
    EXPECT_TRUE(rig.messages.empty());
    set_entry(9, 0x8000 | 0x39);
    EXPECT_EQ(rig.messages.size(), 1);
}

TEST_F(IoApicTest, AnNmiIsAnEdgeWhateverItsEntrySays) {
    EXPECT_FALSE(rig.device.sends_nmi());
    set_entry(9, 0x8400);
    EXPECT_TRUE(rig.device.sends_nmi());
    for (int i = 0; i < 2; ++i) pin(9, true), pin(9, false);
    ASSERT_EQ(rig.messages.size(), 2);
    EXPECT_EQ(rig.messages[1].delivery_mode, 4);
    EXPECT_FALSE(rig.messages[1].level);
}

TEST_F(IoApicTest, PinsBeyondTheLastAreIgnored) {
    pin(IoApic::pin_count, true);
    rig.write(0, 0xff);
    rig.write(0x10, 0);
    EXPECT_EQ(rig.read(0x10), 0);
}

}  // namespace
}  // namespace ramet
