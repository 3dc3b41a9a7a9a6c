#include "cow/memory.h"

#include <numeric>

#include <gtest/gtest.h>

#include "tests/cow/attachments.h"

namespace ramet {
namespace {

struct MemoryTest : testing::Test {
    int live = 0;  // attachments; counted until the memory has gone
    std::shared_ptr<PagePool> pool = std::make_shared<PagePool>();
    Memory memory{pool, {{Frame{0}, 160}, {Frame{1000}, 24}}};  // with a hole, as a PC has
};

TEST_F(MemoryTest, RamIsWhereTheRangesSayAndZero) {
    for (u64 const frame : {0, 159, 1000, 1023}) {
        EXPECT_TRUE(memory.contains(Frame{frame})) << frame;
        ASSERT_NE(memory.read(Frame{frame}), nullptr) << frame;
        EXPECT_EQ(memory.read(Frame{frame})[4095], 0);
    }
    EXPECT_EQ(memory.byte_count(), 184 * page_size);
}

TEST_F(MemoryTest, NothingIsBesideTheRanges) {
    for (u64 const frame : {u64{160}, u64{999}, u64{1024}, frame_count_max - 1, frame_count_max, ~u64{0} >> page_shift, ~u64{0} - 1, ~u64{0}}) {
        EXPECT_FALSE(memory.contains(Frame{frame})) << frame;
        EXPECT_EQ(memory.read(Frame{frame}), nullptr) << frame;
        WriteGrant const grant = memory.write(Frame{frame});
        EXPECT_EQ(grant.bytes, nullptr) << frame;
        EXPECT_FALSE(grant.exhausted);
        EXPECT_EQ(memory.trouble(), MemoryTrouble::none);
        EXPECT_EQ(memory.attachment(Frame{frame}), nullptr);
        memory.detach(Frame{frame});
    }
}

TEST_F(MemoryTest, TheFirstWriteMovesTheFrameAndTheSecondDoesNot) {
    const u8* const zeros = memory.read(Frame{3});
    WriteGrant const first = memory.write(Frame{3});
    EXPECT_TRUE(first.moved);
    EXPECT_NE(first.bytes, zeros);
    WriteGrant const second = memory.write(Frame{3});
    EXPECT_FALSE(second.moved);
    EXPECT_EQ(second.bytes, first.bytes);
    EXPECT_EQ(memory.read(Frame{3}), first.bytes);
}

TEST_F(MemoryTest, AForkRevokesAndTheNextWriteMoves) {
    u8* const before = memory.write(Frame{3}).bytes;
    before[0] = 1;
    u64 const epoch = memory.epoch();
    Memory child = memory.fork();
    EXPECT_NE(memory.epoch(), epoch);
    EXPECT_NE(child.epoch(), memory.epoch());
    EXPECT_EQ(child.read(Frame{3}), before);
    WriteGrant const grant = memory.write(Frame{3});
    EXPECT_TRUE(grant.moved);
    grant.bytes[0] = 2;
    EXPECT_EQ(child.read(Frame{3})[0], 1);
    EXPECT_EQ(memory.read(Frame{3})[0], 2);
    EXPECT_EQ(memory.differing_frames(child), std::vector{Frame{3}});
}

TEST_F(MemoryTest, OnceTheParentHasMovedAwayTheChildKeepsThePage) {
    memory.write(Frame{3}).bytes[0] = 1;
    Memory child = memory.fork();
    memory.write(Frame{3});
    memory.quiesce();
    EXPECT_FALSE(child.write(Frame{3}).moved);
}

TEST_F(MemoryTest, AnOldPageStaysReadableUntilQuiesce) {
    const u8* const old = memory.write(Frame{3}).bytes;
    memory.write(Frame{3}).bytes[0] = 1;
    { Memory const child = memory.fork(); }
    Memory child = memory.fork();
    child.write(Frame{3});
    memory = Memory{pool, {{Frame{0}, 1}}};  // drops the other reference
    EXPECT_TRUE(child.has_retired());
    u64 const pages = pool->live_pages();
    EXPECT_EQ(old[0], 1);
    child.quiesce();
    EXPECT_FALSE(child.has_retired());
    EXPECT_LE(pool->live_pages(), pages);
}

TEST_F(MemoryTest, CopiesCrossPages) {
    std::vector<u8> bytes(3 * page_size);
    std::iota(bytes.begin(), bytes.end(), u8{1});
    ASSERT_TRUE(memory.copy_in(GuestPhys{page_size - 5}, bytes));
    std::vector<u8> back(bytes.size() + 2, 0xee);
    ASSERT_TRUE(memory.copy_out(GuestPhys{page_size - 6}, back));
    EXPECT_EQ(back.front(), 0);
    EXPECT_EQ(back.back(), 0);
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), back.begin() + 1));
}

