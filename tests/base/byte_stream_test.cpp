#include "base/byte_stream.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ramet {
namespace {

RC_GTEST_PROP(ByteStream, GivesBackWhatWasWritten, (u64 a, u32 b, u8 c, std::string text, std::vector<u8> block)) {
    ByteWriter to;
    to.varint(a);
    to.put(b);
    to.text(text);
    to.put(c);
    to.block(block);
    to.digest({a, b});
    std::vector<u8> const bytes = to.finish();
    ByteReader from{bytes};
    RC_ASSERT(from.varint() == a);
    RC_ASSERT(from.get<u32>() == b);
    RC_ASSERT(from.text(text.size()) == text);
    RC_ASSERT(from.get<u8>() == c);
    std::span<const u8> const found = from.block(block.size());
    RC_ASSERT(std::vector<u8>(found.begin(), found.end()) == block);
    RC_ASSERT(from.digest() == (Digest{a, b}));
    RC_ASSERT(from.done());
}

RC_GTEST_PROP(ByteStream, AVarintHasOneForm, (std::vector<u8> bytes)) {
    ByteReader from{bytes};
    u64 const value = from.varint();
    if (!from.ok()) return;
    ByteWriter to;
    to.varint(value);
    RC_ASSERT(std::equal(to.bytes().begin(), to.bytes().end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(from.at())));
}

TEST(ByteStream, StaysFailedAndNeverReadsBeyondTheEnd) {
    std::vector<u8> const bytes = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 7};
    ByteReader length{bytes};
    EXPECT_TRUE(length.block(~u64{0}).empty());
    EXPECT_FALSE(length.ok());
    EXPECT_EQ(length.get<u8>(), 0);
    ByteReader limit{std::span{bytes}.subspan(9)};
    EXPECT_TRUE(limit.block(0).empty());
    EXPECT_FALSE(limit.ok());
    ByteReader whole{bytes};
    EXPECT_EQ(whole.varint(), ~u64{0});
    EXPECT_EQ(whole.get<u8>(), 7);
    EXPECT_TRUE(whole.done());
    EXPECT_EQ(whole.get<u8>(), 0);
    EXPECT_FALSE(whole.done());
}

}  // namespace
}  // namespace ramet
