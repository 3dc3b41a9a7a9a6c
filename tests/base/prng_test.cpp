#include "base/prng.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ramet {
namespace {

// First outputs for state 0, as the authors' reference code gives them.
TEST(Splitmix64, GivesTheReferenceSequence) {
    u64 state = 0;
    EXPECT_EQ(splitmix64(state), 0xe220a8397b1dcdafU);
    EXPECT_EQ(splitmix64(state), 0x6e789e6aa1b965f4U);
    EXPECT_EQ(splitmix64(state), 0x06c45d188009454fU);
}

TEST(Prng, GivesTheReferenceSequence) {
    Prng prng{.s = {1, 2, 3, 4}};
    EXPECT_EQ(prng.next(), 11520U);
    EXPECT_EQ(prng.next(), 0U);
    EXPECT_EQ(prng.next(), 1509978240U);
    EXPECT_EQ(prng.next(), 1215971899390074240U);
}

TEST(Prng, ACopyRepeatsTheOriginal) {
    Prng a = Prng::seeded(7);
    a.next();
    Prng b = a;
    EXPECT_EQ(a.next(), b.next());
}

TEST(Prng, AllZeroStateIsNotValid) {
    EXPECT_FALSE((Prng{.s = {0, 0, 0, 0}}.valid()));
    EXPECT_TRUE(Prng::seeded(0).valid());
}

RC_GTEST_PROP(Prng, BelowStaysBelow, (u64 seed)) {
    Prng prng = Prng::seeded(seed);
    u64 const n = 1 + seed % 1000;
    for (int i = 0; i < 20; ++i) RC_ASSERT(prng.below(n) < n);
    RC_ASSERT(prng.below(1) == 0U);
}

}  // namespace
}  // namespace ramet
