#include "x86/event.h"

#include "x86/debug.h"
#include "x86/task.h"
#include "x86/vme.h"

namespace ramet {

namespace {

struct Gate {
    unsigned type = 0, dpl = 0, ist = 0;
    bool present = false;
    u16 selector = 0;
    u64 offset = 0;

    bool wide() const { return type & 8; }         // 32-bit (or 64-bit) frame
    bool interrupt() const { return !(type & 1); }  // clears IF
};

u32 gate_error(u8 vector) { return vector * 8u + 2; }

Result<Gate> read_gate(Core& core, u8 vector, EventKind kind) {
    u32 const error = gate_error(vector);
    unsigned const size = core.long_mode() ? 16 : 8;
    if (vector * size + size - 1 > core.cpu.idtr.limit) return fault::gp(error);
    u64 const at = core.cpu.idtr.base + vector * size;
    u64 const low = TRY(load_system<u64>(core, at));
    Gate g;
    g.type = low >> 40 & 15;
    g.dpl = low >> 45 & 3;
    g.present = low >> 47 & 1;
    g.selector = static_cast<u16>(low >> 16);
    g.offset = (low & 0xffff) | (g.wide() ? low >> 32 & 0xffff0000 : 0);  // a gate of 16 bits has an offset of 16, whatever stands above
    bool const system = low >> 44 & 1;
    bool const known = core.long_mode() ? g.type == 14 || g.type == 15 : g.type == 5 || g.type == 6 || g.type == 7 || g.type == 14 || g.type == 15;
    if (system || !known) return fault::gp(error);
    if (core.long_mode()) {
        g.ist = low >> 32 & 7;
        g.offset |= TRY(load_system<u64>(core, at + 8)) << 32;
    }
    if (kind == EventKind::software && g.dpl < core.cpu.cpl) return fault::gp(error);
    if (!g.present) return fault::np(error);
    return g;
}

/// Pushes onto a stack that is not (yet) the current one. One that has been switched to is named when it is too small.
struct StackWriter {
    Core& core;
    Segment const& ss;
    u64 sp;
    u64 mask;
    Context context;
    u32 error = 0;

