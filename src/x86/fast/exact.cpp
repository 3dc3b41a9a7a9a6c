// The exits of the fast handlers: instructions on the exact path, links that are not known yet, budgets that run out.
#include "x86/access.h"
#include "x86/fast/handler.h"
#include "x86/step.h"

namespace ramet::fast {

namespace {

unsigned cost_of(const Insn& insn) { return isa::row(insn.id).cost; }

/// By value: a local variable whose address is known elsewhere would keep the compiler from making tail calls.
struct Ran {
    bool go_on;  ///< false: back to the run loop, with core.budget set
    i64 budget;
};

/// One instruction of an op, by the function that executes it. `left`: cycles of the block from it on.
Ran run(Core& core, const Insn& insn, exec::Exec function, u64 rip, i64 budget, unsigned left) {
    u64 const repeated = core.retired_extra;
    core.cpu.rip = rip;
    core.remaining = budget + left;
    core.fault = execute(core, insn, function);
    budget -= static_cast<i64>(core.retired_extra - repeated);
    if (core.fault.raised()) {
        core.budget = budget + left;
        return {false, budget};
    }
    core.budget = budget + left - cost_of(insn);
    return {!core.leave && budget >= 0, budget};  // iterations may have spent what the rest of the block was to cost
}

Ran run(Core& core, const Insn& insn, u64 rip, i64 budget, unsigned left) {
    return run(core, insn, exec::exec_of(insn), rip, budget, left);
}
/// An op that names its function itself.
Ran run_named(Core& core, const Op* o, i64 budget) {
    const Insn& insn = o->insns()[0];
    return run(core, insn, reinterpret_cast<exec::Exec>(o->imm), core.rip_base + o->next_offset() - insn.length, budget, o->left);
}

/// What an instruction that straddles has on the next page is still what was decoded.
bool tail_is_as_decoded(Core& core, const Op* o) {
    const Insn& insn = o->insns()[0];
    core.cpu.rip = core.rip_base + o->next_offset() - insn.length;
    if (!segment_holds_instruction(core)) return false;
    auto const frame = fetch_frame(core, next_code_page(core, core.rip_base + core.code_base));
    const u8* const now = frame.fault.raised() ? nullptr : core.memory->read(frame.value);
    auto const& decoded = reinterpret_cast<const Tail*>(o->insns() + 1)->bytes;
    return now != nullptr && std::memcmp(now, decoded.data(), o->next_offset() - page_size) == 0;
}

/// The instruction at RIP, whatever it is, in place of the one of an op.
Ran run_anew(Core& core, const Op* o, i64 budget) {
    core.remaining = budget + o->left;
    core.budget = budget + o->left - step_counted(core);
    return {false, budget};
}

/// Interrupts that the last instruction has let in are taken before the next one.
bool wants_run_loop(Core& core) {
    return core.cpu.shadow != Shadow::none || ((core.cpu.rflags & rflags::IF) && core.bus->interrupt_line());
}

/// The block at a page offset of the page that runs now.
const Block* block_at(Core& core, const Op* o, unsigned offset) {
    u64 const linear = core.rip_base + core.code_base + o->next_offset() - 1;
    auto const frame = fetch_frame(core, core.code64() ? linear : linear & 0xffffffff);
    if (frame.fault.raised()) return nullptr;
    auto* const code = static_cast<CodePage*>(core.memory->attachment(frame.value));
    if (code == nullptr) return nullptr;
    u32 const mode = core.mode_word & ~mode::user;
    if (const Block* const found = code->find(offset, mode)) return found;
    return code->build(core.memory->read(frame.value), offset, mode, core.model_v2);
}

bool writes_memory(const isa::Row& row) {
    isa::Operand const& first = row.operands.list[0];
    return first.access != isa::Access::r && (first.kind == isa::Kind::E || first.kind == isa::Kind::M || first.kind == isa::Kind::W);
}

/// Fills the TLB for the memory operand, unless it may reach into the next page, or its address alone may be a fault: then nothing may be translated,
/// which would set CR2 and accessed bits.
bool refill_operand(Core& core, const Op* o) {
    constexpr u64 operand_size_max = 16;
    const Insn& insn = o->insns()[0];
    core.next_rip = core.rip_base + o->next_offset() - (o->is_fused() ? o->insns()[1].length : 0u);
    u64 linear = effective_address(core, insn);
    if (insn.segment >= FS) linear += core.cpu.seg[insn.segment].base;
    isa::Row const& row = isa::row(insn.id);
    if ((linear & (page_size - 1)) > page_size - operand_size_max || (row.has(isa::sse) && linear % operand_size_max != 0)) return false;
    return refill(core, linear, writes_memory(row) ? AccessType::write : AccessType::read);
}

}  // namespace

RAMET_HANDLER missed(Core* c, const Op* o, Budget budget) {
    if (!refill_operand(*c, o)) RAMET_TAIL return exact(c, o, budget);
    RAMET_GO(o);
}

RAMET_HANDLER leave_here(Core* c, const Op*, Budget budget) {
    c->budget = budget;
    RAMET_LEAVE;
}
RAMET_HANDLER leave_next(Core* c, const Op* o, Budget budget) {
    c->cpu.rip = (c->rip_base + o->next_offset()) & c->ip_mask();
    c->budget = budget;
    RAMET_LEAVE;
}

RAMET_HANDLER exact(Core* c, const Op* o, Budget budget) {
    Ran const ran = run(*c, o->insns()[0], c->rip_base + o->next_offset() - o->length(), budget, o->left);
    budget = ran.budget;
    if (!ran.go_on) RAMET_LEAVE;
    if (o->is_fused()) RAMET_TAIL return exact_jump(c, o, budget);
    RAMET_NEXT;
}

RAMET_HANDLER generic(Core* c, const Op* o, Budget budget) {
    Ran const ran = run_named(*c, o, budget);
    budget = ran.budget;
    if (!ran.go_on) RAMET_LEAVE;
    RAMET_NEXT;
}

RAMET_HANDLER straddling(Core* c, const Op* o, Budget budget) {
    Ran const ran = tail_is_as_decoded(*c, o) ? run_named(*c, o, budget) : run_anew(*c, o, budget);
    budget = ran.budget;
    if (!ran.go_on || wants_run_loop(*c)) RAMET_LEAVE;
    RAMET_JUMP(c->cpu.rip, , leave_here);
}

RAMET_HANDLER generic_end(Core* c, const Op* o, Budget budget) {
    Ran const ran = run_named(*c, o, budget);
    budget = ran.budget;
    if (!ran.go_on || wants_run_loop(*c)) RAMET_LEAVE;
    RAMET_JUMP(c->cpu.rip, , leave_here);
}

RAMET_HANDLER exact_end(Core* c, const Op* o, Budget budget) {
    Ran const ran = run(*c, o->insns()[0], c->rip_base + o->next_offset() - o->length(), budget, o->left);
    budget = ran.budget;
    if (!ran.go_on || wants_run_loop(*c)) RAMET_LEAVE;
    RAMET_JUMP(c->cpu.rip, , leave_here);
}

RAMET_HANDLER exact_jump(Core* c, const Op* o, Budget budget) {
    const Insn& jump = o->insns()[o->is_fused() ? 1 : 0];
    Ran const ran = run(*c, jump, c->rip_base + o->next_offset() - jump.length, budget, cost_of(jump));
    budget = ran.budget;
    if (!ran.go_on) RAMET_LEAVE;
    RAMET_JUMP(c->cpu.rip, , leave_here);
}

namespace {

/// The block at `offset`, remembered in `link`; or false, with RIP there.
bool link_to(Core& core, const Op* o, unsigned offset, std::atomic<const Block*>& link) {
    const Block* const to = block_at(core, o, offset);
    core.cpu.rip = (core.rip_base + offset) & core.ip_mask();
    if (to != nullptr) link.store(to, std::memory_order_release);
    return to != nullptr;
}

}  // namespace

RAMET_HANDLER resolve_taken(Core* c, const Op* o, Budget budget) {
    const Insn& jump = o->insns()[o->is_fused() ? 1 : 0];
    if (!link_to(*c, o, static_cast<unsigned>(o->next_offset() + jump.immediate), links_of(o).taken)) RAMET_TAIL return leave_here(c, o, budget);
    RAMET_FOLLOW(taken);
}
RAMET_HANDLER resolve_fall(Core* c, const Op* o, Budget budget) {
    if (!link_to(*c, o, o->next_offset(), links_of(o).fall)) RAMET_TAIL return leave_here(c, o, budget);
    RAMET_FOLLOW(fall);
}

RAMET_HANDLER exact_call(Core* c, const Op* o, Budget budget) {
    const Insn& call = o->insns()[0];
    Ran const ran = run(*c, call, c->rip_base + o->next_offset() - call.length, budget, o->left);
    budget = ran.budget;
    if (!ran.go_on) RAMET_LEAVE;
    u64 const target = c->cpu.rip;
    if (!link_to(*c, o, static_cast<unsigned>(o->next_offset() + call.immediate), links_of(o).taken)) {
        c->cpu.rip = target;
        RAMET_TAIL return leave_here(c, o, budget);
    }
    RAMET_FOLLOW(taken);
}

RAMET_HANDLER cut_short(Core* c, const Op*, Budget budget) {
    budget += c->cut->cost;
    c->cpu.rip = (c->rip_base + c->cut->offset) & c->ip_mask();
    c->budget = budget;
    RAMET_LEAVE;
}

}  // namespace ramet::fast
