#include "machine/boot/placement.h"

#include <gtest/gtest.h>

namespace ramet {
namespace {

constexpr u64 MiB = u64{1} << 20;
constexpr u64 GiB = u64{1} << 30;

class PlacementTest : public testing::Test {
protected:
    Memory memory{std::make_shared<PagePool>(), RamLayout::of(16 * MiB).ranges()};
    Placement placement{memory, RamLayout::of(16 * MiB)};
    std::vector<u8> page = std::vector<u8>(page_size, 0xaa);
};

TEST_F(PlacementTest, PutsBytesIntoMemory) {
    ASSERT_TRUE(placement.put("it", 2 * MiB, page));
    EXPECT_EQ(memory.read(frame_of(GuestPhys{2 * MiB}))[17], 0xaa);
}

TEST_F(PlacementTest, BiosDataTellsWhereLowMemoryEnds) {
    ASSERT_TRUE(place_bios_data(placement));
    auto const low = memory.read(frame_of(GuestPhys{0}));
    EXPECT_EQ((low[0x40e] | low[0x40f] << 8) << 4, 0x9fc00);
    EXPECT_EQ((low[0x413] | low[0x414] << 8) << 10, 0x9fc00);
}

TEST_F(PlacementTest, NothingOverlaps) {
    ASSERT_TRUE(placement.put("first", 2 * MiB, page, 0x3000));
    EXPECT_EQ(placement.put("second", 2 * MiB + 0x2fff, page).error().text, "second: 4096 bytes at 0x202fff overlap with first at 0x200000");
    EXPECT_TRUE(placement.put("third", 2 * MiB + 0x3000, page));
}

TEST_F(PlacementTest, NothingLiesOutsideOfRam) {
    for (u64 at : {u64{0xa0000}, u64{0x9ffff}, 16 * MiB - 1, 16 * MiB, 3 * GiB, ~u64{0} - 100}) EXPECT_FALSE(placement.put("it", at, page)) << at;
    EXPECT_TRUE(placement.put("it", 16 * MiB - page_size, page));
}

TEST_F(PlacementTest, NothingIsPlacedInTheTestDevicesMemory) {
    EXPECT_FALSE(placement.put("it", test_memory_start, page));
    for (const MapEntry& entry : memory_map(RamLayout::of(5 * GiB))) EXPECT_FALSE(entry.base <= test_memory_start && test_memory_start < entry.base + entry.size);
    EXPECT_NE(memory.read(frame_of(GuestPhys{test_memory_start})), nullptr);
}

TEST_F(PlacementTest, FindsTheHighestAndLowestPlace) {
    ASSERT_TRUE(placement.put("top", 15 * MiB, page, MiB));
    EXPECT_EQ(placement.free_below(16 * MiB, MiB, page_size), 14 * MiB);
    EXPECT_EQ(placement.free_above(15 * MiB, 1, page_size), std::nullopt);
    EXPECT_EQ(placement.free_above(14 * MiB + 1, 10, page_size), 14 * MiB + page_size);
    EXPECT_EQ(placement.free_below(16 * MiB, 15 * MiB, page_size), std::nullopt);
}

TEST(RamLayout, LeavesAHoleBelow4GiB) {
    RamLayout const small = RamLayout::of(GiB);
    EXPECT_EQ(small.low_end, GiB);
    EXPECT_EQ(small.high_end, 4 * GiB);
    RamLayout const large = RamLayout::of(8 * GiB);
    EXPECT_EQ(large.low_end, 3 * GiB);
    EXPECT_EQ(large.high_end, 9 * GiB);
    u64 ram = 0;
    for (const MapEntry& entry : memory_map(large)) ram += entry.type == MapEntry::ram ? entry.size : 0;
    EXPECT_GT(ram, 8 * GiB - MiB);
}

}  // namespace
}  // namespace ramet
