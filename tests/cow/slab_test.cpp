#include "cow/slab.h"

#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ramet {
namespace {

struct TinyChunk {
    static constexpr unsigned bits = 2;
    static inline int left = 0;  // chunks the "host" still has
    static std::unique_ptr<TinyChunk> create() { return left-- > 0 ? std::make_unique<TinyChunk>() : nullptr; }
    std::array<int, 4> values = {};
};
using TinySlab = Slab<TinyChunk, 4>;  // at most 64 slots

std::vector<u32> take(TinySlab& slab, std::size_t n) {
    std::vector<u32> to(n);
    to.resize(slab.take(to));
    return to;
}

TEST(Slab, HandsOutEachIndexOnceAndNeverZero) {
    TinyChunk::left = 100;
    TinySlab slab{~u64{0}};
    auto const all = take(slab, 1000);
    EXPECT_EQ(all.size(), 63U);
    EXPECT_EQ(std::set<u32>(all.begin(), all.end()).size(), 63U);
    EXPECT_FALSE(std::set<u32>(all.begin(), all.end()).contains(0));
    EXPECT_EQ(slab.taken(), 63U);
}

TEST(Slab, StopsAtItsLimitAndGoesOnWhenSomethingComesBack) {
    TinyChunk::left = 100;
    TinySlab slab{5};
    auto const first = take(slab, 4);
    EXPECT_EQ(take(slab, 3).size(), 1U);
    EXPECT_EQ(take(slab, 1).size(), 0U);
    slab.give(std::span{first}.first(2));
    EXPECT_EQ(take(slab, 3).size(), 2U);
}

TEST(Slab, StopsWhenTheHostHasNoMemory) {
    TinyChunk::left = 2;
    TinySlab slab{~u64{0}};
    EXPECT_EQ(take(slab, 100).size(), 7U);
    TinyChunk::left = 1;
    EXPECT_EQ(take(slab, 100).size(), 4U) << "it asks again";
}

TEST(Slab, SlotsKeepTheirContentWhileItGrows) {
    TinyChunk::left = 100;
    TinySlab slab{~u64{0}};
    auto const first = take(slab, 1);
    int& value = slab.chunk(first[0]).values[TinySlab::slot(first[0])];
    value = 7;
    take(slab, 60);
    EXPECT_EQ(&slab.chunk(first[0]).values[TinySlab::slot(first[0])], &value);
    EXPECT_EQ(value, 7);
}

TEST(Batch, GivesEverythingBackAtItsEnd) {
    TinyChunk::left = 100;
    TinySlab slab{~u64{0}};
    {
        Batch<TinySlab, 8> batch{slab};
        EXPECT_NE(batch.take(), 0U);
        EXPECT_GT(slab.taken(), 1U);
    }
    EXPECT_EQ(slab.taken(), 1U) << "the one that was taken is still out";
}

RC_GTEST_PROP(Batch, NeverHandsOutWhatIsOut, (std::vector<bool> actions)) {
    TinyChunk::left = 100;
    TinySlab slab{20};
    Batch<TinySlab, 4> batch{slab};
    std::set<u32> out;
    for (bool const taking : actions) {
        if (taking) {
            u32 const index = batch.take();
            if (index == 0) RC_ASSERT(out.size() == 20U);
            if (index != 0) RC_ASSERT(out.insert(index).second);
        } else if (!out.empty()) {
            batch.give(*out.begin());
            out.erase(out.begin());
        }
        RC_ASSERT(slab.taken() >= out.size());
        RC_ASSERT(slab.taken() <= out.size() + 4);
    }
}

}  // namespace
}  // namespace ramet
