// What holds for every device of the board, whatever it is.
#include <gtest/gtest.h>

#include "base/prng.h"
#include "base/state.h"
#include "rig.h"

namespace ramet {
namespace {

template <class T>
class AnyDevice : public testing::Test {};

using Devices = testing::Types<Pic, Pit, I8042, Cmos, Post, TextCrtc, Port92, DebugConsole, DebugExit, Uart, FwCfg, AcpiPm, ResetControl, PciHost, Ata, LocalApic, IoApic>;
TYPED_TEST_SUITE(AnyDevice, Devices);

constexpr u64 register_span = 0x400;  // more than any device has
constexpr int accesses = 3000;

/// One arbitrary access or pause. Small offsets come often, so that small devices are exercised too.
template <class T>
void poke(Rig<T>& rig, Prng& random) {
    u64 const at = random.below(4) ? random.below(12) : random.below(register_span / 16) * 16;
    unsigned const size = 1U << random.below(3);
    u32 const mask = size == 4 ? ~u32{0} : (1U << 8 * size) - 1;
    switch (random.below(5)) {
    case 0: rig.run_for(random.below(50'000)); break;
    case 1:
    case 2: rig.read(at, size); break;
    default: rig.write(at, static_cast<u32>(random.next()) & (std::is_same_v<T, LocalApic> || Wide<T> ? mask : 0xff), size); break;
    }
    if constexpr (std::is_same_v<T, Uart>) {
        Wires wires = rig.wires();
        if (random.below(8) == 0) rig.device.push(static_cast<u8>(random.next()), wires);
    }
}

TYPED_TEST(AnyDevice, ResetIsADefaultValue) {
    Rig<TypeParam> rig;
    Prng random = Prng::seeded(1);
    for (int i = 0; i < 100; ++i) poke(rig, random);
    rig.device = {};
    EXPECT_EQ(state_digest(rig.device), state_digest(TypeParam{}));
}

TYPED_TEST(AnyDevice, SurvivesSavingAndLoading) {
    for (u64 seed = 0; seed < 20; ++seed) {
        Rig<TypeParam> rig;
        Prng random = Prng::seeded(seed);
        for (int i = 0; i < accesses / 10; ++i) poke(rig, random);
        TypeParam loaded;
        auto const read = read_state(state_bytes(rig.device), loaded);
        ASSERT_TRUE(read) << read.error().text << " seed " << seed;
        ASSERT_EQ(state_digest(loaded), state_digest(rig.device)) << "seed " << seed;
    }
}

TYPED_TEST(AnyDevice, ACopyLivesTheSameLife) {
    Rig<TypeParam> one;
    Prng random = Prng::seeded(3);
    for (int i = 0; i < accesses; ++i) poke(one, random);
    Rig<TypeParam> other{one.device};
    other.now = one.now;
    Prng again = random;
    for (int i = 0; i < accesses; ++i) {
        poke(one, random);
        poke(other, again);
        ASSERT_EQ(state_digest(one.device), state_digest(other.device)) << "after access " << i;
    }
}

TYPED_TEST(AnyDevice, DeadlineLiesAheadAfterAdvance) {
    if constexpr (Timed<TypeParam>) {
        Rig<TypeParam> rig;
        Prng random = Prng::seeded(4);
        for (int i = 0; i < accesses; ++i) {
            poke(rig, random);
            if (rig.device.deadline() == Cycles::never()) continue;
            rig.now = std::max(rig.now, rig.device.deadline());
            Wires wires = rig.wires();
            rig.device.advance(rig.now, wires);
            ASSERT_GT(rig.device.deadline(), rig.now) << "after access " << i;
        }
    }
}

TYPED_TEST(AnyDevice, WhereTimeIsCutDoesNotMatter) {
    if constexpr (Timed<TypeParam>) {
        Rig<TypeParam> rig;
        Prng random = Prng::seeded(5);
        for (int i = 0; i < accesses; ++i) {
            poke(rig, random);
            Rig<TypeParam> in_one_go{rig.device};
            Rig<TypeParam> in_pieces{rig.device};
            in_one_go.now = in_pieces.now = rig.now;
            Cycles const end{rig.now + random.below(100'000'000)};
            in_one_go.run_to(end);
            for (int piece = 0; piece < 5; ++piece) in_pieces.run_to(Cycles{in_pieces.now + random.below(end - in_pieces.now + 1)});
            in_pieces.run_to(end);
            ASSERT_EQ(in_one_go.rises, in_pieces.rises) << "after access " << i;
            ASSERT_EQ(state_digest(in_one_go.device), state_digest(in_pieces.device)) << "after access " << i;
        }
    }
}

}  // namespace
}  // namespace ramet
