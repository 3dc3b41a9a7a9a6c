// Near branches. The target is checked before anything changes.
#include "x86/exec/branch.h"

#include "x86/exec/special.h"
#include "x86/exec/stack.h"

namespace ramet::exec {

namespace {

u64 count_mask(const Insn& insn) { return insn.address_size == 8 ? ~u64{0} : insn.address_size == 4 ? 0xffffffff : 0xffff; }
u64 count_after_loop(const Core& core, const Insn& insn) { return (core.cpu.gpr[RCX] - 1) & count_mask(insn); }

bool jcc_taken(const Core& core, const Insn& insn) { return core.lazy.condition(insn.cc()); }
/// LOOPNE E0, LOOPE E1, LOOP E2.
bool loop_taken(const Core& core, const Insn& insn) {
    bool const zero_flag_agrees = insn.opcode == 0xe2 || core.lazy.z() == (insn.opcode == 0xe1);
    return count_after_loop(core, insn) != 0 && zero_flag_agrees;
}
bool jcxz_taken(const Core& core, const Insn& insn) { return (core.cpu.gpr[RCX] & count_mask(insn)) == 0; }

}  // namespace

Fault jcc(Core& core, const Insn& insn) {
    if (!jcc_taken(core, insn)) return no_fault;
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

void set_count(Core& core, const Insn& insn, u64 value) {
    if (insn.address_size == 2) core.set_gpr<u16>(RCX, static_cast<u16>(value));
    else core.cpu.gpr[RCX] = value & count_mask(insn);
}

}  // namespace

Fault loop(Core& core, const Insn& insn) {
    if (loop_taken(core, insn)) TRY(branch_to(core, core.next_rip + insn.immediate, insn.operand_size));
    set_count(core, insn, count_after_loop(core, insn));
    return no_fault;
}
Fault jcxz(Core& core, const Insn& insn) {
    if (!jcxz_taken(core, insn)) return no_fault;
    return branch_to(core, core.next_rip + insn.immediate, insn.operand_size);
}

bool transfers_control(const Core& core, const Insn& insn) {
    using isa::Id;
    switch (insn.id) {
    case Id::Jcc_Jb:
    case Id::Jcc_Jz: return jcc_taken(core, insn);
    case Id::LOOPNE_Jb:
    case Id::LOOPE_Jb:
    case Id::LOOP_Jb: return loop_taken(core, insn);
    case Id::JCXZ_Jb: return jcxz_taken(core, insn);
    case Id::JMP_Jb:
    case Id::JMP_Jz:
    case Id::JMP_Ev:
    case Id::JMP_Ap:
    case Id::JMP_Mp:
    case Id::CALL_Jz:
    case Id::CALL_Ev:
    case Id::CALL_Ap:
    case Id::CALL_Mp:
    case Id::RET:
    case Id::RET_Iw:
    case Id::RETF:
    case Id::RETF_Iw:
    case Id::IRET:
    case Id::SYSCALL:
    case Id::SYSRET:
    case Id::SYSENTER:
    case Id::SYSEXIT: return true;
    default: return false;
    }
}

INSTANTIATE(jmp_indirect)
INSTANTIATE(call_near)
INSTANTIATE(call_indirect)
INSTANTIATE(ret_near)

}  // namespace ramet::exec
