#include "base/state.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/prng.h"
#include "base/ring.h"

namespace ramet {
namespace {

enum class Phase : u8 { idle, busy = 3, done };

struct Inner {
    u8 small = 0;
    u64 large = 0;  // padding stands before it
    static constexpr void fields(auto& self, auto& visit) {
        visit("small", self.small);
        visit("large", self.large);
    }
};

struct Outer {
    bool on = false;
    i16 level = 0;
    Phase phase = Phase::idle;
    Cycles next = Cycles::never();
    std::array<u8, 3> ram = {};
    std::array<Inner, 2> inner = {};
    static constexpr void fields(auto& self, auto& visit) {
        visit("on", self.on);
        visit("level", self.level);
        visit("phase", self.phase);
        visit("next", self.next);
        visit("ram", self.ram);
        visit("inner", self.inner);
    }
};
static_assert(fields_complete<Outer>);

Outer sample(u64 seed) {
    Prng prng = Prng::seeded(seed);
    Outer made;
    made.on = prng.below(2) == 1;
    made.level = static_cast<i16>(prng.next());
    made.phase = std::array{Phase::idle, Phase::busy, Phase::done}[prng.below(3)];
    made.next = Cycles{prng.next()};
    for (u8& byte : made.ram) byte = static_cast<u8>(prng.next());
    for (Inner& inner : made.inner) inner = {static_cast<u8>(prng.next()), prng.next()};
    return made;
}

TEST(State, BytesAreLittleEndianInFieldOrderWithoutPadding) {
    Outer value;
    value.on = true;
    value.level = -2;
    value.phase = Phase::done;
    value.next = Cycles{0x0102};
    value.ram = {7, 8, 9};
    value.inner[1] = {5, 6};
    std::vector<u8> const expected = {1, 0xfe, 0xff, 4, 2, 1, 0, 0, 0, 0, 0, 0, 7, 8, 9,  //
                                      0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 6, 0, 0, 0, 0, 0, 0, 0};
    EXPECT_EQ(state_bytes(value), expected);
}

RC_GTEST_PROP(State, DigestIsTheDigestOfTheBytes, (u64 seed)) {
    Outer const value = sample(seed);
    RC_ASSERT(state_digest(value) == digest_of(state_bytes(value)));
}

TEST(State, PaddingIsNotHashed) {
    alignas(Inner) std::array<u8, sizeof(Inner)> zeros;
    alignas(Inner) std::array<u8, sizeof(Inner)> ones;
    zeros.fill(0);
    ones.fill(0xff);
    auto* const a = new (zeros.data()) Inner;
    auto* const b = new (ones.data()) Inner;
    a->small = b->small = 1;
    a->large = b->large = 2;
    EXPECT_EQ(state_digest(*a), state_digest(*b));
}

RC_GTEST_PROP(State, ReadingInvertsWriting, (u64 seed)) {
    Outer const value = sample(seed);
    std::vector<u8> const bytes = state_bytes(value);
    Outer back;
    auto const taken = read_state(bytes, back);
    RC_ASSERT(static_cast<bool>(taken));
    RC_ASSERT(*taken == bytes.size());
    RC_ASSERT(state_bytes(back) == bytes);
    RC_ASSERT(state_differences(value, back).empty());
}

TEST(State, ReadingRefusesEveryTruncation) {
    std::vector<u8> const bytes = state_bytes(sample(1));
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        Outer target = sample(2);
        auto const taken = read_state(std::span{bytes}.first(n), target);
        ASSERT_FALSE(taken) << n;
        EXPECT_NE(taken.error().text.find("cut short"), std::string::npos);
        EXPECT_EQ(state_bytes(target), state_bytes(sample(2))) << "unchanged after an error";
    }
}

TEST(State, ReadingRefusesABoolOfTwo) {
    std::vector<u8> bytes = state_bytes(Outer{});
    bytes[0] = 2;
    Outer target;
    EXPECT_FALSE(read_state(bytes, target));
}

TEST(State, ReadingRefusesAnEnumWithoutThatValue) {
    std::vector<u8> bytes = state_bytes(Outer{});
    for (u8 const value : {1, 2, 5, 255}) {
        bytes[3] = value;
        Outer target;
        auto const taken = read_state(bytes, target);
        ASSERT_FALSE(taken);
        EXPECT_NE(taken.error().text.find("\"phase\""), std::string::npos);
    }
    bytes[3] = 3;
    Outer target;
    EXPECT_TRUE(read_state(bytes, target));
    EXPECT_EQ(target.phase, Phase::busy);
}

TEST(State, ReadingRefusesAStructThatCallsItselfInvalid) {
    Ring<u8, 4> ring;
    ring.count = 5;
    std::vector<u8> const bytes = state_bytes(ring);
    Ring<u8, 4> target;
    EXPECT_FALSE(read_state(bytes, target));
}

TEST(State, DifferencesNameThePath) {
    Outer a;
    Outer b;
    b.inner[1].large = 16;
    b.phase = Phase::busy;
    std::vector<Difference> const expected = {{"phase", "idle", "busy"}, {"inner[1].large", "0000000000000000", "0000000000000010"}};
    EXPECT_EQ(state_differences(a, b), expected);
}

TEST(State, TextShowsEveryLeaf) {
    Outer value;
    value.level = -1;
    EXPECT_EQ(state_text(value),
              "on=false\nlevel=ffff\nphase=idle\nnext=ffffffffffffffff\nram[0]=00\nram[1]=00\nram[2]=00\n"
              "inner[0].small=00\ninner[0].large=0000000000000000\ninner[1].small=00\ninner[1].large=0000000000000000\n");
}

TEST(State, SchemaShowsNamesAndTypes) {
    EXPECT_EQ(state_schema<Outer>(),
              "on bool\nlevel i16\nphase enum8 = idle busy done\nnext u64\nram u8[3]\ninner struct[2]\n  small u8\n  large u64\n");
}

}  // namespace
}  // namespace ramet
