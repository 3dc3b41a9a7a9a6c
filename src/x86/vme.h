// Virtual interrupts (AMD APM volume 2, 8.9; Intel SDM volume 3, 20.3 and 20.4): with CR4.VME, virtual-8086 code below IOPL 3 gets VIF in place of IF, and
// INT n may go to its own vector table; with CR4.PVI, code of CPL 3 gets VIF for CLI and STI. VIP tells that the monitor has an interrupt waiting: what
// would set VIF then is #GP.
// Tests: tests/x86/vme_test.cpp, tests/guests/vme.S.
#pragma once

#include "x86/access.h"

namespace ramet::vme {

/// The flag that CLI and STI change here. none: they are #GP.
enum class InterruptFlag : u8 { real, virtual_flag, none };
InterruptFlag interrupt_flag(const Core& core);

/// Instructions with 16-bit operands push and pop FLAGS with VIF where IF is. They are #GP with 32-bit operands, and without VME.
inline bool virtual_flags(const Core& core, unsigned operand_size) {
    return core.v86() && core.iopl() < 3 && (core.cpu.cr4 & cr4::VME) && operand_size == 2;
}
/// FLAGS as the 8086 program sees them: VIF as IF, and IOPL 3.
u16 flags_image(const Core& core);
/// Loads what POPF and IRET have popped: #GP for TF, and for IF while VIP is set.
Fault load_flags(Core& core, u16 image);

/// In virtual-8086 mode: whether INT n goes to the program's own vector table, by the map in front of the I/O permissions of the TSS.
Result<bool> redirects(Core& core, u8 vector);

}  // namespace ramet::vme
