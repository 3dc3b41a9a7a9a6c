#include "machine/boot/mp_table.h"

#include <gtest/gtest.h>

#include <numeric>

#include "images.h"

namespace ramet {
namespace {

class MpTableTest : public testing::Test {
protected:
    MpTableTest() { pointer = *place_mp_tables(placement); }
    Bytes bytes(u64 at, std::size_t size) {
        Bytes out(size);
        EXPECT_TRUE(memory.copy_out(GuestPhys{at}, out));
        return out;
    }
    Bytes configuration() {
        u64 const at = load_le<u32>(&bytes(pointer, 16)[4]);
        return bytes(at, load_le<u16>(&bytes(at, 44)[4]));
    }
    static u8 sum(const Bytes& bytes) { return static_cast<u8>(std::accumulate(bytes.begin(), bytes.end(), 0U)); }

    Memory memory{std::make_shared<PagePool>(), RamLayout::of(16 << 20).ranges()};
    Placement placement{memory, RamLayout::of(16 << 20)};
    u64 pointer = 0;
};

TEST_F(MpTableTest, PointerIsWhereSystemsLook) {
    EXPECT_EQ(pointer % 16, 0);
    EXPECT_GE(pointer, 0xf0000);
    Bytes const p = bytes(pointer, 16);
    EXPECT_EQ(std::string(p.begin(), p.begin() + 4), "_MP_");
    EXPECT_EQ(sum(p), 0);
}

TEST_F(MpTableTest, EntriesFillTheTableAndNameEveryLine) {
    Bytes const t = configuration();
    EXPECT_EQ(std::string(t.begin(), t.begin() + 4), "PCMP");
    EXPECT_EQ(sum(t), 0);
    std::size_t at = 44;
    unsigned pins = 0;
    std::array<unsigned, 5> count = {};
    for (unsigned i = 0; i < load_le<u16>(&t[34]); ++i) {
        ASSERT_LT(at, t.size());
        ASSERT_LT(t[at], count.size());
        ++count[t[at]];
        if (t[at] == 3) pins |= 1U << t[at + 7];
        at += t[at] == 0 ? 20 : 8;
    }
    EXPECT_EQ(at, t.size());
    EXPECT_EQ(count, (std::array<unsigned, 5>{1, 1, 1, 15, 2}));
    EXPECT_EQ(pins, 0xfffe);
}

}  // namespace
}  // namespace ramet