TEST_F(MemoryTest, ACopyThatLeavesRamChangesNothing) {
    std::vector<u8> bytes(page_size, 7);
    GuestPhys const end = address_of(Frame{160});
    EXPECT_TRUE(memory.copy_in(end - page_size, bytes));
    EXPECT_FALSE(memory.copy_in(end - (page_size - 1), bytes));
    EXPECT_EQ(memory.read(Frame{159})[1], 7);
    EXPECT_FALSE(memory.copy_in(address_of(Frame{1000}) - 1, bytes));
    EXPECT_EQ(memory.read(Frame{1000})[0], 0);
    EXPECT_FALSE(memory.copy_in(address_of(Frame{1024}) - 1, bytes));
    EXPECT_FALSE(memory.copy_in(GuestPhys{~u64{0} - 5}, bytes));
    std::vector<u8> back(page_size);
    EXPECT_FALSE(memory.copy_out(end - (page_size - 1), back));
    EXPECT_TRUE(memory.copy_out(GuestPhys{~u64{0}}, std::span<u8>{})) << "nothing can be copied from anywhere";
}

TEST_F(MemoryTest, DigestSeesAWriteThroughAPointerFromBeforeOnlyAfterANewGrant) {
    u8* const bytes = memory.write(Frame{3}).bytes;
    Digest const before = memory.digest();
    u64 const epoch = memory.epoch();
    EXPECT_EQ(memory.digest(), before);
    EXPECT_NE(memory.epoch(), epoch) << "so that whoever holds the pointer asks again";
    WriteGrant const grant = memory.write(Frame{3});
    EXPECT_FALSE(grant.moved);
    EXPECT_EQ(grant.bytes, bytes);
    grant.bytes[9] = 1;
    EXPECT_NE(memory.digest(), before);
    memory.write(Frame{3}).bytes[9] = 0;
    EXPECT_EQ(memory.digest(), before);
}

TEST_F(MemoryTest, DigestsOfEqualContentAreEqualAcrossPoolsAndHistories) {
    memory.write(Frame{3}).bytes[0] = 1;
    Memory child = memory.fork();
    child.write(Frame{5}).bytes[0] = 1;
    child.write(Frame{5}).bytes[0] = 0;
    Memory other{std::make_shared<PagePool>(), {{Frame{0}, 160}, {Frame{1000}, 24}}};
    other.write(Frame{3}).bytes[0] = 1;
    EXPECT_EQ(child.digest(), memory.digest());
    EXPECT_EQ(other.digest(), memory.digest());
}

TEST_F(MemoryTest, DigestsOfOtherLayoutsDiffer) {
    Memory other{pool, {{Frame{0}, 161}, {Frame{1000}, 24}}};
    EXPECT_NE(other.digest(), memory.digest());
}

