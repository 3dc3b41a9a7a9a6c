// Which instructions transfer control, for x86/step.cpp, where DebugCtl has transfers recorded or stepped. No other path asks.
#pragma once

#include "x86/core.h"

namespace ramet::exec {

/// Whether an instruction that is about to run goes to a target of its own, unless it faults (the list of APM volume 2, 13.1.6). INT n and its like are
/// not among them: interrupts are recorded where they are delivered, and clear TF.
bool transfers_control(const Core& core, const Insn& insn);

}  // namespace ramet::exec
