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
