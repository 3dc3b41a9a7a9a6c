#include "cow/page_pool.h"

#include <gtest/gtest.h>

#include "tests/cow/attachments.h"

namespace ramet {
namespace {

PageIndex take_one(PagePool& pool) {
    std::array<u32, 1> index = {};
    EXPECT_EQ(pool.page_slab().take(index), 1U);
    return index[0];
}

void give_one(PagePool& pool, PageIndex index) { pool.page_slab().give(std::array<u32, 1>{index}); }

TEST(PagePool, TheZeroPageIsZero) {
    PagePool const pool;
    for (std::size_t i = 0; i < page_size; ++i) ASSERT_EQ(pool.page(zero_page)[i], 0);
}

TEST(PagePoolDeathTest, NobodyCanWriteTheZeroPage) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            PagePool const pool;
            *const_cast<volatile u8*>(pool.page(zero_page)) = 1;
        },
        "");
}

TEST(PagePool, PagesAreAlignedAndApart) {
    PagePool pool;
    PageIndex const a = take_one(pool);
    PageIndex const b = take_one(pool);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pool.page(a)) % page_size, 0U);
    EXPECT_GE(pool.page(a) < pool.page(b) ? pool.page(b) - pool.page(a) : pool.page(a) - pool.page(b), std::ptrdiff_t{page_size});
    give_one(pool, a);
    give_one(pool, b);
    EXPECT_EQ(pool.live_pages(), 0U);
}

TEST(PagePool, TheFirstAttachmentWins) {
    PagePool pool;
    int live = 0;
    PageIndex const page = take_one(pool);
    auto first = std::make_unique<CountedAttachment>(live, 1);
    PageAttachment* const winner = first.get();
    EXPECT_EQ(pool.attach(page, std::move(first)), winner);
    EXPECT_EQ(pool.attach(page, std::make_unique<CountedAttachment>(live, 2)), winner);
    EXPECT_EQ(live, 1) << "the loser is destroyed";
    EXPECT_EQ(pool.detach(page).get(), winner);
    EXPECT_EQ(pool.attachment(page), nullptr);
    EXPECT_EQ(pool.detach(page), nullptr);
    EXPECT_EQ(live, 0);
    give_one(pool, page);
}

TEST(PagePool, EpochsNeverRepeat) {
    PagePool pool;
    EXPECT_NE(pool.next_epoch(), 0U);
    u64 const first = pool.next_epoch();
    EXPECT_LT(first, pool.next_epoch());
}

TEST(PagePool, CountedMeansNeitherZeroNorAbsent) {
    EXPECT_FALSE(is_counted(zero_page));
    EXPECT_TRUE(is_counted(1));
    EXPECT_TRUE(is_counted(absent_page - 1));
    EXPECT_FALSE(is_counted(absent_page));
}

}  // namespace
}  // namespace ramet
