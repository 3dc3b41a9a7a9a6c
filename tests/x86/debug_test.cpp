// Debug registers, DebugCtl and RF: APM volume 2, 13.1 and 3.1.6. Guests: tests/guests/branch_step.S, branch_record.S and others.
#include "x86/debug.h"

#include <gtest/gtest.h>

#include "stand.h"

namespace ramet {
namespace {

constexpr u64 B0 = 1, data = 0x5000;
constexpr int DB = 1;

/// DR7 for breakpoint 0: condition (0 instruction, 1 write, 2 port, 3 access) and LEN as encoded.
constexpr u64 armed(unsigned condition, unsigned length) { return 0x400 | 1 | condition << 16 | length << 18; }
constexpr u8 nop = 0x90;

TEST(Debug, InstructionBreakpointIsAFaultBeforeTheInstruction) {
    Stand s{{nop, nop, nop}};
    s.cpu().dr[0] = Stand::code + 1;
    s.cpu().dr7 = armed(0, 0);
    s.run(2);
    ASSERT_EQ(s.entered(), DB);
    EXPECT_EQ(s.cpu().dr6 & 0xf, B0);
    EXPECT_EQ(s.frame(0), Stand::code + 1);
    EXPECT_EQ(s.frame(2) & rflags::RF, 0u);
    EXPECT_EQ(s.interpreter.clock().position.value, 2u);  // the first NOP and the handler's HLT
}

TEST(Debug, ResumeFlagHoldsAnInstructionBreakpointBackOnce) {
    Stand s{{nop, nop, 0xeb, 0xfd}};  // nop; 1: nop; jmp 1b
    s.cpu().dr[0] = Stand::code + 1;
    s.cpu().dr7 = armed(0, 0);
    s.cpu().rip = Stand::code + 1;
    s.cpu().rflags |= rflags::RF;
    s.run(1);
    EXPECT_EQ(s.entered(), -1);
    EXPECT_EQ(s.cpu().rflags & rflags::RF, 0u);
    s.run(2);
    EXPECT_EQ(s.entered(), DB);
}

TEST(Debug, WriteBreakpointTrapsAfterTheWrite) {
    Stand s{{0xa3, 0x00, 0x50, 0x00, 0x00, nop}};  // mov [5000h], eax
    s.cpu().dr[0] = data + 3;
    s.cpu().dr7 = armed(1, 0);
    s.cpu().gpr[RAX] = 0x12345678;
    s.run(1);
    ASSERT_EQ(s.entered(), DB);
    EXPECT_EQ(s.cpu().dr6 & 0xf, B0);
    EXPECT_EQ(s.frame(0), Stand::code + 5);
    EXPECT_EQ(s.peek32(data), 0x12345678u);
}

TEST(Debug, WriteBreakpointIgnoresReadsAndNeighbours) {
    Stand s{{0xa1, 0x00, 0x50, 0x00, 0x00, 0xa3, 0x04, 0x50, 0x00, 0x00}};  // mov eax, [5000h]; mov [5004h], eax
    s.cpu().dr[0] = data;
    s.cpu().dr7 = armed(1, 3);
    s.run(2);
    EXPECT_EQ(s.entered(), -1);
    EXPECT_EQ(s.cpu().dr6 & 0xf, 0u);
}

TEST(Debug, AccessBreakpointSeesWhatTheTlbKnowsAlready) {
    Stand s{{0xa1, 0x00, 0x50, 0x00, 0x00, 0x0f, 0x23, 0xf8, 0xa1, 0x02, 0x50, 0x00, 0x00}};  // mov eax, [5000h]; mov dr7, eax; mov eax, [5002h]
    s.poke32(data, static_cast<u32>(armed(3, 3)));
    s.cpu().dr[0] = data;
    s.run(3);
    ASSERT_EQ(s.entered(), DB);
    EXPECT_EQ(s.frame(0), Stand::code + 13);
}

TEST(Debug, RepeatedStringTrapsAfterTheIterationThatHit) {
    Stand s{{0xf3, 0xaa, nop}};  // rep stosb
    s.cpu().dr[0] = data + 2;
    s.cpu().dr7 = armed(1, 0);
    s.cpu().gpr[RCX] = 6;
    s.cpu().gpr[RDI] = data;
    s.run(3);
    ASSERT_EQ(s.entered(), DB);
    EXPECT_EQ(s.cpu().gpr[RCX], 3u);
    EXPECT_EQ(s.frame(0), Stand::code);
    EXPECT_NE(s.frame(2) & rflags::RF, 0u);
}

TEST(Debug, PortBreakpointNeedsDebuggingExtensions) {
    for (bool const extended : {false, true}) {
        Stand s{{0xe6, 0x80, nop}};  // out 80h, al
        s.cpu().dr[0] = 0x80;
        s.cpu().dr7 = armed(2, 0);
        if (extended) s.cpu().cr4 |= cr4::DE;
        s.run(1);
        EXPECT_EQ(s.entered(), extended ? DB : -1);
    }
}

TEST(Debug, LoadingTheStackSegmentHoldsATrapBackForOneInstruction) {
    Stand s{{0x8e, 0x15, 0x00, 0x50, 0x00, 0x00, nop, nop}};  // mov ss, [5000h]
    s.poke32(data, 0x10);
    s.cpu().dr[0] = data;
    s.cpu().dr7 = armed(3, 1);
    s.run(1);
    EXPECT_EQ(s.entered(), -1);
    EXPECT_EQ(s.cpu().pending_debug, B0);
    s.run(1);
    ASSERT_EQ(s.entered(), DB);
    EXPECT_EQ(s.frame(0), Stand::code + 7);
    EXPECT_EQ(s.cpu().dr6 & 0xf, B0);
}

// Otherwise the trap's own frame would trap again, for ever and without an instruction in between.
TEST(Debug, DeliveryDoesNotWatchTheFrameItPushes) {
    Stand s{{0xcc, nop}};  // int3
    s.cpu().dr[0] = Stand::stack - 4;
    s.cpu().dr[1] = Stand::stack - 16;
    s.cpu().dr7 = armed(1, 3) | 4 | u64{0xd} << 20;
    s.run(1);
    EXPECT_EQ(s.entered(), 3);
    EXPECT_EQ(s.cpu().pending_debug, 0u);
    EXPECT_EQ(s.cpu().dr6 & 0xf, 0u);
}

TEST(Debug, SingleStepTellsItsReason) {
    Stand s{{nop, nop}};
    s.cpu().rflags |= rflags::TF;
    s.run(1);
    ASSERT_EQ(s.entered(), DB);
    EXPECT_EQ(s.cpu().dr6 & 0xe00f, debug::dr6::BS);
    EXPECT_EQ(s.frame(2) & (rflags::TF | rflags::RF), rflags::TF);
}

TEST(Debug, GeneralDetectIsAFaultAndEndsInTheHandler) {
    Stand s{{0x0f, 0x21, 0xf8}};  // mov eax, dr7
    s.cpu().dr7 = 0x400 | debug::dr7::GD;
    s.run(1);
    ASSERT_EQ(s.entered(), DB);
    EXPECT_EQ(s.cpu().dr6 & 0xe00f, debug::dr6::BD);
    EXPECT_EQ(s.cpu().dr7 & debug::dr7::GD, 0u);
    EXPECT_EQ(s.frame(0), Stand::code);
    EXPECT_NE(s.frame(2) & rflags::RF, 0u);
}

// BD stays until software clears it, and must not make a fault of every later trap.
TEST(Debug, TrapAfterGeneralDetectPushesNoResumeFlag) {
    Stand s({nop});
    s.cpu().dr6 |= debug::dr6::BD;
    s.cpu().rflags |= rflags::TF;
    s.run(1);
    ASSERT_EQ(s.entered(), DB);
    EXPECT_EQ(s.frame(2) & rflags::RF, 0u);
}

// A second #DB at the first instruction of the handler would overwrite the frame of the first on a stack of the IST.
TEST(Debug, GeneralDetectTakesWithItWhatTheStackSegmentHeldBack) {
    Stand s{{0x8e, 0x15, 0x00, 0x50, 0x00, 0x00, 0x0f, 0x21, 0xf8}};  // mov ss, [5000h]; mov eax, dr7
    s.poke32(data, 0x10);
    s.cpu().dr[0] = data;
    s.cpu().dr7 = armed(3, 1) | debug::dr7::GD;
    s.run(2);
    ASSERT_EQ(s.entered(), DB);
    EXPECT_EQ(s.cpu().dr6 & 0xe00f, debug::dr6::BD | B0);
    EXPECT_EQ(s.frame(0), Stand::code + 6);
    EXPECT_EQ(s.cpu().pending_debug, 0u);
}

TEST(ResumeFlag, IsPushedByFaultsAndNotBySoftwareInterrupts) {
    Stand fault{{0x0f, 0x0b}};  // ud2
    fault.run(1);
    ASSERT_EQ(fault.entered(), 6);
    EXPECT_NE(fault.frame(2) & rflags::RF, 0u);
    Stand software({0xcc});  // int3
    software.run(1);
    ASSERT_EQ(software.entered(), 3);
    EXPECT_EQ(software.frame(2) & rflags::RF, 0u);
}

TEST(DebugControl, RecordsAnInterruptWhoseHandlerIsNotStepped) {
    constexpr int NMI = 2;
    Stand s{{nop, nop}};
    s.cpu().debugctl = debug::debugctl::LBR | debug::debugctl::BTF;
    s.cpu().last_branch = {1, 2};
    s.cpu().rflags |= rflags::TF;
    s.run(1);
    s.bus.nmi = true;
    s.run(1);
    ASSERT_EQ(s.entered(), NMI);
    EXPECT_EQ(s.frame(0), Stand::code + 1);
    EXPECT_EQ(s.cpu().last_branch.from, Stand::code + 1);
    EXPECT_EQ(s.cpu().last_branch.to, Stand::handlers + NMI);
    EXPECT_EQ(s.cpu().last_interrupt.from, 1u);
    EXPECT_EQ(s.cpu().last_interrupt.to, 2u);
    EXPECT_EQ(s.cpu().debugctl, debug::debugctl::LBR | debug::debugctl::BTF);
}

TEST(ResumeFlag, IsLoadedByIretAndGoneAfterTheNextInstruction) {
    Stand s({0xcf});  // iret
    s.poke32(Stand::stack, Stand::code + 0x10);
    s.poke32(Stand::stack + 4, 8);
    s.poke32(Stand::stack + 8, 0x10002);
    s.poke(Stand::code + 0x10, {nop, nop});
    s.run(1);
    EXPECT_NE(s.cpu().rflags & rflags::RF, 0u);
    s.run(1);
    EXPECT_EQ(s.cpu().rflags & rflags::RF, 0u);
}

TEST(ResumeFlag, StandsBetweenTheIterationsOfAString) {
    Stand s{{0xf3, 0xaa, nop}};  // rep stosb
    s.cpu().gpr[RCX] = 4;
    s.cpu().gpr[RDI] = data;
    s.run(2);
    EXPECT_EQ(s.cpu().rip, Stand::code);
    EXPECT_NE(s.cpu().rflags & rflags::RF, 0u);
    s.run(2);
    EXPECT_EQ(s.cpu().rip, Stand::code + 2);
    EXPECT_EQ(s.cpu().rflags & rflags::RF, 0u);
}

TEST(ResumeFlag, OutlivesAFaultThatCannotBeDelivered) {
    Stand s{{0xf7, 0xf3, nop}};  // div ebx: #DE, whose gate is absent: #DF, which does not set RF itself
    s.poke32(Stand::idt + 4, 0x00000e00);
    s.cpu().rflags |= rflags::RF;
    s.run(1);
    ASSERT_EQ(s.entered(), 8);
    EXPECT_NE(s.frame(3) & rflags::RF, 0u);  // behind the error code
}

}  // namespace
}  // namespace ramet
