#include "machine/devices/pci_host.h"

#include <gtest/gtest.h>

#include "rig.h"

namespace ramet {
namespace {

class PciHostTest : public testing::Test {
protected:
    void select(u32 device, u32 reg) { rig.write(0, 0x80000000 | device << 11 | reg, 4); }
    Rig<PciHost> rig;
};

TEST_F(PciHostTest, IsA440fx) {
    select(0, 0);
    EXPECT_EQ(rig.read(1, 4), 0x12378086);
    select(0, 8);
    EXPECT_EQ(rig.read(3, 2) & 0xffff, 0x0600);
}

TEST_F(PciHostTest, NothingElseIsThere) {
    for (u32 device = 1; device < 32; ++device) {
        select(device, 0);
        EXPECT_EQ(rig.read(1, 4), ~u32{0});
    }
}

TEST_F(PciHostTest, WithDisksThereIsAPiix3) {
    rig.device.ide = PciIde::after_firmware();
    select(1, 0);
    EXPECT_EQ(rig.read(1, 4), 0x70008086);
    select(1, 0x0c);
    EXPECT_EQ(rig.read(3) & 0x80, 0x80U) << "several functions";
    select(1, 0x100);
    EXPECT_EQ(rig.read(1, 4), 0x70108086);
    select(1, 0x108);
    EXPECT_EQ(rig.read(1, 4) >> 8, 0x010180U) << "IDE in legacy mode, with a bus master";
    select(1, 0x200);
    EXPECT_EQ(rig.read(1, 4), ~u32{0});
}

TEST_F(PciHostTest, TheBusMastersPortsCanBeMoved) {
    rig.device.ide = PciIde::after_firmware();
    EXPECT_TRUE(rig.device.ide.claims(0xc00f));
    EXPECT_FALSE(rig.device.ide.claims(0xc010));
    select(1, 0x120);
    rig.write(1, ~u32{0}, 4);
    EXPECT_EQ(rig.read(1, 4), 0xfffffff1U) << "16 ports";
    rig.write(1, 0xd0, 1);
    rig.write(2, 0xe0, 1);
    EXPECT_EQ(rig.read(1, 4), 0xe0d1U);
    EXPECT_TRUE(rig.device.ide.claims(0xe0d0));
    select(1, 0x104);
    rig.write(1, 4, 2);
    EXPECT_FALSE(rig.device.ide.claims(0xe0d0)) << "I/O is switched off";
    select(1, 0x110);
    rig.write(1, ~u32{0}, 4);
    EXPECT_EQ(rig.read(1, 4), 0U);
}

TEST_F(PciHostTest, DisabledAddressReadsOnes) {
    rig.write(0, 0, 4);
    EXPECT_EQ(rig.read(1, 4), ~u32{0});
}

TEST_F(PciHostTest, AddressReadsBack) {
    select(3, 0x10);
    EXPECT_EQ(rig.read(0, 4), 0x80001810);
}

}  // namespace
}  // namespace ramet
