#include <functional>
#include <map>

#include <gtest/gtest.h>

#include "cow/memory.h"

namespace ramet {
namespace {

/// Serves frame n as a page of bytes n, multiples of five as zeros, and refuses frames that are named lost.
struct FakeSource : PageSource {
    std::map<u64, int> fetches;
    u64 lost = ~u64{0};
    std::function<void(Frame)> meanwhile;  // what happens while the fetch waits

    static void content(Frame frame, std::span<u8, page_size> to) {
        std::fill(to.begin(), to.end(), frame.value % 5 == 0 ? u8{0} : static_cast<u8>(frame.value));
    }
    std::string error() const override { return "lost"; }
    bool fetch(Frame frame, Memory& into) override {
        ++fetches[frame.value];
        if (meanwhile) meanwhile(frame);
        if (frame.value == lost) return false;
        std::array<u8, page_size> page;
        content(frame, page);
        into.install(frame, page);  // does nothing if the page came by another way meanwhile
        return true;
    }
};

struct MemoryAbsentTest : testing::Test {
    std::shared_ptr<PagePool> pool = std::make_shared<PagePool>();
    std::shared_ptr<FakeSource> source = std::make_shared<FakeSource>();
    std::vector<RamRange> ranges = {{Frame{0}, 20}, {Frame{300}, 7}};
    Memory memory{pool, ranges, source};

    Memory complete() const {
        Memory made{pool, ranges};
        for (const RamRange& range : ranges)
            for (u64 i = 0; i < range.count; ++i) FakeSource::content(range.first + i, std::span<u8, page_size>{made.write(range.first + i).bytes, page_size});
        return made;
    }
};

TEST_F(MemoryAbsentTest, APageIsFetchedOnceWhenItIsFirstTouched) {
    EXPECT_TRUE(memory.is_absent(Frame{7}));
    EXPECT_EQ(memory.read(Frame{7})[100], 7);
    EXPECT_EQ(memory.read(Frame{7})[200], 7);
    EXPECT_FALSE(memory.is_absent(Frame{7}));
    EXPECT_EQ(memory.write(Frame{8}).bytes[0], 8);
    EXPECT_EQ(memory.read(Frame{306})[0], 306 % 256);
    EXPECT_EQ(source->fetches, (std::map<u64, int>{{7, 1}, {8, 1}, {306, 1}}));
}

TEST_F(MemoryAbsentTest, NothingIsFetchedForFramesOutsideRam) {
    for (u64 const frame : {20, 299, 307}) {
        EXPECT_FALSE(memory.is_absent(Frame{frame}));
        EXPECT_EQ(memory.read(Frame{frame}), nullptr);
    }
    EXPECT_TRUE(source->fetches.empty());
}

TEST_F(MemoryAbsentTest, FetchedZerosCostNoPage) {
    EXPECT_EQ(memory.read(Frame{5})[0], 0);
    EXPECT_EQ(pool->live_pages(), 0U);
}

TEST_F(MemoryAbsentTest, AnInstalledPageIsNotFetched) {
    std::array<u8, page_size> content;
    FakeSource::content(Frame{7}, content);
    EXPECT_TRUE(memory.install(Frame{7}, content));
    EXPECT_FALSE(memory.install(Frame{7}, content)) << "what is here is not replaced";
    EXPECT_FALSE(memory.install(Frame{20}, content)) << "no RAM";
    EXPECT_EQ(memory.read(Frame{7})[0], 7);
    EXPECT_TRUE(source->fetches.empty());
}

TEST_F(MemoryAbsentTest, WhatCameDuringAFetchIsKept) {
    source->meanwhile = [&](Frame frame) {
        std::array<u8, page_size> other;
        other.fill(99);
        memory.install(frame, other);
    };
    EXPECT_EQ(memory.read(Frame{7})[0], 99);
}

TEST_F(MemoryAbsentTest, ALostPageIsReportedAndMayBeAskedForAgain) {
    source->lost = 7;
    EXPECT_EQ(memory.read(Frame{7}), nullptr);
    EXPECT_EQ(memory.trouble(), MemoryTrouble::lost);
    WriteGrant const grant = memory.write(Frame{7});
    EXPECT_EQ(grant.bytes, nullptr);
    EXPECT_FALSE(grant.exhausted);
    EXPECT_FALSE(memory.copy_in(address_of(Frame{6}), std::vector<u8>(page_size + 1)));
    EXPECT_EQ(memory.read(Frame{6})[0], 6) << "a copy that fails writes nothing";
    source->lost = ~u64{0};
    EXPECT_EQ(memory.read(Frame{7})[0], 7);
}

TEST_F(MemoryAbsentTest, TheDigestIsThatOfTheWholeContent) {
    memory.write(Frame{3});
    Memory whole = complete();
    EXPECT_EQ(memory.digest(), whole.digest());
    EXPECT_TRUE(memory.absent_frames(Frame{}, 1).empty());
    EXPECT_EQ(source->fetches.size(), 27U);
    EXPECT_EQ(memory.digest(), whole.digest());
    EXPECT_EQ(source->fetches.size(), 27U);
}

TEST_F(MemoryAbsentTest, ADigestWithALostPageSaysSo) {
    source->lost = 12;
    memory.digest();
    EXPECT_EQ(memory.trouble(), MemoryTrouble::lost);
}

TEST_F(MemoryAbsentTest, AForkFetchesForItself) {
    Memory child = memory.fork();
    EXPECT_EQ(child.read(Frame{7})[0], 7);
    EXPECT_TRUE(memory.is_absent(Frame{7}));
    EXPECT_EQ(memory.read(Frame{7})[0], 7);
    EXPECT_EQ(source->fetches[7], 2);
    EXPECT_EQ(child.digest(), memory.digest());
}

TEST_F(MemoryAbsentTest, AFetchWithoutRoomIsExhaustion) {
    auto const small = std::make_shared<PagePool>(1);
    Memory tight{small, ranges, source};
    EXPECT_NE(tight.read(Frame{1}), nullptr);
    EXPECT_EQ(tight.read(Frame{2}), nullptr);
    EXPECT_EQ(tight.trouble(), MemoryTrouble::exhausted);
    EXPECT_TRUE(tight.write(Frame{3}).exhausted);
    EXPECT_NE(tight.read(Frame{5}), nullptr) << "zeros need no page";
}

}  // namespace
}  // namespace ramet
