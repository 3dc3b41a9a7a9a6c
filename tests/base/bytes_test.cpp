#include "base/bytes.h"

#include <array>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ramet {
namespace {

constexpr std::array<u8, 8> sample = {0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x91};
static_assert(load_le<u8>(sample.data()) == 0x88);
static_assert(load_le<u16>(sample.data()) == 0x7788);
static_assert(load_le<u32>(sample.data()) == 0x55667788);
static_assert(load_le<u64>(sample.data()) == 0x9122334455667788);
static_assert(load_le<i8>(sample.data()) == -120);

TEST(Bytes, StoreWritesTheLowByteFirstAndNothingElse) {
    std::array<u8, 5> bytes = {1, 1, 1, 1, 1};
    store_le<u16>(bytes.data() + 1, 0xabcd);
    EXPECT_EQ(bytes, (std::array<u8, 5>{1, 0xcd, 0xab, 1, 1}));
}

RC_GTEST_PROP(Bytes, LoadInvertsStoreAtAnyAlignment, (u64 value, i32 number)) {
    std::array<u8, 16> bytes = {};
    auto const offset = static_cast<std::size_t>(value % 8);
    store_le(bytes.data() + offset, value);
    RC_ASSERT(load_le<u64>(bytes.data() + offset) == value);
    store_le(bytes.data() + offset, number);
    RC_ASSERT(load_le<i32>(bytes.data() + offset) == number);
}

}  // namespace
}  // namespace ramet
