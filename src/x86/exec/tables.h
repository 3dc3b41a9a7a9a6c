// The dispatch tables, one per topic file of the instruction table, in the order of isa/all.def.
#pragma once

#include <span>

#include "x86/exec/driver.h"
#include "x86/exec/special.h"

namespace ramet::exec {

constexpr ExecSet special(Exec e) { return {e, e, e, e}; }

template <isa::Operands O>
constexpr ExecSet sized(Exec e8, Exec e16, Exec e32, Exec e64) {
    if (sized_by_byte(O)) return {e8, e8, e8, e8};
    return {e16, e16, e32, e64};
}

std::span<const ExecSet> integer_rows();
std::span<const ExecSet> integer_0f_rows();
std::span<const ExecSet> system_rows();
std::span<const ExecSet> x87_rows();
std::span<const ExecSet> mmx_rows();
std::span<const ExecSet> sse_rows();

}  // namespace ramet::exec
