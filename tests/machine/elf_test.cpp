#include "machine/boot/elf.h"

#include <gtest/gtest.h>

#include "images.h"

namespace ramet {
namespace {

class ElfClass : public testing::TestWithParam<bool> {
protected:
    bool is64 = GetParam();
    Bytes image = elf_kernel(is64, 0x200000, 0xc0200000, 0xc0200004, Bytes(100, 0x90));
    std::size_t const segment = is64 ? 64 : 52;
    std::string complaint() const {
        auto const result = parse_elf(image, "k");
        return result ? "accepted" : result.error().text;
    }
};
INSTANTIATE_TEST_SUITE_P(Both, ElfClass, testing::Bool());

TEST_P(ElfClass, ReadsSegmentAndEntry) {
    auto const elf = parse_elf(image, "k");
    ASSERT_TRUE(elf);
    EXPECT_EQ(elf->is64, is64);
    ASSERT_EQ(elf->segments.size(), 1);
    EXPECT_EQ(elf->segments[0].physical, 0x200000);
    EXPECT_EQ(elf->physical_entry(), 0x200004) << "a virtual entry is translated";
    EXPECT_EQ(elf->end(), 0x200000 + 100 + 0x1000);
}

TEST_P(ElfClass, EveryTruncationIsNoticed) {
    Bytes const whole = image;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        image.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_NE(complaint(), "accepted") << size;
    }
}

TEST_P(ElfClass, RefusesOtherMachines) {
    put<u16>(image, 18, 183);
    EXPECT_EQ(complaint(), "k: made for ELF machine 183; expected x86 (3 or 62)");
    put<u8>(image, 5, 2);
    EXPECT_EQ(complaint(), "k: a big-endian ELF image; expected little-endian");
}

TEST_P(ElfClass, RefusesLyingHeaders) {
    Bytes const whole = image;
    put<u16>(image, is64 ? 56 : 44, 0xffff);
    EXPECT_NE(complaint(), "accepted");
    image = whole;
    if (is64)
        put<u64>(image, 32, ~u64{0} - 10);
    else
        put<u32>(image, 28, ~u32{0} - 10);
    EXPECT_NE(complaint(), "accepted");
    image = whole;
    if (is64)
        put<u64>(image, segment + 24, ~u64{0} - 10);
    else
        put<u32>(image, segment + 20, 10);
    EXPECT_NE(complaint(), "accepted");
}

}  // namespace
}  // namespace ramet
