#include "cow/page_tree.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ramet {
namespace {

struct PageTreeTest : testing::Test {
    std::shared_ptr<PagePool> pool = std::make_shared<PagePool>();

    /// Gives the frame a page of its own, filled with `value`.
    void put(PageTree& tree, u64 frame, u8 value) const {
        PageIndex* const slot = tree.writable_slot(frame);
        ASSERT_NE(slot, nullptr);
        PageIndex const page = tree.take_page();
        ASSERT_NE(page, zero_page);
        std::fill_n(pool->page(page), page_size, value);
        tree.drop_page(std::exchange(*slot, page));
    }
};

TEST_F(PageTreeTest, ANewTreeIsZeroAndCostsNothing) {
    PageTree const tree{pool, 1000};
    EXPECT_EQ(tree.find(0), zero_page);
    EXPECT_EQ(tree.find(999), zero_page);
    EXPECT_EQ(tree.private_bytes(), 0U);
    EXPECT_EQ(pool->live_nodes(), 0U);
}

TEST_F(PageTreeTest, FindsWhatWasPutAtTheEdgesOfEveryLevel) {
    PageTree tree{pool, frame_count_max};
    std::vector<u64> frames = {0};
    for (u64 size = node_fan_out; size <= frame_count_max; size *= node_fan_out)
        for (u64 const frame : {size - 1, size}) frames.push_back(frame);
    frames.pop_back();  // one past the last frame
    for (u64 const frame : frames) put(tree, frame, static_cast<u8>(frame % 251));
    for (u64 const frame : frames) EXPECT_EQ(pool->page(tree.find(frame))[5], frame % 251) << frame;
    EXPECT_EQ(tree.find(2), zero_page);
    EXPECT_EQ(tree.find(frame_count_max - 2), zero_page);
}

TEST_F(PageTreeTest, AForkSharesUntilOneSideWrites) {
    PageTree parent{pool, 100};
    put(parent, 7, 1);
    put(parent, 8, 2);
    PageTree child = parent.fork();
    EXPECT_EQ(child.find(7), parent.find(7));
    EXPECT_EQ(child.private_bytes(), 0U);
    EXPECT_EQ(parent.exclusive_slot(7), nullptr);
    put(child, 7, 3);
    EXPECT_EQ(pool->page(parent.find(7))[0], 1);
    EXPECT_EQ(pool->page(child.find(7))[0], 3);
    EXPECT_EQ(child.find(8), parent.find(8));
    EXPECT_EQ(child.differing_frames(parent), std::vector{Frame{7}});
    EXPECT_NE(child.exclusive_slot(7), nullptr);
    EXPECT_EQ(child.exclusive_slot(8), nullptr);
}

TEST_F(PageTreeTest, WhatIsLeftAloneBecomesExclusiveAgain) {
    PageTree parent{pool, 100};
    put(parent, 7, 1);
    {
        PageTree child = parent.fork();
        put(child, 7, 2);
    }
    EXPECT_NE(parent.exclusive_slot(7), nullptr);
}

TEST_F(PageTreeTest, PrivateBytesCountOnePageAndItsPath) {
    PageTree parent{pool, u64{1} << (4 * node_bits)};
    put(parent, 7, 1);
    PageTree child = parent.fork();
    put(child, 7, 2);
    EXPECT_GE(child.private_bytes(), page_size + 4 * sizeof(NodeSlots));
    EXPECT_LT(child.private_bytes(), page_size + 4 * 128);
}

TEST_F(PageTreeTest, TheDigestIsAFunctionOfTheContent) {
    PageTree a{pool, 100'000};
    PageTree b{pool, 100'000};
    Digest const zeros = a.digest();
    put(a, 5, 1);
    put(a, 99'999, 2);
    put(b, 99'999, 2);
    EXPECT_NE(a.digest(), b.digest());
    put(b, 5, 1);
    EXPECT_EQ(a.digest(), b.digest());
    EXPECT_NE(a.digest(), zeros);
    put(a, 5, 0);
    put(a, 99'999, 0);
    EXPECT_EQ(a.digest(), zeros) << "allocated zeros are zeros";
}

TEST_F(PageTreeTest, TheSamePageElsewhereIsAnotherDigest) {
    PageTree a{pool, 100};
    PageTree b{pool, 100};
    put(a, 1, 9);
    put(b, 2, 9);
    EXPECT_NE(a.digest(), b.digest());
}

TEST_F(PageTreeTest, AbsentFramesAreListedInOrderUpToTheLimit) {
    PageTree tree{pool, 5000};
    ASSERT_TRUE(tree.set_range(10, 300, absent_page));
    EXPECT_EQ(tree.find(9), zero_page);
    EXPECT_EQ(tree.find(10), absent_page);
    EXPECT_EQ(tree.find(309), absent_page);
    EXPECT_EQ(tree.find(310), zero_page);
    EXPECT_EQ(tree.absent_frames(0, 3), (std::vector{Frame{10}, Frame{11}, Frame{12}}));
    EXPECT_EQ(tree.absent_frames(308, 9), (std::vector{Frame{308}, Frame{309}}));
    EXPECT_EQ(tree.absent_frames(310, 9), std::vector<Frame>{});
    EXPECT_EQ(tree.absent_frames(0, 1000).size(), 300U);
}

TEST_F(PageTreeTest, AWriteBesideAbsentFramesLeavesThemAbsent) {
    PageTree tree{pool, 5000};
    ASSERT_TRUE(tree.set_range(0, 5000, absent_page));
    put(tree, 100, 4);
    EXPECT_EQ(tree.find(99), absent_page);
    EXPECT_EQ(tree.find(101), absent_page);
    EXPECT_EQ(tree.absent_frames(0, 10'000).size(), 4999U);
}

TEST_F(PageTreeTest, MovingLeavesNothingBehind) {
    PageTree a{pool, 100};
    put(a, 3, 1);
    PageTree b = std::move(a);
    EXPECT_NE(b.exclusive_slot(3), nullptr);
    PageTree c{pool, 100};
    put(c, 4, 1);
    c = std::move(b);
    EXPECT_NE(c.find(3), zero_page);
    EXPECT_EQ(c.find(4), zero_page);
}

}  // namespace
}  // namespace ramet