    template <class T>
    Fault push(u64 value) {
        u64 const to = (sp - sizeof(T)) & mask;
        u64 linear = 0;
        if (core.long_mode()) {
            if (!is_canonical(to) || !is_canonical(to + sizeof(T) - 1)) return fault::ss();
            linear = to;
        } else {
            auto const in = linear_in(core, ss, SS, to, sizeof(T), AccessType::write);
            if (in.fault.raised()) return fault::ss(error);
            linear = in.value;
        }
        TRY(store_linear<T>(core, linear, static_cast<T>(value), context));
        sp = to;
        return no_fault;
    }
    Fault push_slot(bool wide, u64 value) { return wide ? push<u32>(value) : push<u16>(value); }
};

/// FLAGS, CS and IP onto the stack, some flags off, and on at segment:offset.
Fault enter_by_vector(Core& core, u32 target, u64 flags, u64 cleared) {
    Segment const& ss = core.cpu.seg[SS];
    StackWriter stack{core, ss, core.cpu.gpr[RSP] & 0xffff, 0xffff, core.context};
    TRY(stack.push<u16>(flags));
    TRY(stack.push<u16>(core.cpu.seg[CS].selector));
    TRY(stack.push<u16>(core.next_rip));
    core.set_gpr<u16>(RSP, static_cast<u16>(stack.sp));
    core.cpu.rflags &= ~cleared;
    load_segment_real(core, CS, static_cast<u16>(target >> 16));
    core.next_rip = target & 0xffff;
    mode_changed(core);
    return no_fault;
}

Fault deliver_real(Core& core, u8 vector) {
    if (vector * 4u + 3 > core.cpu.idtr.limit) return fault::gp(vector * 8u);
    u32 const target = TRY(load_system<u32>(core, core.cpu.idtr.base + vector * 4u));
    return enter_by_vector(core, target, core.rflags(), rflags::IF | rflags::TF | rflags::AC | rflags::RF);
}

void enter_handler(Core& core, Gate const& g) {
    core.cpu.rflags &= ~(rflags::TF | rflags::VM | rflags::RF | rflags::NT);
    if (g.interrupt()) core.cpu.rflags &= ~rflags::IF;
    core.next_rip = g.offset;
}

struct Target {
    Segment cs;
    unsigned cpl;
};

/// Checks 5 to 8 of the manual: the gate's code segment.
Result<Target> handler_segment(Core& core, Gate const& g) {
    if (is_null(g.selector)) return fault::gp();
    Descriptor d = TRY(read_descriptor(core, g.selector));
    u32 const error = selector_error(g.selector);
    if (!d.code() || d.dpl() > core.cpu.cpl) return fault::gp(error);
    if (core.long_mode() && (!d.long_code() || d.big())) return fault::gp(error);
    if (!d.present()) return fault::np(error);
    TRY(mark_accessed(core, g.selector, d));
    unsigned const cpl = d.conforming() ? core.cpu.cpl : d.dpl();
    return Target{segment_of(g.selector, d), cpl};
}

Fault deliver_long(Core& core, Gate const& g, std::optional<u32> error) {
    Target const t = TRY(handler_segment(core, g));
    bool const inner = t.cpl < core.cpu.cpl;
    u64 sp = core.cpu.gpr[RSP];
    if (g.ist != 0) sp = TRY(load_system<u64>(core, core.cpu.seg[TR].base + 0x1c + g.ist * 8));
    else if (inner) sp = TRY(load_system<u64>(core, core.cpu.seg[TR].base + 4 + t.cpl * 8));
    if (!is_canonical(g.offset)) return fault::gp();
    StackWriter stack{core, core.cpu.seg[SS], sp & ~u64{15}, ~u64{0}, t.cpl == 3 ? Context::user : Context::system};
    TRY(stack.push<u64>(core.cpu.seg[SS].selector));
    TRY(stack.push<u64>(core.cpu.gpr[RSP]));
    TRY(stack.push<u64>(core.rflags()));
    TRY(stack.push<u64>(core.cpu.seg[CS].selector));
    TRY(stack.push<u64>(core.next_rip));
    if (error) TRY(stack.push<u64>(*error));
    core.cpu.gpr[RSP] = stack.sp;
    if (inner) core.cpu.seg[SS] = {static_cast<u16>(t.cpl), 0, 0, 0};
    enter_handler(core, g);
    set_code_segment(core, t.cs, t.cpl);
    return no_fault;
}

Fault deliver_protected(Core& core, Gate const& g, std::optional<u32> error) {
    Target const t = TRY(handler_segment(core, g));
    bool const from_v86 = core.v86();
    if (from_v86 && t.cpl != 0) return fault::gp(selector_error(g.selector));
    bool const wide = g.wide();
    bool const inner = t.cpl < core.cpu.cpl;
    Segment ss = core.cpu.seg[SS];
    u64 sp = core.cpu.gpr[RSP];
    if (inner) {
        InnerStack const fresh = TRY(inner_stack(core, t.cpl));
        ss = TRY(stack_segment(core, fresh.ss, t.cpl, Vector::TS));
        sp = fresh.sp;
    }
    if (g.offset > t.cs.limit) return fault::gp();
    u64 const mask = ss.big() ? 0xffffffff : 0xffff;
    u64 const flags = core.rflags();
    auto const& seg = core.cpu.seg;
    Segment const old_ss = seg[SS];
    u64 const saved_rflags = core.cpu.rflags;
    core.cpu.rflags &= ~rflags::VM;  // the new stack is checked by protected-mode rules
    StackWriter stack{core, ss, sp & mask, mask, t.cpl == 3 ? Context::user : Context::system, inner ? selector_error(ss.selector) : 0};
    auto const push_all = [&]() -> Fault {
        if (from_v86)
            for (unsigned const n : {GS, FS, DS, ES}) TRY(stack.push_slot(wide, seg[n].selector));
        if (inner) {
            TRY(stack.push_slot(wide, old_ss.selector));
            TRY(stack.push_slot(wide, core.cpu.gpr[RSP]));
        }
        TRY(stack.push_slot(wide, flags));
        TRY(stack.push_slot(wide, seg[CS].selector));
        TRY(stack.push_slot(wide, core.next_rip));
        if (error) TRY(stack.push_slot(wide, *error));
        return no_fault;
    };
    Fault const f = push_all();
    if (f.raised()) {
        core.cpu.rflags = saved_rflags;
        return f;
    }
    if (from_v86)
        for (unsigned const n : {GS, FS, DS, ES}) core.cpu.seg[n] = {};
    core.cpu.seg[SS] = ss;
    core.cpu.gpr[RSP] = mask == 0xffff ? (core.cpu.gpr[RSP] & ~mask) | stack.sp : stack.sp;
    enter_handler(core, g);
    set_code_segment(core, t.cs, t.cpl);
    return no_fault;
}

/// Benign, contributory or page fault (table 8-2): what makes two exceptions a double fault.
enum class Class : u8 { benign, contributory, page };

Class class_of(Vector v) {
    switch (v) {
    case Vector::DE:
    case Vector::TS:
    case Vector::NP:
    case Vector::SS:
    case Vector::GP: return Class::contributory;
    case Vector::PF: return Class::page;
    case Vector::DB:
    case Vector::NMI:
    case Vector::BP:
    case Vector::OF:
    case Vector::BR:
    case Vector::UD:
    case Vector::NM:
    case Vector::DF:
    case Vector::MF:
    case Vector::AC:
    case Vector::MC:
    case Vector::XM: return Class::benign;
    }
    return Class::benign;
}

}  // namespace

namespace {

Fault deliver_by_mode(Core& core, u8 vector, EventKind kind, std::optional<u32> error) {
    if (core.real_mode()) return deliver_real(core, vector);
    Gate const g = TRY(read_gate(core, vector, kind));
    if (core.long_mode()) return deliver_long(core, g, error);
    if (g.type == 5) return switch_task(core, g.selector, TaskSwitch::gate, error);
    return deliver_protected(core, g, error);
}

/// What goes wrong while an event is delivered that the program did not ask for says so in its error code, by EXT (SDM volume 3, 6.13).
Fault marked_external(Fault f, EventKind kind) {
    bool const names_selector = f.vector == Vector::TS || f.vector == Vector::NP || f.vector == Vector::SS || f.vector == Vector::GP;
    if (kind != EventKind::software && names_selector) f.error |= 1;
    return f;
}

/// Whether the saved image has RF set, so that going on after the handler does not meet an instruction breakpoint again (APM volume 2,
/// 3.1.6 and table 8-1): faults, but for the breakpoint itself, whose handler decides. Among debug exceptions, general detection is one, and says so itself:
/// BD in DR6 may be left over from an earlier one, and GD may be set again since.
bool sets_resume_flag(const Fault& f) {
    switch (f.vector) {
    case Vector::DB: return f.error & debug::dr6::BD;
    case Vector::NMI:
    case Vector::BP:
    case Vector::OF:
    case Vector::DF:
    case Vector::MC: return false;
    default: return true;
    }
}

/// One attempt to deliver an exception; a nested one leaves RFLAGS as they were.
Fault deliver_once(Core& core, const Fault& f) {
    std::optional<u32> const error = f.has_error && !core.real_mode() ? std::optional<u32>(f.error) : std::nullopt;
    u64 const rf = core.cpu.rflags & rflags::RF;
    if (sets_resume_flag(f)) core.cpu.rflags |= rflags::RF;
    Fault const nested = deliver(core, static_cast<u8>(f.vector), EventKind::exception, error);
    if (nested.raised()) core.cpu.rflags = (core.cpu.rflags & ~rflags::RF) | rf;
    return nested;
}

/// What a debug exception switches off for its handler (APM volume 2, 13.1.3.5 and 13.1.6).
void end_debugging(Core& core) {
    core.cpu.dr7 &= ~debug::dr7::GD;
    core.cpu.debugctl &= ~(debug::debugctl::LBR | debug::debugctl::BTF);
    mode_changed(core);
}

}  // namespace

Fault deliver(Core& core, u8 vector, EventKind kind, std::optional<u32> error) {
    u64 const pending = core.cpu.pending_debug, from = core.cpu.rip;
    Fault const f = deliver_by_mode(core, vector, kind, error);
    // Data breakpoints do not watch the frame: a debug trap whose own frame trapped again, on a stack of the IST, would never come to an instruction.
    core.cpu.pending_debug = pending | (core.cpu.pending_debug & debug::dr6::BT);
    if (f.raised()) return marked_external(f, kind);
    if (kind == EventKind::exception && vector == static_cast<u8>(Vector::DB)) end_debugging(core);
    else debug::record_interrupt(core.cpu, {from, core.next_rip});
    return no_fault;
}

Fault deliver_redirected(Core& core, u8 vector) {
    u64 const pending = core.cpu.pending_debug;
    u32 const target = TRY(load_linear<u32>(core, vector * 4u, core.context));
    bool const own_flag = core.iopl() == 3;
    u64 const flags = own_flag ? core.rflags() : vme::flags_image(core);
    u64 const from = core.cpu.rip;
    TRY(enter_by_vector(core, target, flags, rflags::TF | rflags::RF | (own_flag ? rflags::IF : rflags::VIF)));
    debug::record_interrupt(core.cpu, {from, core.next_rip});
    core.cpu.pending_debug = pending;
    return no_fault;
}

bool deliver_exception(Core& core, Fault const& first) {
    Fault current = first;
    bool double_fault = false;
    // At most three rounds: the exception, a second one or #DF, and then shutdown.
    for (;;) {
        Vector const vector = current.vector;
        Fault const nested = deliver_once(core, current);
        if (!nested.raised()) return true;
        if (nested.kind == Fault::Kind::unsupported) {
            core.fault = nested;
            return false;
        }
        if (double_fault) return false;
        Class const a = class_of(vector), b = class_of(nested.vector);
        bool const escalate = (a == Class::contributory && b == Class::contributory) || (a == Class::page && b != Class::benign);
        double_fault = escalate || vector == Vector::DF;
        if (vector == Vector::DF) return false;
        current = escalate ? raise(Vector::DF, 0) : nested;
    }
}

}  // namespace ramet
