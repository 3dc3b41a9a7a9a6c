// Exceptions and interrupts: delivery through the IVT, IDT gates and the 64-bit IDT (APM volume 2, chapter 8).
#pragma once

#include "x86/segment.h"

namespace ramet {

enum class EventKind : u8 {
    exception,
    external,  ///< an interrupt: the EXT bit is set in error codes
    software,  ///< INT n, INT3, INTO: gate DPL is checked
};

/// Delivers one event. On return core.next_rip is the handler's first instruction; a fault is a nested exception. The
/// return address is core.next_rip as it was. Registers change only when all checks have passed.
Fault deliver(Core& core, u8 vector, EventKind kind, std::optional<u32> error);

/// INT n of virtual-8086 mode that goes to the program's own vector table (x86/vme.h), as in real mode.
Fault deliver_redirected(Core& core, u8 vector);

/// Delivers an exception with the double-fault rules; false: triple fault, the CPU is shut down.
bool deliver_exception(Core& core, Fault const& fault);

}  // namespace ramet
