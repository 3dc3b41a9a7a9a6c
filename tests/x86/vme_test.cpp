// Virtual interrupts: APM volume 2, 8.9. Guest: tests/guests/vme.S.
#include "x86/vme.h"

#include <gtest/gtest.h>

#include "stand.h"
#include "x86/debug.h"

namespace ramet {
namespace {

constexpr u8 cli = 0xfa, sti = 0xfb;
constexpr int GP = 13;

/// Code of CPL 3 in virtual-8086 mode; exceptions go to a stack of privilege 0.
class Virtual86 : public Stand {
public:
    explicit Virtual86(std::initializer_list<u8> program) : Stand(program) {
        constexpr u64 task = 0x4000;
        cpu().rflags |= rflags::VM | rflags::IF;
        cpu().cpl = 3;
        for (unsigned n = 0; n < 6; ++n) cpu().seg[n] = {0, 0xf3, 0xffff, 0};
        cpu().seg[TR] = {0x28, 0x8b, 0x87, task};
        poke32(task + 4, stack);
        poke32(task + 8, 0x10);
        poke32(task + 0x64, 0x88 << 16);  // the redirection map lies in front of the I/O map, at 68h
    }
    /// The vector goes to the monitor.
    void keep_from_program(u8 vector) { poke(0x4068 + vector / 8u, {static_cast<u8>(1 << vector % 8)}); }
};

TEST(Vme, WithoutItInterruptFlagInstructionsAreRefused) {
    for (u8 const opcode : {cli, sti}) {
        Virtual86 s{opcode};
        s.run(1);
        EXPECT_EQ(s.entered(), GP);
    }
}

TEST(Vme, ClearsAndSetsTheVirtualFlag) {
    Virtual86 s{sti, cli};
    s.cpu().cr4 |= cr4::VME;
    s.run(1);
    EXPECT_EQ(s.cpu().rflags & (rflags::VIF | rflags::IF), rflags::VIF | rflags::IF);
    s.run(1);
    EXPECT_EQ(s.cpu().rflags & (rflags::VIF | rflags::IF), rflags::IF);
}

TEST(Vme, PendingInterruptRefusesToSetIt) {
    Virtual86 s{sti};
    s.cpu().cr4 |= cr4::VME;
    s.cpu().rflags |= rflags::VIP;
    s.run(1);
    EXPECT_EQ(s.entered(), GP);
}

TEST(Vme, ARedirectedInterruptStaysInTheProgram) {
    Virtual86 s{0xcd, 0x21};
    s.cpu().cr4 |= cr4::VME;
    s.cpu().rflags |= rflags::VIF | rflags::TF;
    s.poke32(0x21 * 4, 0x0000'5000);
    s.run(1);
    EXPECT_EQ(s.cpu().rip, 0x5000u);
    EXPECT_EQ(s.cpu().rflags & (rflags::VM | rflags::VIF | rflags::IF | rflags::TF), rflags::VM | rflags::IF);
    EXPECT_EQ(s.cpu().gpr[RSP], Stand::stack - 6);
    EXPECT_EQ(s.peek32(Stand::stack - 6), Stand::code + 2);
    EXPECT_EQ(s.peek32(Stand::stack - 4) >> 16, 0x3302u) << "IF is VIF, IOPL 3, and TF";
}

TEST(Vme, ARedirectedInterruptIsRecorded) {
    Virtual86 s{0xcd, 0x21};
    s.cpu().cr4 |= cr4::VME;
    s.cpu().debugctl = debug::debugctl::LBR;
    s.cpu().last_branch = {1, 2};
    s.poke32(0x21 * 4, 0x0000'5000);
    s.run(1);
    EXPECT_EQ(s.cpu().last_branch.from, Stand::code);
    EXPECT_EQ(s.cpu().last_branch.to, 0x5000u);
    EXPECT_EQ(s.cpu().last_interrupt.from, 1u);
}

TEST(Vme, TheMapGivesAVectorToTheMonitor) {
    Virtual86 s{0xcd, 0x21};
    s.cpu().cr4 |= cr4::VME;
    s.keep_from_program(0x21);
    s.run(1);
    EXPECT_EQ(s.entered(), GP);
}

TEST(Vme, AMapBeyondTheTaskStateIsRefused) {
    Virtual86 s{0xcd, 0xff};
    s.cpu().cr4 |= cr4::VME;
    s.cpu().seg[TR].limit = 0x86;
    s.run(1);
    EXPECT_EQ(s.entered(), GP);
}

TEST(Vme, ProtectedModeHasItsOwnSwitch) {
    for (u64 const control : {u64{0}, cr4::VME, cr4::PVI}) {
        Virtual86 s{sti};
        s.cpu().rflags &= ~rflags::VM;
        s.cpu().seg[CS] = {0x1b, 0xcfb, 0xffffffff, 0};
        s.cpu().seg[SS] = {0x23, 0xcf3, 0xffffffff, 0};
        s.cpu().cr4 |= control;
        s.run(1);
        EXPECT_EQ(s.entered(), control == cr4::PVI ? -1 : GP);
        EXPECT_EQ((s.cpu().rflags & rflags::VIF) != 0, control == cr4::PVI);
    }
}

}  // namespace
}  // namespace ramet
