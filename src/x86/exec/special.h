// Declarations of every special function the table names, so that the table can refer to them.
// Each says in its .cpp how it stays all-or-nothing: probe then commit, per iteration, or copy and restore.
#pragma once

#include "x86/core.h"

namespace ramet::exec {

#define OP(...)
#define SIMD(...)
#define X87(...)
#define SIZED(id, encoding, operands, operation, ...) \
    template <Word T>                                 \
    Fault operation(Core& core, const Insn& insn);
#define SPECIAL(id, encoding, operands, operation, ...) Fault operation(Core& core, const Insn& insn);
#include "x86/isa/all.def"
#undef OP
#undef SIMD
#undef X87
#undef SIZED
#undef SPECIAL

/// What privileged instructions check first.
inline Fault supervisor(const Core& core) { return core.cpu.cpl != 0 ? fault::gp() : no_fault; }

}  // namespace ramet::exec
