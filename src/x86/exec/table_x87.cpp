// Dispatch of the x87 rows.
#include "x86/exec/tables.h"
#include "x86/exec/x87.h"
#include "x86/fpu/x87_instructions.h"

namespace ramet::exec {

/// #NM when both MP and TS are set; then a pending x87 exception.
Fault fwait(Core& core, const Insn&) {
    if ((core.cpu.cr0 & (cr0::MP | cr0::TS)) == (cr0::MP | cr0::TS)) return fault::nm();
    return fpu::is_pending(core.cpu.x87) ? fault::mf() : no_fault;
}

namespace {

namespace x87 = fpu::x87;

/// An overload set as one value.
#define OPERATION(operation) [](auto&&... inputs) -> decltype(auto) requires requires { x87::operation(inputs...); } { return x87::operation(inputs...); }

template <isa::Operands O, auto Operation>
constexpr ExecSet x87_row() {
    return special(&drive_x87<O, Operation>);
}

}  // namespace

#define X87(id, encoding, operands, operation, flags, traits, cost) x87_row<isa::parse_operands(operands), OPERATION(operation)>(),
#define SPECIAL(id, encoding, operands, operation, flags, traits, cost) special(&operation),

constexpr ExecSet x87_table[] = {
#include "x86/isa/x87.def"
};

std::span<const ExecSet> x87_rows() { return x87_table; }

}  // namespace ramet::exec
