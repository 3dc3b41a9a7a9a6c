#include "base/hex.h"

#include <gtest/gtest.h>

#include <array>

namespace ramet {
namespace {

TEST(Hex, WritesEveryByteWithTwoDigits) {
    EXPECT_EQ(hex_of(std::array<u8, 4>{0x00, 0x0f, 0xa0, 0xff}), "000fa0ff");
    EXPECT_EQ(hex_of(std::array<u8, 3>{0x01, 0x23, 0xcd}, " "), "01 23 cd");
    EXPECT_EQ(hex_of(std::span<const u8>{}, " "), "");
}

TEST(Hex, WritesAsManyDigitsOfANumberAsAskedFor) {
    EXPECT_EQ(hex_of(0x1234, 6), "001234");
    EXPECT_EQ(hex_of(0x1234, 3), "234");
    EXPECT_EQ(hex_of(~u64{0}, 16), "ffffffffffffffff");
    EXPECT_EQ(hex_of(~u64{0}, 18), "00ffffffffffffffff");
    EXPECT_EQ(hex_of(1, 0), "");
}

TEST(Hex, LeavesLeadingZerosOut) {
    for (auto const& [value, text] : {std::pair{u64{0}, "0"}, {u64{15}, "f"}, {u64{16}, "10"}, {u64{0xff}, "ff"}, {u64{0x100}, "100"}, {~u64{0}, "ffffffffffffffff"}})
        EXPECT_EQ(short_hex_of(value), text);
}

}  // namespace
}  // namespace ramet
