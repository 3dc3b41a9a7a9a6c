#include "replay/image_hashes.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <thread>

#include "machines.h"

namespace ramet {
namespace {

/// An image of a few bytes, and a cache that remembers it at once.
class ImageHashesTest : public testing::Test {
protected:
    ImageHashesTest() { write_file(image_, {1, 2, 3}); }

    FileVersion version() const {
        struct stat s = {};
        EXPECT_EQ(::stat(image_.c_str(), &s), 0);
        auto const ns = [](const timespec& t) { return i64{t.tv_sec} * 1'000'000'000 + t.tv_nsec; };
        return {s.st_dev, s.st_ino, static_cast<u64>(s.st_size), ns(s.st_mtim), ns(s.st_ctim)};
    }
    Sha256 opened(HashCache& cache) const { return must(DiskImage::open(image_, &cache))->sha256(); }

    Directory directory_;
    std::string image_ = directory_ / "image", path_ = directory_ / "cache/hashes";
    HashCache cache_{path_, 0, 0};
    Sha256 const true_hash_ = sha256_of(std::vector<u8>{1, 2, 3}), other_ = sha256_of(std::vector<u8>{9});
};

TEST_F(ImageHashesTest, AnImageThatDidNotChangeIsNotHashedAgain) {
    EXPECT_EQ(opened(cache_), true_hash_);
    EXPECT_EQ(cache_.find(version()), true_hash_);
    cache_.add(version(), other_);
    HashCache next{path_, 0, 0};
    EXPECT_EQ(opened(next), other_) << "what is remembered is taken";
}

TEST_F(ImageHashesTest, ChangedContentIsSeenThoughItsTimeIsPutBack) {
    EXPECT_EQ(opened(cache_), true_hash_);
    struct stat before = {};
    ASSERT_EQ(::stat(image_.c_str(), &before), 0);
    std::this_thread::sleep_for(std::chrono::milliseconds{50});  // another tick of the host's clock
    write_file(image_, {4, 5, 6});
    std::array<timespec, 2> const times = {before.st_atim, before.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, image_.c_str(), times.data(), 0), 0);
    struct stat after = {};
    ASSERT_EQ(::stat(image_.c_str(), &after), 0);
    ASSERT_EQ(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
    EXPECT_EQ(opened(cache_), sha256_of(std::vector<u8>{4, 5, 6}));
}

TEST_F(ImageHashesTest, ADamagedFileCountsAsEmptyAndIsReplaced) {
    cache_.add(version(), other_);
    std::vector<u8> const good = file_bytes(path_);
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::vector<u8> bad = good;
        bad[i] ^= 1;
        write_file(path_, bad);
        EXPECT_FALSE(cache_.find(version())) << "byte " << i;
    }
    for (std::size_t const size : {std::size_t{0}, std::size_t{23}, good.size() - 1, good.size() - 72}) {
        write_file(path_, {good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)});
        EXPECT_FALSE(cache_.find(version())) << size << " bytes";
    }
    EXPECT_EQ(opened(cache_), true_hash_);
    EXPECT_EQ(cache_.find(version()), true_hash_);
}

TEST_F(ImageHashesTest, AFileThatChangedAMomentAgoIsNotRemembered) {
    HashCache careful{path_, 0, i64{1'000'000'000'000}};
    EXPECT_EQ(opened(careful), true_hash_);
    EXPECT_FALSE(careful.find(version()));
    HashCache large_only{path_, 4, 0};
    EXPECT_EQ(opened(large_only), true_hash_);
    EXPECT_FALSE(cache_.find(version())) << "small files are not worth it";
}

TEST_F(ImageHashesTest, WhenAFileChangedIsNotWhatItsOwnerSays) {
    std::array<timespec, 2> const long_ago = {timespec{1'000'000, 0}, timespec{1'000'000, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, image_.c_str(), long_ago.data(), 0), 0);
    HashCache careful{path_, 0, i64{1'000'000'000'000}};
    EXPECT_EQ(opened(careful), true_hash_);
    EXPECT_FALSE(careful.find(version())) << "it changed now, whatever its time of modification";
    EXPECT_EQ(opened(cache_), true_hash_);
    EXPECT_EQ(cache_.find(version()), true_hash_) << "both times are kept";
}

TEST_F(ImageHashesTest, WhatIsWrittenIsReadAgain) {
    std::vector<ImageHash> const entries = {{{1, 2, 3, -4, 5}, true_hash_}, {{6, 7, 8, 9, -10}, other_}};
    std::vector<u8> const bytes = image_hash_bytes(entries);
    EXPECT_EQ(bytes.size(), 8U + 2 * 72 + 16);
    EXPECT_EQ(must(parse_image_hashes(bytes, "hashes")), entries);
    for (unsigned i = 0; i < 5; ++i) EXPECT_EQ(load_le<u64>(&bytes[8 + 8 * i]), i == 3 ? ~u64{3} : u64{i} + 1) << "field " << i;
}

TEST_F(ImageHashesTest, KeepsTheLastOnesOfMany) {
    FileVersion one = version();
    for (u64 i = 0; i <= HashCache::entry_count_max; ++i) {
        one.inode = i;
        cache_.add(one, other_);
    }
    EXPECT_EQ(cache_.find(one), other_);
    one.inode = 1;
    EXPECT_EQ(cache_.find(one), other_);
    one.inode = 0;
    EXPECT_FALSE(cache_.find(one));
}

TEST_F(ImageHashesTest, ACacheThatCannotBeWrittenDoesNoHarm) {
    HashCache nowhere{"/proc/nowhere/hashes", 0, 0}, none{"", 0, 0};
    EXPECT_EQ(opened(nowhere), true_hash_);
    EXPECT_EQ(opened(none), true_hash_);
}

}  // namespace
}  // namespace ramet