TEST_F(MemoryTest, RelativesShareAnAttachmentUntilOneWrites) {
    memory.write(Frame{3}).bytes[0] = 1;
    Memory child = memory.fork();
    auto made = std::make_unique<CountedAttachment>(live, 1);
    PageAttachment* const code = made.get();
    EXPECT_EQ(child.attach(Frame{3}, std::move(made)), code);
    EXPECT_EQ(memory.attachment(Frame{3}), code) << "it hangs on the page, not on the machine";
    WriteGrant const grant = child.write(Frame{3});
    EXPECT_TRUE(grant.moved);
    EXPECT_EQ(grant.attachment, nullptr);
    EXPECT_EQ(child.attachment(Frame{3}), nullptr) << "a copy starts without";
    EXPECT_EQ(memory.attachment(Frame{3}), code);
    child.quiesce();
    WriteGrant const own = memory.write(Frame{3});
    EXPECT_FALSE(own.moved);
    EXPECT_EQ(own.attachment, code);
    EXPECT_EQ(memory.write(Frame{3}).attachment, code) << "each time, until it is detached";
    memory.detach(Frame{3});
    EXPECT_EQ(memory.attachment(Frame{3}), nullptr);
    EXPECT_EQ(live, 1) << "it may still be running";
    memory.quiesce();
    EXPECT_EQ(live, 0);
    EXPECT_EQ(memory.write(Frame{3}).attachment, nullptr);
}

TEST_F(MemoryTest, AWriteRightDoesNotHideAnAttachmentThatCameLater) {
    memory.write(Frame{3});
    memory.attach(Frame{3}, std::make_unique<CountedAttachment>(live, 1));
    EXPECT_NE(memory.write(Frame{3}).attachment, nullptr);
}

TEST_F(MemoryTest, AttachingToZerosGivesThemAPage) {
    const u8* const zeros = memory.read(Frame{3});
    EXPECT_NE(memory.attach(Frame{3}, std::make_unique<CountedAttachment>(live, 1)), nullptr);
    EXPECT_EQ(memory.attachment(Frame{4}), nullptr) << "the other zeros have no code";
    EXPECT_NE(memory.read(Frame{3}), zeros);
    WriteGrant const grant = memory.write(Frame{3});
    EXPECT_TRUE(grant.moved) << "pointers to the zero page are void";
    EXPECT_NE(grant.attachment, nullptr);
    EXPECT_FALSE(memory.write(Frame{3}).moved);
}

TEST_F(MemoryTest, DetachLeavesASharedPageAlone) {
    memory.attach(Frame{3}, std::make_unique<CountedAttachment>(live, 1));
    {
        Memory child = memory.fork();
        child.detach(Frame{3});
        EXPECT_FALSE(child.has_retired());
    }
    EXPECT_NE(memory.attachment(Frame{3}), nullptr);
}

TEST_F(MemoryTest, CopyInTakesDecodedCodeOff) {
    memory.attach(Frame{3}, std::make_unique<CountedAttachment>(live, 1));
    ASSERT_TRUE(memory.copy_in(address_of(Frame{3}), std::array<u8, 1>{1}));
    EXPECT_EQ(memory.attachment(Frame{3}), nullptr);
    EXPECT_EQ(live, 1);
    memory.quiesce();
    EXPECT_EQ(live, 0);
}

TEST_F(MemoryTest, AttachmentsDieWithTheirPage) {
    {
        Memory child = memory.fork();
        child.attach(Frame{3}, std::make_unique<CountedAttachment>(live, 1));
        EXPECT_EQ(live, 1);
    }
    EXPECT_EQ(live, 0);
}

TEST_F(MemoryTest, AnIdleChildCostsLittle) {
    for (u64 frame = 0; frame < 160; ++frame) memory.write(Frame{frame});
    Memory const child = memory.fork();
    EXPECT_LT(child.private_bytes(), 4096U);
    EXPECT_LT(memory.private_bytes(), 4096U) << "everything is shared now";
}

TEST_F(MemoryTest, NothingLeaks) {
    {
        Memory parent{pool, {{Frame{0}, 5000}}};
        std::vector<Memory> family;
        for (u64 i = 0; i < 20; ++i) {
            for (u64 frame = 0; frame < 50; ++frame) parent.write(Frame{(i * 331 + frame * 97) % 5000}).bytes[0] = 1;
            family.push_back(parent.fork());
        }
        parent.digest();
        EXPECT_GT(pool->live_pages(), 100U);
    }
    memory = Memory{pool, {{Frame{0}, 1}}};
    EXPECT_EQ(pool->live_pages(), 0U);
    EXPECT_EQ(pool->live_nodes(), 0U);
}

