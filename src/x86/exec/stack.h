// Push and pop on the current stack. The stack pointer changes only when the access has succeeded.
#pragma once

#include "x86/exec/operands.h"

namespace ramet::exec {

inline u64 stack_mask(const Core& core) {
    unsigned const size = core.stack_size();
    return size == 8 ? ~u64{0} : size == 4 ? 0xffffffff : 0xffff;
}
inline u64 stack_pointer(const Core& core) { return core.cpu.gpr[RSP] & stack_mask(core); }
/// Writes the part of RSP that the stack size covers.
inline void set_stack_pointer(Core& core, u64 value) {
    u64 const mask = stack_mask(core);
    core.cpu.gpr[RSP] = mask == 0xffff ? (core.cpu.gpr[RSP] & ~mask) | (value & mask) : value & mask;
}

template <class T>
Fault push(Core& core, T value) {
    u64 const to = (stack_pointer(core) - sizeof(T)) & stack_mask(core);
    TRY(store<T>(core, SS, to, value));
    set_stack_pointer(core, to);
    return no_fault;
}
/// The value `depth` bytes above the stack pointer; nothing is popped.
template <class T>
Result<T> peek(Core& core, u64 depth = 0) {
    return load<T>(core, SS, (stack_pointer(core) + depth) & stack_mask(core));
}
inline void drop(Core& core, u64 bytes) { set_stack_pointer(core, stack_pointer(core) + bytes); }

/// Checks a near branch target and takes it: #GP(0) beyond the code segment's limit or at a non-canonical address.
inline Fault branch_to(Core& core, u64 target, unsigned operand_size) {
    if (operand_size == 2) target &= 0xffff;
    if (core.code64()) {
        if (!is_canonical(target)) return fault::gp();
    } else {
        target &= 0xffffffff;
        if (target > core.cpu.seg[CS].limit) return fault::gp();
    }
    core.next_rip = target;
    return no_fault;
}

#define INSTANTIATE(operation)                       \
    template Fault operation<u8>(Core&, const Insn&);  \
    template Fault operation<u16>(Core&, const Insn&); \
    template Fault operation<u32>(Core&, const Insn&); \
    template Fault operation<u64>(Core&, const Insn&);

}  // namespace ramet::exec
