// Task state segments: stacks for inner levels, and hardware task switches (APM volume 2, chapter 12).
#pragma once

#include "x86/segment.h"

namespace ramet {

struct InnerStack {
    u16 ss = 0;
    u64 sp = 0;
};
/// SS:ESP for a privilege level, from a 16- or 32-bit TSS.
Result<InnerStack> inner_stack(Core& core, unsigned cpl);

enum class TaskSwitch : u8 { jump, call, gate, iret };

/// Switches to the task of a TSS selector. core.next_rip is saved as the old task's EIP and set to the new one's.
Fault switch_task(Core& core, u16 selector, TaskSwitch reason, std::optional<u32> error);

}  // namespace ramet
