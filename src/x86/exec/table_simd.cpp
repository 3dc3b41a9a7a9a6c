// Dispatch of the x87, MMX and SSE rows.
#include "x86/exec/tables.h"
#include "x86/fpu/x87_unit.h"

namespace ramet::exec {

/// #NM when both MP and TS are set; then a pending x87 exception.
Fault fwait(Core& core, const Insn&) {
    if ((core.cpu.cr0 & (cr0::MP | cr0::TS)) == (cr0::MP | cr0::TS)) return fault::nm();
    return fpu::is_pending(core.cpu.x87) ? fault::mf() : no_fault;
}

std::span<const ExecSet> x87_rows() { return {}; }
std::span<const ExecSet> mmx_rows() { return {}; }
std::span<const ExecSet> sse_rows() { return {}; }

}  // namespace ramet::exec
