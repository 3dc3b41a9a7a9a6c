// Near branches. The target is checked before anything changes.
#include "x86/exec/special.h"
#include "x86/exec/stack.h"

namespace ramet::exec {

Fault jcc(Core& core, const Insn& insn) {
    if (!core.lazy.condition(insn.cc())) return no_fault;
    return branch_to(core, core.next_rip + insn.immediate, insn.operand_size);
}
Fault jmp_near(Core& core, const Insn& insn) { return branch_to(core, core.next_rip + insn.immediate, insn.operand_size); }

template <Word T>
Fault jmp_indirect(Core& core, const Insn& insn) {
    return branch_to(core, TRY(read_rm<T>(core, insn)), insn.operand_size);
}

/// Faults of the push come before those of the target, and nothing is written unless both are good.
template <Word T>
Fault call_to(Core& core, const Insn& insn, u64 target) {
    T const back = static_cast<T>(core.next_rip);
    u64 const to = (stack_pointer(core) - sizeof(T)) & stack_mask(core);
    u64 const linear = TRY(linear_address(core, SS, to, sizeof(T), AccessType::write));
    TRY(probe_write(core, linear, sizeof(T), core.context));
    TRY(branch_to(core, target, insn.operand_size));
    TRY(store_linear<T>(core, linear, back, core.context));
    set_stack_pointer(core, to);
    return no_fault;
}
template <Word T>
Fault call_near(Core& core, const Insn& insn) {
    return call_to<T>(core, insn, core.next_rip + insn.immediate);
}
template <Word T>
Fault call_indirect(Core& core, const Insn& insn) {
    return call_to<T>(core, insn, TRY(read_rm<T>(core, insn)));
}
template <Word T>
Fault ret_near(Core& core, const Insn& insn) {
    T const target = TRY(peek<T>(core));
    TRY(branch_to(core, target, insn.operand_size));
    u64 const released = isa::row(insn.id).operands.count > 1 ? insn.immediate : 0;
    drop(core, sizeof(T) + released);
    return no_fault;
}

namespace {

u64 count_mask(const Insn& insn) { return insn.address_size == 8 ? ~u64{0} : insn.address_size == 4 ? 0xffffffff : 0xffff; }

void set_count(Core& core, const Insn& insn, u64 value) {
    if (insn.address_size == 2) core.set_gpr<u16>(RCX, static_cast<u16>(value));
    else core.cpu.gpr[RCX] = value & count_mask(insn);
}

}  // namespace

/// LOOPNE E0, LOOPE E1, LOOP E2.
Fault loop(Core& core, const Insn& insn) {
    u64 const count = (core.cpu.gpr[RCX] - 1) & count_mask(insn);
    bool const zero_flag_agrees = insn.opcode == 0xe2 || core.lazy.z() == (insn.opcode == 0xe1);
    if (count != 0 && zero_flag_agrees) TRY(branch_to(core, core.next_rip + insn.immediate, insn.operand_size));
    set_count(core, insn, count);
    return no_fault;
}
Fault jcxz(Core& core, const Insn& insn) {
    if ((core.cpu.gpr[RCX] & count_mask(insn)) != 0) return no_fault;
    return branch_to(core, core.next_rip + insn.immediate, insn.operand_size);
}

INSTANTIATE(jmp_indirect)
INSTANTIATE(call_near)
INSTANTIATE(call_indirect)
INSTANTIATE(ret_near)

}  // namespace ramet::exec
