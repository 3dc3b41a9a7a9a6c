// Memories that hand pages to one another: adopt, release, and watches on writes to what is shared.
#include <gtest/gtest.h>

#include "cow/memory.h"

namespace ramet {
namespace {

struct MemoryShareTest : testing::Test {
    std::shared_ptr<PagePool> pool = std::make_shared<PagePool>();
    std::vector<RamRange> ranges = {{Frame{0}, 600}};
    Memory whole{pool, ranges};
    Memory empty{pool, ranges};

    void SetUp() override {
        for (u64 const frame : {3, 4, 290}) whole.write(Frame{frame}).bytes[0] = static_cast<u8>(frame);
        ASSERT_TRUE(empty.release(ranges[0]));
    }
};

TEST_F(MemoryShareTest, AnAdoptedPageIsSharedNotCopied) {
    u64 const before = pool->live_pages();
    EXPECT_TRUE(empty.adopt(Frame{3}, whole));
    EXPECT_FALSE(empty.adopt(Frame{3}, whole)) << "it is here already";
    EXPECT_EQ(empty.read(Frame{3}), whole.read(Frame{3}));
    EXPECT_EQ(pool->live_pages(), before);
    whole.write(Frame{3}).bytes[0] = 99;
    EXPECT_EQ(empty.read(Frame{3})[0], 3) << "the lender's write goes to a page of its own";
}

TEST_F(MemoryShareTest, AdoptingAllKeepsWhatIsHere) {
    std::array<u8, page_size> page;
    page.fill(7);
    ASSERT_TRUE(empty.install(Frame{4}, page));
    ASSERT_TRUE(empty.adopt_all(whole));
    EXPECT_EQ(empty.read(Frame{4})[0], 7);
    EXPECT_EQ(empty.read(Frame{290})[0], 290 % 256);
    EXPECT_EQ(empty.read(Frame{500})[0], 0);
    EXPECT_TRUE(empty.absent_frames(Frame{}, 1).empty());
    whole.write(Frame{4}).bytes[0] = 7;
    std::fill(whole.write(Frame{4}).bytes, whole.write(Frame{4}).bytes + page_size, u8{7});
    EXPECT_EQ(empty.digest(), whole.digest());
}

TEST_F(MemoryShareTest, ReleasedFramesAreLostWithoutASource) {
    ASSERT_TRUE(whole.release({Frame{3}, 1}));
    EXPECT_TRUE(whole.is_absent(Frame{3}));
    EXPECT_EQ(whole.read(Frame{3}), nullptr);
    EXPECT_EQ(whole.trouble(), MemoryTrouble::lost);
    EXPECT_EQ(whole.read(Frame{4})[0], 4);
}

TEST_F(MemoryShareTest, ZerosAreInstalledByTheRange) {
    ASSERT_TRUE(empty.install_zeros({Frame{10}, 500}));
    EXPECT_EQ(empty.absent_frames(Frame{}, 20), (std::vector<Frame>{Frame{0}, Frame{1}, Frame{2}, Frame{3}, Frame{4}, Frame{5}, Frame{6}, Frame{7}, Frame{8},
                                                                    Frame{9}, Frame{510}, Frame{511}, Frame{512}, Frame{513}, Frame{514}, Frame{515}, Frame{516},
                                                                    Frame{517}, Frame{518}, Frame{519}}));
    EXPECT_EQ(empty.read(Frame{100})[0], 0);
}

TEST_F(MemoryShareTest, StoredFramesHaveAPage) {
    EXPECT_EQ(whole.stored_frames(Frame{}, 10), (std::vector<Frame>{Frame{3}, Frame{4}, Frame{290}}));
    EXPECT_EQ(whole.stored_frames(Frame{4}, 1), (std::vector<Frame>{Frame{4}}));
    EXPECT_TRUE(empty.stored_frames(Frame{}, 10).empty());
}

/// Counts what it hears, and gives its share of the page up if told to.
struct Watch : WriteWatch {
    std::vector<u64> heard;
    Memory* lets_go = nullptr;
    void about_to_write(Frame frame) override {
        heard.push_back(frame.value);
        if (lets_go != nullptr) lets_go->release({frame, 1});
    }
};

TEST_F(MemoryShareTest, AWatchHearsOfTheFirstWriteToAStoredSharedPage) {
    auto const watch = std::make_shared<Watch>();
    whole.watch_writes(watch);
    whole.write(Frame{3});
    EXPECT_TRUE(watch->heard.empty()) << "nobody shares it";
    Memory child = whole.fork();
    whole.write(Frame{3});
    whole.write(Frame{3});
    whole.write(Frame{100});
    child.write(Frame{4});
    EXPECT_EQ(watch->heard, (std::vector<u64>{3})) << "zeros are no secret, and the child is not watched";
    whole.unwatch_writes(watch.get());
    whole.write(Frame{290});
    EXPECT_EQ(watch->heard.size(), 1U);
}

TEST_F(MemoryShareTest, WhoLetsGoOfAPageSavesTheCopy) {
    auto const watch = std::make_shared<Watch>();
    Memory child = whole.fork();
    watch->lets_go = &child;
    whole.watch_writes(watch);
    const u8* const before = whole.read(Frame{3});
    WriteGrant const grant = whole.write(Frame{3});
    EXPECT_EQ(grant.bytes, before);
    EXPECT_FALSE(grant.moved);
    EXPECT_TRUE(child.is_absent(Frame{3}));
}

}  // namespace
}  // namespace ramet
