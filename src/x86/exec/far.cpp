// Far transfers: CALL, JMP, RET, IRET, INT. Probe then commit; checks in the manual's order (APM volume 3).
#include <type_traits>
#include <utility>

#include "x86/debug.h"
#include "x86/event.h"
#include "x86/exec/special.h"
#include "x86/exec/stack.h"
#include "x86/task.h"
#include "x86/vme.h"

namespace ramet::exec {

namespace {

struct FarPointer {
    u16 selector;
    u64 offset;
};

/// AMD's processors have no pointers of 16:64 (APM volume 3, CALL and JMP): REX.W leaves the offset 32 bits.
template <Word T>
Result<FarPointer> read_far_pointer(Core& core, const Insn& insn) {
    using Offset = std::conditional_t<sizeof(T) == 8, u32, T>;
    u64 const at = effective_address(core, insn);
    Offset const offset = TRY(load<Offset>(core, insn.segment, at));
    u16 const selector = TRY(load<u16>(core, insn.segment, at + sizeof(Offset)));
    return FarPointer{selector, offset};
}

Fault check_target(Core& core, Segment const& cs, u64 offset) {
    bool const long_code = core.long_mode() && cs.long_mode();
    if (long_code ? !is_canonical(offset) : offset > cs.limit) return fault::gp();
    return no_fault;
}

struct CodeTarget {
    Segment cs;
    unsigned cpl;
};

/// A direct transfer to a code segment: the CPL stays.
Result<CodeTarget> direct_code(Core& core, u16 selector, Descriptor d) {
    u32 const error = selector_error(selector);
    unsigned const rpl = selector & 3, cpl = core.cpu.cpl;
    if (d.conforming() ? d.dpl() > cpl : (rpl > cpl || d.dpl() != cpl)) return fault::gp(error);
    if (core.long_mode() && d.long_code() && d.big()) return fault::gp(error);
    if (!d.present()) return fault::np(error);
    TRY(mark_accessed(core, selector, d));
    return CodeTarget{segment_of(selector, d), cpl};
}

/// Pushes come before the check of the target, and what they wrote stays below the stack pointer when that fails: AMD processors do it so.
template <Word T>
Fault store_return(Core& core) {
    u64 const sp = stack_pointer(core), mask = stack_mask(core);
    TRY(store<T>(core, SS, (sp - sizeof(T)) & mask, static_cast<T>(core.cpu.seg[CS].selector)));
    return store<T>(core, SS, (sp - 2 * sizeof(T)) & mask, static_cast<T>(core.next_rip));
}
template <Word T>
void return_is_pushed(Core& core) {
    set_stack_pointer(core, stack_pointer(core) - 2 * sizeof(T));
}
template <Word T>
Fault push_return(Core& core) {
    TRY(store_return<T>(core));
    return_is_pushed<T>(core);
    return no_fault;
}

template <Word T>
Fault far_real(Core& core, FarPointer to, bool call) {
    if (call) TRY(store_return<T>(core));
    if (to.offset > core.cpu.seg[CS].limit) return fault::gp();
    if (call) return_is_pushed<T>(core);
    load_segment_real(core, CS, to.selector);
    core.next_rip = to.offset;
    mode_changed(core);
    return no_fault;
}

/// Call gates (APM volume 2, 4.11.2): the target comes from the gate, and a call may go to an inner level with a new stack.
Fault through_gate(Core& core, u16 selector, Descriptor const& gate, bool call) {
    u32 const gate_error = selector_error(selector);
    if (gate.dpl() < core.cpu.cpl || gate.dpl() < (selector & 3u)) return fault::gp(gate_error);
    if (!gate.present()) return fault::np(gate_error);
    bool const wide = core.long_mode() || gate.type() == 12;
    u16 const code_selector = static_cast<u16>(gate.low >> 16);
    u64 offset = (gate.low & 0xffff) | (wide ? gate.high & 0xffff0000 : 0);
    if (core.long_mode()) offset |= u64{gate.high_base} << 32;
    if (is_null(code_selector)) return fault::gp();
    Descriptor d = TRY(read_descriptor(core, code_selector));
    u32 const error = selector_error(code_selector);
    if (!d.code() || d.dpl() > core.cpu.cpl) return fault::gp(error);
    if (!call && !d.conforming() && d.dpl() != core.cpu.cpl) return fault::gp(error);
    if (core.long_mode() && (!d.long_code() || d.big())) return fault::gp(error);
    if (!d.present()) return fault::np(error);
    TRY(mark_accessed(core, code_selector, d));
    Segment const cs = segment_of(code_selector, d);
    TRY(check_target(core, cs, offset));
    unsigned const cpl = d.conforming() ? core.cpu.cpl : d.dpl();
    bool const inner = call && cpl < core.cpu.cpl;
    unsigned const slot = core.long_mode() ? 8 : wide ? 4 : 2;
    if (!inner) {
        if (call) TRY(slot == 8 ? push_return<u64>(core) : slot == 4 ? push_return<u32>(core) : push_return<u16>(core));
        set_code_segment(core, cs, cpl);
        core.next_rip = offset;
        return no_fault;
    }
    Segment ss = {static_cast<u16>(cpl), 0, 0, 0};
    u64 sp = 0;
    if (core.long_mode()) sp = TRY(load_system<u64>(core, core.cpu.seg[TR].base + 4 + cpl * 8));
    else {
        InnerStack const fresh = TRY(inner_stack(core, cpl));
        ss = TRY(stack_segment(core, fresh.ss, cpl, Vector::TS));
        sp = fresh.sp;
    }
    u64 const mask = core.long_mode() ? ~u64{0} : ss.big() ? 0xffffffff : 0xffff;
    u64 at = sp & mask;
    auto const put = [&](u64 value) -> Fault {
        at = (at - slot) & mask;
        u64 linear = at;
        if (core.long_mode()) {
            if (!is_canonical(at) || !is_canonical(at + slot - 1)) return fault::ss();
        } else {
            auto const in = linear_in(core, ss, SS, at, slot, AccessType::write);
            if (in.fault.raised()) return fault::ss(selector_error(ss.selector));
            linear = in.value;
        }
        return write_linear(core, linear, &value, slot, Context::system);
    };
    TRY(put(core.cpu.seg[SS].selector));
    TRY(put(core.cpu.gpr[RSP]));
    unsigned const parameters = core.long_mode() ? 0 : gate.high & 31;
    for (unsigned i = parameters; i-- > 0;) {
        u64 const from = (stack_pointer(core) + i * slot) & stack_mask(core);
        TRY(put(slot == 4 ? TRY(load<u32>(core, SS, from)) : TRY(load<u16>(core, SS, from))));
    }
    TRY(put(core.cpu.seg[CS].selector));
    TRY(put(core.next_rip));
    core.cpu.seg[SS] = ss;
    core.cpu.gpr[RSP] = mask == 0xffff ? (core.cpu.gpr[RSP] & ~mask) | at : at;
    set_code_segment(core, cs, cpl);
    core.next_rip = offset;
    return no_fault;
}

template <Word T>
Fault far_transfer(Core& core, FarPointer to, bool call) {
    if (core.real_mode() || core.v86()) return far_real<T>(core, to, call);
    if (is_null(to.selector)) return fault::gp();
    Descriptor const d = TRY(read_descriptor(core, to.selector));
    u32 const error = selector_error(to.selector);
    if (d.code()) {
        CodeTarget const t = TRY(direct_code(core, to.selector, d));
        if (call) TRY(store_return<T>(core));
        TRY(check_target(core, t.cs, to.offset));
        if (call) return_is_pushed<T>(core);
        set_code_segment(core, t.cs, t.cpl);
        core.next_rip = to.offset;
        return no_fault;
    }
    if (d.code_or_data()) return fault::gp(error);
    unsigned const type = d.type();
    if (type == 12 || (type == 4 && !core.long_mode()))
        return through_gate(core, to.selector, TRY(read_system_descriptor(core, to.selector)), call);
    if (core.long_mode()) return fault::gp(error);
    TaskSwitch const reason = call ? TaskSwitch::call : TaskSwitch::jump;
    bool const task = type == 5 || type == 1 || type == 9;
    if (!task) return fault::gp(error);
    if (d.dpl() < core.cpu.cpl || d.dpl() < (to.selector & 3u)) return fault::gp(error);
    if (!d.present()) return fault::np(error);
    return switch_task(core, type == 5 ? static_cast<u16>(d.low >> 16) : to.selector, reason, std::nullopt);
}

}  // namespace

template <Word T>
Fault jmp_far_immediate(Core& core, const Insn& insn) {
    return far_transfer<T>(core, {insn.selector, insn.immediate}, false);
}
template <Word T>
Fault call_far_immediate(Core& core, const Insn& insn) {
    return far_transfer<T>(core, {insn.selector, insn.immediate}, true);
}
template <Word T>
Fault jmp_far_memory(Core& core, const Insn& insn) {
    return far_transfer<T>(core, TRY(read_far_pointer<T>(core, insn)), false);
}
template <Word T>
Fault call_far_memory(Core& core, const Insn& insn) {
    return far_transfer<T>(core, TRY(read_far_pointer<T>(core, insn)), true);
}

namespace {

/// The outer part of RETF and IRET: a code segment the return may go to.
Result<CodeTarget> return_code(Core& core, u16 selector) {
    if (is_null(selector)) return fault::gp();
    Descriptor d = TRY(read_descriptor(core, selector));
    u32 const error = selector_error(selector);
    unsigned const rpl = selector & 3;
    if (!d.code() || rpl < core.cpu.cpl) return fault::gp(error);
    if (d.conforming() ? d.dpl() > rpl : d.dpl() != rpl) return fault::gp(error);
    if (core.long_mode() && d.long_code() && d.big()) return fault::gp(error);
    if (!d.present()) return fault::np(error);
    TRY(mark_accessed(core, selector, d));
    return CodeTarget{segment_of(selector, d), rpl};
}

/// The stack segment of an outer level; 64-bit code may return to a null SS below CPL 3.
Result<Segment> return_stack(Core& core, u16 selector, CodeTarget const& code) {
    bool const to_long = core.long_mode() && code.cs.long_mode();
    if (is_null(selector) && to_long && code.cpl != 3 && (selector & 3u) == code.cpl) return Segment{selector, 0, 0, 0};
    return stack_segment(core, selector, code.cpl, Vector::GP);
}

struct OuterStack {
    u64 sp = 0;
    u16 ss = 0;
};
/// The outer stack's pointer is popped before the code segment is looked at (APM volume 3, RET and IRET). AMD processors read what they pop for a
/// return from the top down: flags, CS and offset, then SS and stack pointer.
template <Word T>
Result<OuterStack> outer_stack(Core& core, u64 depth) {
    u16 const ss = static_cast<u16>(TRY(peek<T>(core, depth + sizeof(T))));
    return OuterStack{TRY(peek<T>(core, depth)), ss};
}

void set_return_stack(Core& core, Segment const& ss, u64 sp) {
    core.cpu.seg[SS] = ss;
    bool const small = !core.code64() && !ss.big();
    core.cpu.gpr[RSP] = small ? (core.cpu.gpr[RSP] & ~u64{0xffff}) | (sp & 0xffff) : core.code64() ? sp : sp & 0xffffffff;
}

}  // namespace

template <Word T>
Fault ret_far(Core& core, const Insn& insn) {
    u64 const released = isa::row(insn.id).operands.count > 1 ? insn.immediate : 0;
    u16 const selector = static_cast<u16>(TRY(peek<T>(core, sizeof(T))));
    T const offset = TRY(peek<T>(core));
    if (core.real_mode() || core.v86()) {
        if (offset > core.cpu.seg[CS].limit) return fault::gp();
        drop(core, 2 * sizeof(T) + released);
        load_segment_real(core, CS, selector);
        core.next_rip = offset;
        mode_changed(core);
        return no_fault;
    }
    bool const outer = (selector & 3u) != core.cpu.cpl;
    OuterStack const stack = outer ? TRY(outer_stack<T>(core, 2 * sizeof(T) + released)) : OuterStack{};
    CodeTarget const code = TRY(return_code(core, selector));
    TRY(check_target(core, code.cs, offset));
    if (!outer) {
        drop(core, 2 * sizeof(T) + released);
        set_code_segment(core, code.cs, code.cpl);
        core.next_rip = offset;
        return no_fault;
    }
    Segment const ss = TRY(return_stack(core, stack.ss, code));
    set_code_segment(core, code.cs, code.cpl);
    set_return_stack(core, ss, stack.sp + released);
    drop_inner_segments(core);
    core.next_rip = offset;
    mode_changed(core);
    return no_fault;
}

namespace {

/// RFLAGS bits an IRET may change at a privilege level.
u64 iret_mask(const Core& core, unsigned operand_size) {
    u64 mask = Flags::all | rflags::TF | rflags::DF | rflags::NT;
    if (operand_size >= 4) mask |= rflags::RF | rflags::AC | rflags::ID;
    if (core.real_mode() || core.cpu.cpl == 0) mask |= rflags::IOPL;
    if (core.real_mode() || core.cpu.cpl <= core.iopl()) mask |= rflags::IF;
    if (core.protected_mode() && core.cpu.cpl == 0 && operand_size >= 4) mask |= rflags::VIF | rflags::VIP;
    return mask;
}
void merge_rflags(Core& core, u64 value, u64 mask) { core.set_rflags((core.rflags() & ~mask) | (value & mask) | rflags::fixed); }

template <Word T>
Fault iret_real(Core& core) {
    bool const virtual_flags = vme::virtual_flags(core, sizeof(T));
    if (core.v86() && core.iopl() < 3 && !virtual_flags) return fault::gp();
    T const flags = TRY(peek<T>(core, 2 * sizeof(T)));
    u16 const selector = static_cast<u16>(TRY(peek<T>(core, sizeof(T))));
    T const offset = TRY(peek<T>(core));
    if (offset > core.cpu.seg[CS].limit) return fault::gp();
    if (virtual_flags) TRY(vme::load_flags(core, static_cast<u16>(flags)));
    drop(core, 3 * sizeof(T));
    u64 mask = iret_mask(core, sizeof(T));
    if (core.v86()) mask &= ~rflags::IOPL;
    load_segment_real(core, CS, selector);
    core.next_rip = offset;
    if (!virtual_flags) merge_rflags(core, flags, mask);
    mode_changed(core);
    return no_fault;
}

/// To virtual-8086 mode: nine slots, all 32 bits.
Fault iret_to_v86(Core& core, u64 offset, u16 cs, u64 flags) {
    u64 const sp = TRY(peek<u32>(core, 12));
    std::array<u16, 6> selector = {};
    constexpr unsigned order[] = {SS, ES, DS, FS, GS};
    for (unsigned i = 0; i < 5; ++i) selector[order[i]] = static_cast<u16>(TRY(peek<u32>(core, 16 + 4 * i)));
    selector[CS] = cs;
    core.set_rflags(flags | rflags::fixed);
    core.cpu.cpl = 3;
    for (unsigned n = 0; n < 6; ++n) load_segment_real(core, n, selector[n]);
    core.cpu.gpr[RSP] = sp;
    core.next_rip = offset & 0xffff;
    mode_changed(core);
    return no_fault;
}

/// IRET lets NMIs in again, even one that faults (SDM volume 3, 6.7.1).
void unblock_nmi(Core& core) {
    if (core.cpu.nmi_blocked) core.leave = true;
    core.cpu.nmi_blocked = false;
}

}  // namespace

template <Word T>
Fault iret(Core& core, const Insn&) {
    unblock_nmi(core);
    if (core.real_mode() || core.v86()) return iret_real<T>(core);
    if (core.cpu.rflags & rflags::NT) {
        if (core.long_mode()) return fault::gp();
        u16 const link = TRY(load_system<u16>(core, core.cpu.seg[TR].base));
        return switch_task(core, link, TaskSwitch::iret, std::nullopt);
    }
    T const flags = TRY(peek<T>(core, 2 * sizeof(T)));
    u16 const selector = static_cast<u16>(TRY(peek<T>(core, sizeof(T))));
    T const offset = TRY(peek<T>(core));
    if constexpr (sizeof(T) == 4)
        if ((flags & rflags::VM) && core.cpu.cpl == 0 && !core.long_mode()) return iret_to_v86(core, offset, selector, flags);
    bool const lower = (selector & 3u) != core.cpu.cpl, outer = lower || core.code64();
    OuterStack const stack = outer ? TRY(outer_stack<T>(core, 3 * sizeof(T))) : OuterStack{};
    CodeTarget const code = TRY(return_code(core, selector));
    TRY(check_target(core, code.cs, offset));
    u64 const mask = iret_mask(core, sizeof(T));
    if (outer) {
        Segment const ss = TRY(return_stack(core, stack.ss, code));
        set_code_segment(core, code.cs, code.cpl);
        set_return_stack(core, ss, stack.sp);
        if (lower) drop_inner_segments(core);
    } else {
        drop(core, 3 * sizeof(T));
        set_code_segment(core, code.cs, code.cpl);
    }
    core.next_rip = offset;
    merge_rflags(core, flags, mask);
    mode_changed(core);
    return no_fault;
}

namespace {

/// The return address is the next instruction; a nested fault leaves RIP at the INT.
Fault software_interrupt(Core& core, u8 vector) { return deliver(core, vector, EventKind::software, std::nullopt); }

}  // namespace

Fault int_immediate(Core& core, const Insn& insn) {
    u8 const vector = static_cast<u8>(insn.immediate);
    if (core.v86()) {
        if (TRY(vme::redirects(core, vector))) return deliver_redirected(core, vector);
        if (core.iopl() < 3) return fault::gp();
    }
    return software_interrupt(core, vector);
}
Fault int3(Core& core, const Insn&) { return software_interrupt(core, 3); }
Fault into(Core& core, const Insn&) { return core.flags().o() ? software_interrupt(core, 4) : no_fault; }

/// ICEBP: #DB without a DPL check. Breakpoints that a MOV SS before it held back come with this #DB: one of their own, at the handler's first instruction,
/// would be given the stack of the IST that the handler is about to use.
Fault int1(Core& core, const Insn&) {
    u64 const held = std::exchange(core.cpu.pending_debug, 0);
    TRY(deliver(core, static_cast<u8>(Vector::DB), EventKind::exception, std::nullopt));
    debug::report(core.cpu, held);
    return no_fault;
}

INSTANTIATE(jmp_far_immediate)
INSTANTIATE(call_far_immediate)
INSTANTIATE(jmp_far_memory)
INSTANTIATE(call_far_memory)
INSTANTIATE(ret_far)
INSTANTIATE(iret)

}  // namespace ramet::exec
