// Breakpoints of the debug registers (APM volume 2, 13.1.1): which of DR0 to DR3 an access meets, as bits of DR6; and DebugCtl, which has control transfers
// recorded or stepped (13.1.6).
// Instruction breakpoints are faults before the instruction, the others traps after it. Memory is watched in the slow path of
// x86/access.cpp: while a data breakpoint is armed, the TLB holds nothing.
// Tests: tests/x86/debug_test.cpp.
#pragma once

#include "x86/core.h"

namespace ramet::debug {

namespace dr6 {
inline constexpr u64 B0_to_B3 = 0xf, BD = 0x2000, BS = 0x4000, BT = 0x8000;
}
namespace dr7 {
inline constexpr u64 enabled = 0xff, GD = 0x2000;
}
/// LBR: transfers are recorded, BTF: TF steps transfers alone, PB: what the pins of the package report, which has no effect here.
namespace debugctl {
inline constexpr u64 LBR = 1, BTF = 2, PB = 0x3c, must_be_zero = 0x40;
}

/// A breakpoint on data is armed.
bool watches_data(const Cpu& cpu);

/// Instruction breakpoints at a linear address, unless RF holds them back. MOV SS, on AMD's processors, does not; what it does hold back is reported with them.
u64 at_instruction(const Cpu& cpu, u64 linear);

/// Adds the breakpoints that a completed access meets to the pending ones.
void note_memory(Cpu& cpu, u64 linear, unsigned size, bool write);
void note_port(Cpu& cpu, u16 port, unsigned size);

/// What a #DB leaves in DR6: B0 to B3 are its own (SDM volume 3, 17.2.3: sampled at the time the last debug exception was generated), the rest adds up.
inline void report(Cpu& cpu, u64 conditions) { cpu.dr6 = (cpu.dr6 & ~dr6::B0_to_B3) | conditions; }

/// Records a branch, or an interrupt or exception, if DebugCtl.LBR is set. The latter keep the branch before them as LastIntFromIP and LastIntToIP.
void record_branch(Cpu& cpu, Transfer transfer);
void record_interrupt(Cpu& cpu, Transfer transfer);

}  // namespace ramet::debug
