// Files of vectors are never trusted.
#include "vector_file.h"

#include <gtest/gtest.h>

#include "base/prng.h"
#include "lz4_file.h"

namespace ramet::vectors {
namespace {

std::vector<u8> small_file() {
    auto const file = VectorFile::load(std::string(RAMET_VECTOR_DATA) + "/prot32_flags.vec.lz4");
    EXPECT_TRUE(file) << file.error().text;
    std::vector<u32> const indexes = {0, 1, 5};
    return file->subset(indexes);
}

TEST(VectorFile, SubsetKeepsOrdinalsAndContent) {
    auto const whole = VectorFile::load(std::string(RAMET_VECTOR_DATA) + "/prot32_flags.vec.lz4");
    auto const part = VectorFile::from_bytes(small_file());
    ASSERT_TRUE(whole);
    ASSERT_TRUE(part) << part.error().text;
    ASSERT_EQ(part->size(), 3u);
    EXPECT_EQ(part->ordinal(2), whole->ordinal(5));
    EXPECT_TRUE(std::ranges::equal(part->parse(2).instruction, whole->parse(5).instruction));
}

TEST(VectorFile, RejectsEveryTruncation) {
    auto const bytes = small_file();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(VectorFile::from_bytes({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)})) << size;
    }
}

TEST(VectorFile, SurvivesAnyDamage) {
    auto const bytes = small_file();
    Prng random = Prng::seeded(1);
    for (int i = 0; i < 20'000; ++i) {
        auto damaged = bytes;
        damaged[random.below(damaged.size())] = static_cast<u8>(random.next());
        auto const file = VectorFile::from_bytes(std::move(damaged));
        for (u32 n = 0; file && n < file->size(); ++n) {
            auto const vector = file->parse(n);
            auto const before = state_before(file->header(), vector);
            state_after(file->header(), vector, before);
        }
    }
}

TEST(VectorFile, BoundsWhatItUnpacks) {
    std::vector<u8> const zeros(1 << 20);
    auto const packed = pack_lz4(zeros);
    ASSERT_TRUE(packed);
    EXPECT_TRUE(unpack_lz4(*packed, zeros.size(), "exact"));
    EXPECT_FALSE(unpack_lz4(*packed, zeros.size() - 1, "one byte short"));
}

}  // namespace
}  // namespace ramet::vectors
