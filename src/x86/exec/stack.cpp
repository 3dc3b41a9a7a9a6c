// PUSH, POP, PUSHA, POPA, ENTER, LEAVE, PUSHF, POPF. Probe then commit: registers change after the last access.
#include "x86/exec/stack.h"

#include "x86/exec/special.h"
#include "x86/segment.h"
#include "x86/vme.h"

namespace ramet::exec {

template <Word T>
Fault push_operand(Core& core, const Insn& insn) {
    bool const from_opcode = isa::row(insn.id).encoding.plus_r;
    T const value = from_opcode ? core.gpr<T>(insn.opcode_reg()) : TRY(read_rm<T>(core, insn));
    return push<T>(core, value);
}

/// The destination's address is computed with the stack pointer already raised; a fault lowers it again.
template <Word T>
Fault pop_operand(Core& core, const Insn& insn) {
    T const value = TRY(peek<T>(core));
    u64 const old_rsp = core.cpu.gpr[RSP];
    drop(core, sizeof(T));
    if (isa::row(insn.id).encoding.plus_r) {
        core.set_gpr<T>(insn.opcode_reg(), value);
        return no_fault;
    }
    Fault const f = write_rm<T>(core, insn, value);
    if (f.raised()) core.cpu.gpr[RSP] = old_rsp;
    return f;
}

template <Word T>
Fault push_immediate(Core& core, const Insn& insn) {
    return push<T>(core, static_cast<T>(insn.immediate));
}

Fault push_segment(Core& core, const Insn& insn) {
    unsigned const n = insn.opcode >> 3 & 7;
    u16 const selector = core.cpu.seg[n].selector;
    // AMD's processors write the whole stack slot, zero-extended.
    switch (insn.operand_size) {
    case 2: return push<u16>(core, selector);
    case 4: return push<u32>(core, selector);
    default: return push<u64>(core, selector);
    }
}

Fault pop_segment(Core& core, const Insn& insn) {
    unsigned const n = insn.opcode >> 3 & 7;
    u16 selector = 0;
    switch (insn.operand_size) {
    case 2: selector = TRY(peek<u16>(core)); break;
    case 4: selector = static_cast<u16>(TRY(peek<u32>(core))); break;
    default: selector = static_cast<u16>(TRY(peek<u64>(core))); break;
    }
    u64 const mask = stack_mask(core), raised = stack_pointer(core) + insn.operand_size;
    TRY(load_segment(core, n, selector));
    core.cpu.gpr[RSP] = mask == 0xffff ? (core.cpu.gpr[RSP] & ~mask) | (raised & mask) : raised & mask;
    if (n == SS) core.cpu.shadow = Shadow::mov_ss;
    return no_fault;
}

template <Word T>
Fault pusha(Core& core, const Insn&) {
    u64 const top = stack_pointer(core), mask = stack_mask(core);
    u64 const old = core.cpu.gpr[RSP];
    for (unsigned i = 0; i < 8; ++i)
        TRY(store<T>(core, SS, (top - (i + 1) * sizeof(T)) & mask, i == RSP ? static_cast<T>(old) : core.gpr<T>(i)));
    set_stack_pointer(core, top - 8 * sizeof(T));
    return no_fault;
}

/// Not all-or-nothing, as in hardware: a fault leaves the registers that were popped before it, and the stack pointer, so that the
/// instruction can run again.
template <Word T>
Fault popa(Core& core, const Insn&) {
    for (unsigned i = 0; i < 8; ++i) {
        unsigned const n = 7 - i;
        T const value = TRY(peek<T>(core, i * sizeof(T)));
        if (n != RSP) core.set_gpr<T>(n, value);
    }
    drop(core, 8 * sizeof(T));
    return no_fault;
}

/// APM volume 3, ENTER. The frame pointers are copied from the old frame, then the last address is probed for writing.
template <Word T>
Fault enter(Core& core, const Insn& insn) {
    if constexpr (sizeof(T) > 1) {
        unsigned const level = insn.selector & 31;
        u64 const mask = stack_mask(core);
        u64 sp = (stack_pointer(core) - sizeof(T)) & mask;
        TRY(store<T>(core, SS, sp, core.gpr<T>(RBP)));
        u64 const frame = (core.cpu.gpr[RSP] & ~mask) | sp;  // all of ESP, of which a stack of 16 bits moves only SP
        u64 bp = core.cpu.gpr[RBP] & mask;
        for (unsigned i = 1; i < level; ++i) {
            bp = (bp - sizeof(T)) & mask;
            sp = (sp - sizeof(T)) & mask;
            T const copied = TRY(load<T>(core, SS, bp));
            TRY(store<T>(core, SS, sp, copied));
        }
        if (level > 0) {
            sp = (sp - sizeof(T)) & mask;
            TRY(store<T>(core, SS, sp, static_cast<T>(frame)));
        }
        sp = (sp - static_cast<u16>(insn.immediate)) & mask;
        u64 const linear = TRY(linear_address(core, SS, sp, sizeof(T), AccessType::write));
        TRY(probe_write(core, linear, sizeof(T), core.context));
        core.set_gpr<T>(RBP, static_cast<T>(frame));
        set_stack_pointer(core, sp);
    }
    return no_fault;
}

template <Word T>
Fault leave(Core& core, const Insn&) {
    u64 const mask = stack_mask(core);
    u64 const from = core.cpu.gpr[RBP] & mask;
    T const value = TRY(load<T>(core, SS, from));
    set_stack_pointer(core, from + sizeof(T));
    if constexpr (sizeof(T) > 1) core.set_gpr<T>(RBP, value);
    return no_fault;
}

template <Word T>
Fault pushf(Core& core, const Insn&) {
    if (vme::virtual_flags(core, sizeof(T))) return push<T>(core, static_cast<T>(vme::flags_image(core)));
    if (core.v86() && core.iopl() < 3) return fault::gp();
    return push<T>(core, static_cast<T>(core.rflags() & ~(rflags::VM | rflags::RF)));
}

/// CPL 0 may change IOPL; IF needs CPL <= IOPL. VM, VIF, VIP stay; RF is cleared.
template <Word T>
Fault popf(Core& core, const Insn&) {
    bool const virtual_flags = vme::virtual_flags(core, sizeof(T));
    if (core.v86() && core.iopl() < 3 && !virtual_flags) return fault::gp();
    u64 const value = TRY(peek<T>(core));
    if (virtual_flags) {
        TRY(vme::load_flags(core, static_cast<u16>(value)));
        drop(core, sizeof(T));
        return no_fault;
    }
    drop(core, sizeof(T));
    u64 change = Flags::all | rflags::TF | rflags::DF | rflags::NT;
    if (sizeof(T) >= 4) change |= rflags::AC | rflags::ID | rflags::RF;
    if (core.cpu.cpl == 0 || core.real_mode()) change |= rflags::IOPL;
    if (core.real_mode() || core.cpu.cpl <= core.iopl()) change |= rflags::IF;
    core.set_rflags((core.rflags() & ~change) | (value & change & ~rflags::RF) | rflags::fixed);
    mode_changed(core);
    return no_fault;
}

INSTANTIATE(push_operand)
INSTANTIATE(pop_operand)
INSTANTIATE(push_immediate)
INSTANTIATE(pusha)
INSTANTIATE(popa)
INSTANTIATE(enter)
INSTANTIATE(leave)
INSTANTIATE(pushf)
INSTANTIATE(popf)

}  // namespace ramet::exec