TEST_F(MemoryTest, AssignmentVoidsThePointersOfTheOldContent) {
    memory.write(Frame{3}).bytes[0] = 1;
    Memory saved = memory.fork();
    memory.write(Frame{3}).bytes[0] = 2;
    u64 const epoch = memory.epoch();
    memory = saved.fork();
    EXPECT_NE(memory.epoch(), epoch);
    EXPECT_EQ(memory.read(Frame{3})[0], 1);
    Memory elsewhere{std::make_shared<PagePool>(), {{Frame{0}, 160}}};
    u64 const before = memory.epoch();
    memory = std::move(elsewhere);
    EXPECT_NE(memory.epoch(), before);
    EXPECT_EQ(memory.read(Frame{3})[0], 0);
}

TEST_F(MemoryTest, AMovedMemoryGoesOnWithItsPointersAndRights) {
    u8* const bytes = memory.write(Frame{3}).bytes;
    u64 const epoch = memory.epoch();
    Memory moved = std::move(memory);
    EXPECT_EQ(moved.epoch(), epoch);
    EXPECT_EQ(moved.write(Frame{3}).bytes, bytes);
    EXPECT_FALSE(moved.write(Frame{3}).moved);
}

struct ExhaustionTest : testing::Test {
    int live = 0;
    std::shared_ptr<PagePool> pool = std::make_shared<PagePool>(10);
    Memory memory{pool, {{Frame{0}, 100}}};

    void fill() {
        for (u64 frame = 0; frame < 10; ++frame) ASSERT_NE(memory.write(Frame{frame}).bytes, nullptr) << frame;
    }
};

TEST_F(ExhaustionTest, TheLimitIsExactAndSaysSo) {
    fill();
    WriteGrant const grant = memory.write(Frame{10});
    EXPECT_EQ(grant.bytes, nullptr);
    EXPECT_TRUE(grant.exhausted);
    EXPECT_EQ(memory.trouble(), MemoryTrouble::exhausted);
    EXPECT_NE(memory.write(Frame{9}).bytes, nullptr) << "pages that are there stay writable";
    ASSERT_NE(memory.read(Frame{10}), nullptr) << "zeros need no page";
    EXPECT_EQ(memory.trouble(), MemoryTrouble::none);
}

TEST_F(ExhaustionTest, AFailedWriteLeavesTheContentAlone) {
    fill();
    memory.write(Frame{0}).bytes[0] = 1;
    Memory child = memory.fork();
    Digest const before = memory.digest();
    EXPECT_TRUE(child.write(Frame{0}).exhausted);
    EXPECT_EQ(child.read(Frame{0})[0], 1);
    EXPECT_EQ(child.digest(), before);
    EXPECT_EQ(memory.digest(), before);
}

TEST_F(ExhaustionTest, ACopyThatDoesNotFitWritesNothing) {
    fill();
    EXPECT_FALSE(memory.copy_in(address_of(Frame{9}), std::vector<u8>(page_size + 1, 7)));
    EXPECT_EQ(memory.read(Frame{9})[0], 0);
}

TEST_F(ExhaustionTest, AttachingNeedsAPage) {
    fill();
    EXPECT_EQ(memory.attach(Frame{10}, std::make_unique<CountedAttachment>(live, 1)), nullptr);
    EXPECT_EQ(memory.trouble(), MemoryTrouble::exhausted);
    EXPECT_EQ(live, 0);
}

TEST_F(ExhaustionTest, ItGoesOnWhenARelativeIsDropped) {
    {
        Memory child = memory.fork();
        for (u64 frame = 0; frame < 10; ++frame) child.write(Frame{frame});
        EXPECT_TRUE(memory.write(Frame{0}).exhausted);
    }
    EXPECT_NE(memory.write(Frame{0}).bytes, nullptr);
}

}  // namespace
}  // namespace ramet
