// One instruction at a time: the exact path. It fetches, decodes and executes what CS:RIP points at, with every check that the block
// interpreter hoists out of its loop: code segment limit, breakpoints, single step, instructions that straddle a page.
//
// The block interpreter uses it wherever a block cannot be built, and whenever mode::slow is set.
// Tests: tests/x86/debug_test.cpp, and all instruction vectors.
#pragma once

#include "x86/core.h"
#include "x86/decode.h"
#include "x86/exec/driver.h"

namespace ramet {

/// Linear address of CS:RIP.
u64 code_linear(const Core& core);

/// The code segment has room for any instruction at RIP.
inline bool segment_holds_instruction(const Core& core) {
    return core.code64() || core.cpu.rip + (instruction_length_max - 1) <= core.cpu.seg[CS].limit;
}
/// The linear address of the page after the one at `linear`.
inline u64 next_code_page(const Core& core, u64 linear) {
    u64 const next = (linear & ~(page_size - 1)) + page_size;
    return core.code64() ? next : next & 0xffffffff;
}

/// The instruction at CS:RIP. Faults as the fetch would (#GP beyond the limit, #PF, #UD, #GP for more than 15 bytes).
Result<Insn> fetch_instruction(Core& core);

/// Executes a fetched instruction whose exact start is core.cpu.rip. On success RIP is the next boundary and what the instruction
/// cost beyond one cycle is in core.extra; on a fault RIP stays.
Fault execute(Core& core, const Insn& insn);
/// The same when the function is known already.
inline Fault execute(Core& core, const Insn& insn, exec::Exec function) {
    core.next_rip = (core.cpu.rip + insn.length) & core.ip_mask();
    TRY(function(core, insn));
    core.cpu.rip = core.next_rip;
    core.extra += isa::row(insn.id).cost - 1u;
    return no_fault;
}

/// The debug trap that is pending, on its way.
Fault take_pending_debug(Core& core);

/// Fetches and executes. Traps (#DB) count as retired: `retired` says whether the instruction did.
Fault step(Core& core, bool& retired);
/// The same, with the fault in core.fault: what it cost in cycles.
i64 step_counted(Core& core);

}  // namespace ramet
