#include "cow/disk.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/prng.h"

namespace ramet {
namespace {

using Bytes = std::vector<u8>;

Bytes random_bytes(std::size_t size, u64 seed) {
    Prng prng = Prng::seeded(seed);
    Bytes bytes(size);
    for (u8& byte : bytes) byte = static_cast<u8>(prng.next());
    return bytes;
}

Memory memory_for(const DiskImage& image, std::shared_ptr<PagePool> pool = std::make_shared<PagePool>()) {
    return Memory{std::move(pool), {{Frame{0}, 4}, Disk::frames(image.byte_count(), 1)}};
}

Bytes read_all(const Disk& disk, Memory& memory) {
    Bytes bytes(disk.sector_count() * Disk::sector_bytes);
    auto const read = disk.read(memory, 0, bytes);
    EXPECT_TRUE(read) << read.error().text;
    return bytes;
}

/// A disk and its machine's memory beside the array that it must be.
struct Member {
    Memory memory;
    Bytes content;
};

void live(u64 seed, u64 steps) {
    Prng prng = Prng::seeded(seed);
    std::size_t const size = 1 + prng.below(40'000);
    auto const image = DiskImage::of_bytes(random_bytes(size, seed), "model");
    Disk const disk{image, 1};
    Bytes content = random_bytes(size, seed);
    content.resize(disk.sector_count() * Disk::sector_bytes);
    std::vector<Member> family;
    family.push_back({memory_for(*image), content});
    for (u64 step = 0; step < steps; ++step) {
        Member& member = family[prng.below(family.size())];
        u64 const sector = prng.below(disk.sector_count());
        std::size_t const bytes = (1 + prng.below(std::min<u64>(24, disk.sector_count() - sector))) * Disk::sector_bytes;
        auto const place = member.content.begin() + static_cast<std::ptrdiff_t>(sector * Disk::sector_bytes);
        switch (prng.below(6)) {
        case 0:
            if (family.size() < 8) family.push_back({member.memory.fork(), member.content});
            break;
        case 1: {
            Bytes const as_in_image(content.begin() + (place - member.content.begin()), content.begin() + (place - member.content.begin()) + static_cast<std::ptrdiff_t>(bytes));
            RC_ASSERT(static_cast<bool>(disk.write(member.memory, sector, as_in_image)));
            std::copy(as_in_image.begin(), as_in_image.end(), place);
            break;
        }
        case 2: {
            Bytes found(bytes);
            RC_ASSERT(static_cast<bool>(disk.read(member.memory, sector, found)));
            RC_ASSERT(std::equal(found.begin(), found.end(), place));
            break;
        }
        default: {
            Bytes const written = random_bytes(bytes, prng.next());
            RC_ASSERT(static_cast<bool>(disk.write(member.memory, sector, written)));
            std::copy(written.begin(), written.end(), place);
        }
        }
    }
    for (Member& member : family) {
        RC_ASSERT(read_all(disk, member.memory) == member.content);
        Memory fresh = memory_for(*image);
        RC_ASSERT(static_cast<bool>(disk.write(fresh, 0, member.content)));
        RC_ASSERT(fresh.digest() == member.memory.digest());  // a function of the content, not of its history
    }
}

RC_GTEST_PROP(Disk, IsAnArrayThatForks, ()) { live(*rc::gen::arbitrary<u64>(), *rc::gen::inRange<u64>(0, 200)); }

TEST(Disk, UnchangedBlocksCostNothing) {
    auto const image = DiskImage::of_bytes(random_bytes(64 << 10, 1), "image");
    Disk const disk{image, 1};
    Memory memory = memory_for(*image);
    Digest const before = memory.digest();
    u64 const bytes = memory.private_bytes();
    Bytes content = read_all(disk, memory);
    ASSERT_TRUE(disk.write(memory, 0, content));
    EXPECT_EQ(memory.private_bytes(), bytes);
    content[5000] ^= 1;
    ASSERT_TRUE(disk.write(memory, 0, content));
    EXPECT_EQ(memory.stored_frames(Frame{4}, 100).size(), 1U) << "one block differs";
    EXPECT_NE(memory.digest(), before);
    content[5000] ^= 1;
    ASSERT_TRUE(disk.write(memory, 0, content));
    EXPECT_EQ(memory.digest(), before);
}

TEST(Disk, IsOutOfReachOfAProcessorsAddresses) {
    constexpr u64 physical_address_bits = 40;
    for (std::size_t place = 0; place < Disk::count_max; ++place) {
        RamRange const frames = Disk::frames(DiskImage::bytes_max, place);
        EXPECT_GE(address_of(frames.first).value, u64{1} << physical_address_bits);
        EXPECT_LE(frames.first.value + frames.count, frame_count_max);
        if (place + 1 < Disk::count_max) { EXPECT_LE((frames.first + frames.count).value, Disk::frames(1, place + 1).first.value); }
    }
}

TEST(Disk, SaysWhenTheHostHasNoPageLeft) {
    auto const image = DiskImage::of_bytes(Bytes(64 << 10), "image");
    Disk const disk{image, 1};
    Memory memory = memory_for(*image, std::make_shared<PagePool>(1));
    auto const written = disk.write(memory, 0, random_bytes(64 << 10, 1));
    ASSERT_FALSE(written);
    EXPECT_NE(written.error().text.find("used up"), std::string::npos) << written.error().text;
}

class DiskImageTest : public testing::Test {
protected:
    ~DiskImageTest() override { std::filesystem::remove(path_); }
    void write(const Bytes& bytes) {
        std::ofstream file{path_, std::ios::binary};
        file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }
    std::string path_ = testing::TempDir() + "ramet-disk-" + std::to_string(::getpid()) + ".img";
};

TEST_F(DiskImageTest, IsTheFile) {
    Bytes const content = random_bytes((3 << 20) + 700, 5);
    write(content);
    auto const image = DiskImage::open(path_);
    ASSERT_TRUE(image) << image.error().text;
    EXPECT_EQ((*image)->sha256(), sha256_of(content));
    EXPECT_EQ((*image)->byte_count(), content.size());
    Bytes found(1024, 0xee);
    ASSERT_TRUE((*image)->read(content.size() - 512, found));
    EXPECT_TRUE(std::equal(content.end() - 512, content.end(), found.begin()));
    EXPECT_EQ(std::count(found.begin() + 512, found.end(), 0), 512);
    Disk const disk{*image, 1};
    Memory memory = memory_for(**image);
    ASSERT_TRUE(disk.write(memory, 0, random_bytes(4096, 6)));
    EXPECT_EQ((*DiskImage::open(path_))->sha256(), sha256_of(content)) << "the user's file is never written";
}

TEST_F(DiskImageTest, AFileCutShortIsAnErrorAndNoCrash) {
    write(random_bytes(64 << 10, 5));
    auto const image = DiskImage::open(path_);
    ASSERT_TRUE(image);
    std::filesystem::resize_file(path_, 4096);
    Disk const disk{*image, 1};
    Memory memory = memory_for(**image);
    Bytes sector(512);
    EXPECT_TRUE(disk.read(memory, 7, sector));
    auto const read = disk.read(memory, 8, sector);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().text, path_ + ": cannot read the disk image at offset 4096; was it changed while a machine used it?");
}

TEST_F(DiskImageTest, RefusesWhatIsNoImage) {
    EXPECT_FALSE(DiskImage::open(path_)) << "no such file";
    EXPECT_FALSE(DiskImage::open(testing::TempDir())) << "a directory";
    write({});
    auto const empty = DiskImage::open(path_);
    ASSERT_FALSE(empty);
    EXPECT_EQ(empty.error().text, path_ + ": the disk image is empty");
    std::filesystem::resize_file(path_, DiskImage::bytes_max + 1);
    EXPECT_FALSE(DiskImage::open(path_)) << "too large";
}

}  // namespace
}  // namespace ramet
