// NMI between instructions: SDM volume 3, 6.7 and 6.9. Guests: tests/guests/nmi.S.
#include <gtest/gtest.h>

#include "stand.h"

namespace ramet {
namespace {

constexpr int NMI = 2;
constexpr u8 nop = 0x90;

TEST(Nmi, ComesWhateverIfSaysAndLeavesItsReturnAddress) {
    Stand s{{nop, nop}};
    s.bus.nmi = true;
    s.run(1);
    ASSERT_EQ(s.entered(), NMI);
    EXPECT_EQ(s.frame(0), Stand::code);
    EXPECT_TRUE(s.cpu().nmi_blocked);
    EXPECT_FALSE(s.bus.nmi) << "taken";
    EXPECT_EQ(s.interpreter.clock().position.value, 1u) << "the handler's HLT; delivery counts none";
}

TEST(Nmi, WaitsForTheIretOfTheOneBefore) {
    Stand s{{nop, nop}};
    s.poke(Stand::handlers + NMI, {nop, 0xcf});  // nop; iret
    s.bus.nmi = true;
    s.run(1);
    s.bus.nmi = true;
    s.run(1);
    EXPECT_TRUE(s.bus.nmi) << "blocked";
    EXPECT_EQ(s.cpu().rip, Stand::code);
    EXPECT_FALSE(s.cpu().nmi_blocked);
    s.run(1);
    EXPECT_FALSE(s.bus.nmi);
    EXPECT_EQ(s.cpu().rip, Stand::handlers + NMI + 1);
}

TEST(Nmi, StaysOutOfTheShadowOfAStackSegment) {
    Stand s{{0x8e, 0xd0, nop, nop}};  // mov ss, eax
    s.cpu().gpr[RAX] = 0x10;
    s.run(1);
    ASSERT_EQ(s.cpu().shadow, Shadow::mov_ss);
    s.bus.nmi = true;
    s.run(1);
    EXPECT_EQ(s.entered(), -1);
    s.run(1);
    ASSERT_EQ(s.entered(), NMI);
    EXPECT_EQ(s.frame(0), Stand::code + 3);
}

TEST(Nmi, EndsAHalt) {
    Stand s{{0xf4, nop}};
    EXPECT_EQ(s.run(10), Stop::halted);
    s.bus.nmi = true;
    s.run(10);
    ASSERT_EQ(s.entered(), NMI);
    EXPECT_EQ(s.frame(0), Stand::code + 1);
}

TEST(Nmi, ThatCannotBeDeliveredIsAFaultAndStaysBlocked) {
    Stand s{{nop, nop}};
    s.poke32(Stand::idt + 8 * NMI + 4, 0x00000e00);
    s.bus.nmi = true;
    s.run(1);
    ASSERT_EQ(s.entered(), 11);
    EXPECT_EQ(s.frame(0), 8u * NMI + 2 + 1) << "the gate, in the IDT, external";
    EXPECT_TRUE(s.cpu().nmi_blocked);
}

}  // namespace
}  // namespace ramet
