#include "x86/interpreter.h"

#include <algorithm>
#include <utility>

#include "x86/access.h"
#include "x86/block.h"
#include "x86/event.h"
#include "x86/fpu/environment.h"
#include "x86/step.h"

namespace ramet {

namespace {

/// The live state of one interpreter, and its caches from the first run on: most of the bytes of a child that only waits.
struct Engine {
    Core core;
    std::unique_ptr<Caches> caches;
    u64 epoch = 0;
};

}  // namespace

struct Interpreter::State : Engine {};

Interpreter::Interpreter(CpuModel model, u64 rng_seed) : state_(std::make_unique<State>()) {
    Core& core = state_->core;
    core.cpu = reset_cpu();
    core.lazy.set(Flags{});
    core.model_v2 = model == CpuModel::ramet_v2;
    core.rng = rng_seed;
}
Interpreter::~Interpreter() = default;
Interpreter::Interpreter(Interpreter&&) noexcept = default;

Cpu& Interpreter::cpu() { return state_->core.cpu; }
const Cpu& Interpreter::cpu() const { return state_->core.cpu; }
Clock& Interpreter::clock() { return state_->core.clock; }
const Clock& Interpreter::clock() const { return state_->core.clock; }
u64& Interpreter::rng_state() { return state_->core.rng; }
u64 Interpreter::rng_state() const { return state_->core.rng; }
std::string Interpreter::report() const { return state_->core.report; }
u64 Interpreter::cache_bytes() const { return state_->caches ? sizeof(Caches) : 0; }

void Interpreter::frame_written(Frame frame) {
    if (!state_->caches) return;
    state_->core.caches->tlb.drop_frame(frame);
    flush_translations(state_->core);
}

std::optional<GuestPhys> Interpreter::physical(Memory& memory, GuestVirt address) const { return look_up(state_->core.cpu, memory, address.value); }

void Interpreter::drop_caches() {
    if (!state_->caches) return;
    flush_translations(state_->core);
    state_->core.caches->paging.forget_watches();
}

namespace {

/// What waits between two instructions, in the order in which it is taken (SDM volume 3, 6.9): an NMI, unless the handler of another one has not
/// returned; an external interrupt, if IF allows. The shadow of STI and of loads of SS holds both back.
enum class Waiting : u8 { nothing, nmi, interrupt };

Waiting waiting(const Core& core) {
    if (core.cpu.shadow != Shadow::none) return Waiting::nothing;
    if (!core.cpu.nmi_blocked && core.bus->nmi_line()) return Waiting::nmi;
    return (core.cpu.rflags & rflags::IF) && core.bus->interrupt_line() ? Waiting::interrupt : Waiting::nothing;
}

u8 acknowledge(Core& core, Waiting what) {
    core.bus_touched = true;
    if (what == Waiting::interrupt) return core.bus->acknowledge_interrupt(core.clock.cycles);
    core.bus->acknowledge_nmi(core.clock.cycles);
    core.cpu.nmi_blocked = true;
    return static_cast<u8>(Vector::NMI);
}

/// False: shutdown.
bool take_interrupt(Core& core, Waiting what) {
    core.cpu.activity = Activity::running;
    core.next_rip = core.cpu.rip;
    u8 const vector = acknowledge(core, what);
    Fault const f = deliver(core, vector, EventKind::external, std::nullopt);
    bool const alive = !f.raised() || deliver_exception(core, f);
    if (alive) core.cpu.rip = core.next_rip;
    return alive;
}

/// False: shutdown.
bool take_fault(Core& core, Fault const& f) {
    if (core.cpu.activity == Activity::halted) core.cpu.activity = Activity::running;  // by the step after HLT
    core.next_rip = core.cpu.rip;
    if (!deliver_exception(core, f)) return false;
    core.cpu.rip = core.next_rip;
    return true;
}

/// Runs ops until something wants the run loop. What was spent shows in core.budget.
void run_block(Core& core, const Block* block, i64 budget) {
    core.rip_base = core.cpu.rip - block->offset;
    if (budget < block->cost) {
        core.cut = block;
        core.budget = budget;
        return;
    }
    budget -= block->cost;
    const Op* op = block->ops();
#if RAMET_TAIL_CALLS
    op->run(&core, op, budget);
#else
    while (op != nullptr) op = op->run(&core, op, budget);
#endif
}

/// One instruction with every check, with its cost.
void run_exactly(Core& core, i64 budget) {
    core.remaining = budget;
    core.budget = budget - step_counted(core);
}

/// The first instructions of a block that is longer than the budget, one by one: each that begins within it.
void run_cut_block(Core& core, const Block* block) {
    if (block->straddles()) {
        if (core.budget > 0 && !core.leave) run_exactly(core, core.budget);
        return;
    }
    i64 budget = core.budget;
    for (unsigned i = 0; i < block->insn_count && budget > 0 && !core.leave; ++i) {
        u64 const repeated = core.retired_extra;
        core.remaining = budget;
        core.fault = execute(core, block->insns()[i]);
        budget -= static_cast<i64>(core.retired_extra - repeated);
        if (core.fault.raised()) break;
        budget -= isa::row(block->insns()[i].id).cost;
    }
    core.budget = budget;
}

/// The code segment ends nowhere in the page of RIP, so that blocks need not check its limit.
bool page_within_segment(const Core& core, u64 offset) {
    if (core.code64()) return true;
    u64 const page_end = core.cpu.rip - offset + page_size - 1;
    return page_end <= core.cpu.seg[CS].limit;
}

/// The block of the instruction at RIP where it reaches into the next page.
const Block* straddling_block(Core& core, CodePage& code, Frame frame, u64 linear) {
    u64 const offset = linear & (page_size - 1), next = next_code_page(core, linear);
    if (offset + instruction_length_max <= page_size || !segment_holds_instruction(core) || !is_canonical(next)) return nullptr;
    u32 const mode = core.mode_word & ~mode::user;
    std::span<const u8> const here{core.memory->read(frame) + offset, page_size - offset};
    // What is whole or invalid without the next page must not touch its tables.
    if (decode(here, static_cast<CodeSize>(mode & mode::code_size), core.model_v2).status != DecodeStatus::truncated) return nullptr;
    auto const fetched = fetch_frame(core, next);
    const u8* const beyond = fetched.fault.raised() ? nullptr : core.memory->read(fetched.value);
    return beyond == nullptr ? nullptr : code.build_straddling(core.memory->read(frame), beyond, static_cast<unsigned>(offset), mode, core.model_v2);
}

/// The block at RIP, built if need be. nullptr: only the exact path can go on here.
const Block* find_block(Core& core) {
    u64 const rip = core.cpu.rip;
    JumpCache::Entry& entry = core.caches->jumps.at(rip);
    u64 const key = JumpCache::key(rip, core.mode_key);
    if (entry.key == key) return entry.block;
    u64 const linear = code_linear(core), offset = linear & (page_size - 1);
    if (!is_canonical(linear) || !page_within_segment(core, offset)) return nullptr;
    auto const fetched = fetch_frame(core, linear);
    if (fetched.fault.raised()) return nullptr;
    Frame const frame = fetched.value;
    auto* code = static_cast<CodePage*>(core.memory->attachment(frame));
    if (code == nullptr) {
        code = static_cast<CodePage*>(core.memory->attach(frame, std::make_unique<CodePage>()));
        if (code == nullptr) return nullptr;
        core.caches->tlb.revoke_write(frame);
    }
    u32 const mode = core.mode_word & ~mode::user;
    const Block* block = code->find(static_cast<unsigned>(offset), mode);
    if (block == nullptr) block = code->build(core.memory->read(frame), static_cast<unsigned>(offset), mode, core.model_v2);
    if (block == nullptr) block = straddling_block(core, *code, frame, linear);
    if (block != nullptr) entry = {key, block};
    return block;
}

/// RF ends with the first instruction after the one that set it. Where no breakpoint is armed only few instructions can tell: those that save the
/// flags or load them, and repeated ones, which keep it between iterations. All of them are among these.
bool may_observe_resume_flag(const Block& block) {
    isa::Row const& row = isa::row(block.insns()[0].id);
    return block.straddles() || row.has(isa::ends) || row.has(isa::rep);
}

/// A block whose first instruction resumes after a fault: RF is clear when it has retired, and as it was when it has not.
void run_resumed(Core& core, const Block* block, i64 budget) {
    core.cpu.rflags &= ~rflags::RF;
    run_block(core, block, budget);
    if (core.cut != nullptr) run_cut_block(core, std::exchange(core.cut, nullptr));
    if (budget - core.budget == static_cast<i64>(core.extra)) core.cpu.rflags |= rflags::RF;
}

/// From one boundary to another, at most `budget` cycles ahead but for the cost of the last instruction.
void run_some(Core& core, i64 budget) {
    core.limit_cycles = core.clock.cycles.value + static_cast<u64>(budget);
    core.extra = core.retired_extra = 0;
    core.fault = no_fault;
    core.cut = nullptr;
    core.leave = core.bus_touched = false;
    bool const exactly = core.cpu.shadow != Shadow::none || (core.mode_word & mode::slow);
    const Block* const block = exactly ? nullptr : find_block(core);
    bool const resumed = core.cpu.rflags & rflags::RF;
    if (block == nullptr || (resumed && may_observe_resume_flag(*block))) run_exactly(core, budget);
    else if (resumed) run_resumed(core, block, budget);
    else run_block(core, block, budget);
    if (core.cut != nullptr) run_cut_block(core, core.cut);
    u64 const spent = static_cast<u64>(budget - core.budget);
    core.clock.cycles += spent;
    core.clock.position += spent - core.extra;
}

/// Whether the processor goes on after a fault or an interrupt.
std::optional<Stop> stopped(Core& core, bool alive) {
    if (alive) return std::nullopt;
    if (core.fault.kind == Fault::Kind::unsupported) return Stop::unsupported;
    core.cpu.activity = Activity::shutdown;
    return Stop::shutdown;
}

Stop run_loop(Core& core, Cycles cycle_limit, Position position_limit) {
    constexpr u64 budget_max = u64{1} << 40;
    constexpr unsigned barren_max = 1 << 16;  // faults in a row without an instruction: handlers that fault themselves may go on for ever
    Position retired = core.clock.position;
    unsigned barren = 0;
    for (;;) {
        if (core.cpu.pending_debug != 0 && core.cpu.shadow != Shadow::mov_ss)
            if (auto const stop = stopped(core, take_fault(core, take_pending_debug(core)))) return *stop;
        if (core.clock.position >= position_limit || core.clock.cycles >= cycle_limit) return Stop::limit;
        if (core.cpu.activity == Activity::shutdown) return Stop::shutdown;
        if (Waiting const what = waiting(core); what != Waiting::nothing)
            if (auto const stop = stopped(core, take_interrupt(core, what))) return *stop;
        if (core.cpu.activity != Activity::running) return Stop::halted;
        run_some(core, static_cast<i64>(std::min({cycle_limit - core.clock.cycles, position_limit - core.clock.position, budget_max})));
        if (core.fault.kind == Fault::Kind::unsupported) return Stop::unsupported;
        if (core.fault.raised()) {
            if (auto const stop = stopped(core, take_fault(core, core.fault))) return *stop;
            if (core.clock.position != retired) retired = core.clock.position, barren = 0;
            else if (++barren == barren_max) return Stop::bus;
        }
        if (core.memory->has_retired()) core.memory->quiesce();
        if (core.bus_touched) return Stop::bus;
    }
}

}  // namespace

Stop Interpreter::run(Memory& memory, Bus& bus, Cycles cycle_limit, Position position_limit) {
    Core& core = state_->core;
    core.memory = &memory;
    core.bus = &bus;
    core.fault = no_fault;
    if (!state_->caches) {
        state_->caches = std::make_unique_for_overwrite<Caches>();
        core.caches = state_->caches.get();
    }
    if (state_->epoch != memory.epoch()) core.caches->tlb.flush();
    core.set_rflags(core.cpu.rflags);
    mode_changed(core);
    Stop stop;
    {
        fpu::MxcsrScope const scope{core.cpu.mxcsr};
        stop = run_loop(core, cycle_limit, position_limit);
    }
    core.cpu.rflags = core.rflags();
    state_->epoch = memory.epoch();
    return stop;
}

}  // namespace ramet
