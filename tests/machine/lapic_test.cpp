#include "machine/devices/lapic.h"

#include <gtest/gtest.h>

#include "rig.h"

namespace ramet {
namespace {

class LapicTest : public testing::Test {
protected:
    static constexpr u64 TPR = 0x80, EOI = 0xb0, SVR = 0xf0, ISR = 0x100, TMR = 0x180, ESR = 0x280, ICR = 0x300, LVT_TIMER = 0x320,
                         LVT_LINT0 = 0x350, INITIAL = 0x380, CURRENT = 0x390, DIVIDE = 0x3e0;

    LapicTest() : rig(LocalApic::after_firmware()) {}
    void receive(InterruptMessage message) {
        Wires wires = rig.wires();
        rig.device.receive(message, wires);
    }
    void lint0(bool level) {
        Wires wires = rig.wires();
        rig.device.set_lint0(level, wires);
    }
    Rig<LocalApic> rig;
    LocalApic& apic = rig.device;
};

TEST_F(LapicTest, DeliversWhatTheIoApicSends) {
    receive({.vector = 0x51});
    ASSERT_TRUE(apic.interrupt());
    EXPECT_EQ(apic.acknowledge(), 0x51);
    EXPECT_EQ(rig.read(ISR + 0x20), 1U << 0x11);
    EXPECT_FALSE(apic.interrupt());
    rig.write(EOI, 0);
    EXPECT_EQ(rig.read(ISR + 0x20), 0);
    EXPECT_TRUE(rig.ended.empty()) << "an edge needs no broadcast";
}

TEST_F(LapicTest, EndOfALevelGoesToTheIoApic) {
    receive({.vector = 0x51, .level = true});
    apic.acknowledge();
    rig.write(EOI, 0);
    EXPECT_EQ(rig.ended, std::vector<u8>{0x51});
}

TEST_F(LapicTest, AVectorsTriggerModeStaysUntilItComesAgain) {
    receive({.vector = 0x51, .level = true});
    apic.acknowledge();
    rig.write(EOI, 0);
    EXPECT_EQ(rig.read(TMR + 0x20), 1U << 0x11);
    receive({.vector = 0x51});
    EXPECT_EQ(rig.read(TMR + 0x20), 0);
}

TEST_F(LapicTest, HigherClassesInterruptLowerOnes) {
    receive({.vector = 0x51});
    apic.acknowledge();
    receive({.vector = 0x5f});
    EXPECT_FALSE(apic.interrupt()) << "the same class";
    receive({.vector = 0x61});
    EXPECT_TRUE(apic.interrupt());
    EXPECT_EQ(apic.acknowledge(), 0x61);
}

TEST_F(LapicTest, TaskPriorityHoldsBack) {
    rig.write(TPR, 0x60);
    receive({.vector = 0x6f});
    EXPECT_FALSE(apic.interrupt());
    apic.set_task_priority(5);
    EXPECT_EQ(rig.read(TPR), 0x50);
    EXPECT_TRUE(apic.interrupt());
}

TEST_F(LapicTest, DisabledBySoftwareAcceptsNothing) {
    rig.write(SVR, 0xff);
    receive({.vector = 0x51});
    EXPECT_FALSE(apic.interrupt());
    rig.write(SVR, 0x1ff);
    EXPECT_FALSE(apic.interrupt());
}

TEST_F(LapicTest, OneShotTimer) {
    rig.write(LVT_TIMER, 0xee);
    rig.write(DIVIDE, 0x3);  // by 16
    rig.write(INITIAL, 1000);
    rig.run_for(8000);
    EXPECT_EQ(rig.read(CURRENT), 500);
    rig.run_for(7999);
    EXPECT_FALSE(apic.interrupt());
    rig.run_for(1);
    EXPECT_EQ(apic.acknowledge(), 0xee);
    EXPECT_EQ(rig.read(CURRENT), 0);
    EXPECT_EQ(apic.deadline(), Cycles::never());
}

TEST_F(LapicTest, PeriodicTimerDoesNotDrift) {
    rig.write(LVT_TIMER, 0x200ee);
    rig.write(DIVIDE, 0xb);  // by 1
    rig.write(INITIAL, 777);
    for (u64 i = 1; i <= 20; ++i) EXPECT_EQ((rig.run_to(apic.deadline()), rig.now), Cycles{777 * i});
}

TEST_F(LapicTest, AMaskedTimerRunsOn) {
    rig.write(LVT_TIMER, 0x300ee);
    rig.write(DIVIDE, 0xb);
    rig.write(INITIAL, 1000);
    EXPECT_EQ(apic.deadline(), Cycles::never());
    rig.run_for(2300);
    EXPECT_EQ(rig.read(CURRENT), 700);
    rig.write(LVT_TIMER, 0x200ee);
    EXPECT_EQ(apic.deadline(), Cycles{3000});
}

TEST_F(LapicTest, DeadlineModeFiresAtTheDeadline) {
    rig.write(LVT_TIMER, 0x400ee);
    Wires wires = rig.wires();
    apic.write_tsc_deadline(5000, wires);
    rig.run_for(4999);
    EXPECT_FALSE(apic.interrupt());
    rig.run_for(1);
    EXPECT_TRUE(apic.interrupt());
    EXPECT_EQ(apic.tsc_deadline, 0) << "disarmed";
}

TEST_F(LapicTest, SelfInterrupt) {
    rig.write(ICR, 0x400f2);
    EXPECT_EQ(apic.acknowledge(), 0xf2);
}

TEST_F(LapicTest, PicPassesInVirtualWireMode) {
    EXPECT_TRUE(apic.passes_pic());
    rig.write(LVT_LINT0, 0x10700);
    EXPECT_FALSE(apic.passes_pic());
    apic.write_base(0xfee00100);
    EXPECT_TRUE(apic.passes_pic()) << "without the APIC the PIC is wired to the processor";
}

TEST_F(LapicTest, Lint0AsAFixedInterrupt) {
    rig.write(LVT_LINT0, 0x45);
    lint0(true);
    EXPECT_EQ(apic.acknowledge(), 0x45);
}

TEST_F(LapicTest, LogicalDestinations) {
    rig.write(0xd0, 0x02000000);
    receive({.vector = 0x51, .destination = 0x04, .logical = true});
    EXPECT_FALSE(apic.interrupt());
    receive({.vector = 0x51, .destination = 0x06, .logical = true});
    EXPECT_TRUE(apic.interrupt());
}

TEST_F(LapicTest, NmiHasNoVectorAndNeedsNoSoftwareEnable) {
    rig.write(SVR, 0xff);
    receive({.vector = 0, .delivery_mode = 4});
    EXPECT_TRUE(apic.nmi);
    EXPECT_FALSE(apic.interrupt());
    rig.write(ESR, 0);
    EXPECT_EQ(rig.read(ESR), 0);
    apic = {};
    apic.apic_base &= ~u64{0x800};
    receive({.delivery_mode = 4});
    EXPECT_FALSE(apic.nmi) << "globally disabled";
}

TEST_F(LapicTest, NmiByIpiReachesWhomItNames) {
    rig.write(ICR + 0x10, 0x05000000);
    rig.write(ICR, 0x400);
    EXPECT_FALSE(apic.nmi) << "another processor";
    rig.write(ICR, 0xc0400);
    EXPECT_FALSE(apic.nmi) << "all but self";
    for (u32 const to : {0x40400U, 0x80400U}) {
        apic.nmi = false;
        rig.write(ICR, to);
        EXPECT_TRUE(apic.nmi);
    }
}

TEST_F(LapicTest, Lint0AsAnNmi) {
    rig.write(LVT_LINT0, 0x10400);
    lint0(true);
    EXPECT_FALSE(apic.nmi) << "masked";
    EXPECT_FALSE(apic.lint0_is_nmi());
    lint0(false);
    rig.write(LVT_LINT0, 0x400);
    EXPECT_TRUE(apic.lint0_is_nmi());
    lint0(true);
    EXPECT_TRUE(apic.nmi);
    apic.nmi = false;
    lint0(true);
    EXPECT_FALSE(apic.nmi) << "no edge";
}

TEST_F(LapicTest, IllegalVectorsAreErrors) {
    receive({.vector = 3});
    rig.write(ESR, 0);
    EXPECT_EQ(rig.read(ESR), 0x40);
    rig.write(ESR, 0);
    EXPECT_EQ(rig.read(ESR), 0);
}

TEST_F(LapicTest, TheBaseMovesWhereNothingElseIs) {
    for (u64 const base : {u64{0xfec00900}, u64{0x00100900}, u64{0xff000900}, u64{0x1fee00900}, u64{0xfee00901}}) EXPECT_FALSE(apic.write_base(base)) << base;
    EXPECT_EQ(apic.page(), LocalApic::page_at_reset);
    EXPECT_TRUE(apic.write_base(0xfed40900));
    EXPECT_EQ(apic.page(), 0xfed40000);
    EXPECT_TRUE(apic.write_base(0xfed40100));
    EXPECT_EQ(apic.page(), LocalApic::no_page) << "switched off";
}

}  // namespace
}  // namespace ramet
