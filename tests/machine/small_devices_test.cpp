#include <gtest/gtest.h>

#include "machine/devices/debug_ports.h"
#include "machine/devices/fw_cfg.h"
#include "rig.h"

namespace ramet {
namespace {

TEST(DebugExit, LeavesWithItsValue) {
    Rig<DebugExit> rig;
    rig.write(0, 0x10, 4);
    EXPECT_EQ(rig.requests, std::vector{Request::exit});
    EXPECT_EQ(rig.request_value, 0x10);
}

TEST(DebugConsole, IsThereAndPrints) {
    Rig<DebugConsole> rig;
    EXPECT_EQ(rig.read(0), 0xe9);
    rig.write(0, 'x');
    EXPECT_EQ(rig.out, "x");
}

TEST(Post, KeepsItsCode) {
    Rig<Post> rig;
    rig.write(0, 0x42);
    EXPECT_EQ(rig.read(0), 0x42);
}

// A kernel that finds FFFFh as its cursor is told of a place beyond the screen (25 lines of 80).
TEST(TextCrtc, KeepsTheCursorAndBeginsAtTheTop) {
    Rig<TextCrtc> rig;
    auto const half = [&](u32 index) {
        rig.write(0, index);
        return rig.read(1);
    };
    EXPECT_EQ(half(14), 0);
    EXPECT_EQ(half(15), 0);
    rig.write(0, 14);
    rig.write(1, 0x07);
    rig.write(0, 15);
    rig.write(1, 0xcf);
    EXPECT_EQ(half(14), 0x07);
    EXPECT_EQ(half(15), 0xcf);
    EXPECT_EQ(half(1), 0) << "the columns can only be written";
}

TEST(Port92, ResetsAndKeepsA20) {
    Rig<Port92> rig;
    rig.write(0, 0);
    EXPECT_EQ(rig.read(0) & 2, 2);
    EXPECT_TRUE(rig.requests.empty());
    rig.write(0, 1);
    EXPECT_EQ(rig.requests, std::vector{Request::reset});
}

TEST(ResetControl, ResetsOnBit2) {
    Rig<ResetControl> rig;
    rig.write(0, 2);
    EXPECT_TRUE(rig.requests.empty());
    rig.write(0, 6);
    EXPECT_EQ(rig.requests, std::vector{Request::reset});
}

class FwCfgTest : public testing::Test {
protected:
    u64 item(u16 key, unsigned bytes) {
        rig.write(0, key, 2);
        u64 value = 0;
        for (unsigned i = 0; i < bytes; ++i) value |= u64{rig.read(1)} << 8 * i;
        return value;
    }
    Rig<FwCfg> rig{FwCfg{.ram_bytes = u64{3} << 30}};
};

TEST_F(FwCfgTest, HasTheKeysOfTestKernels) {
    EXPECT_EQ(item(0, 4), 0x554d4551);
    EXPECT_EQ(item(3, 8), u64{3} << 30);
    EXPECT_EQ(item(5, 2), 1);
}

TEST_F(FwCfgTest, ReadsZerosBeyondAnItem) {
    item(3, 8);
    EXPECT_EQ(rig.read(1), 0);
    EXPECT_EQ(item(0x4000, 4), 0);
}

}  // namespace
}  // namespace ramet
