#include "base/digest.h"

#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ramet {
namespace {

// The value of the empty input is published with the algorithm: a digest is the same on every host and in every release.
TEST(Digest, OfNothingIsThePublishedValue) { EXPECT_EQ(digest_of({}).hex(), "99aa06d3014798d86001c324468d497f"); }

TEST(Digest, HexShowsTheHighHalfFirst) { EXPECT_EQ((Digest{.lo = 0x12, .hi = 0xa0}.hex()), "00000000000000a00000000000000012"); }

RC_GTEST_PROP(Digest, StreamEqualsDigestOfTheConcatenation, (std::vector<std::vector<u8>> parts)) {
    std::vector<u8> whole;
    DigestStream stream;
    for (const auto& part : parts) {
        whole.insert(whole.end(), part.begin(), part.end());
        stream.add(part);
        RC_ASSERT(stream.finish() == digest_of(whole));
    }
}

TEST(Digest, LongStreamsEqualToo) {
    std::vector<u8> bytes(100'000);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<u8>(i * 7 + i / 256);
    DigestStream stream;
    stream.add(std::span{bytes}.first(70'001));
    stream.add(std::span{bytes}.subspan(70'001));
    EXPECT_EQ(stream.finish(), digest_of(bytes));
}

TEST(Digest, NumbersAreHashedLittleEndian) {
    DigestStream stream;
    stream.add(u64{0x0102});
    std::vector<u8> const bytes = {2, 1, 0, 0, 0, 0, 0, 0};
    EXPECT_EQ(stream.finish(), digest_of(bytes));
}

TEST(Digest, CopiedStreamsGoOnIndependently) {
    DigestStream first;
    first.add(u64{1});
    DigestStream second = first;
    second.add(u64{2});
    EXPECT_NE(first.finish(), second.finish());
    first.add(u64{2});
    EXPECT_EQ(first.finish(), second.finish());
}

}  // namespace
}  // namespace ramet
