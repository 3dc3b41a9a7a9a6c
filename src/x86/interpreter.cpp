#include "x86/interpreter.h"

#include <algorithm>

#include "x86/block.h"
#include "x86/event.h"
#include "x86/fpu/environment.h"
#include "x86/step.h"

namespace ramet {

namespace {

/// The live state of one interpreter and its caches.
struct Engine {
    Core core;
    BlockCache blocks;
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
    core.blocks = &state_->blocks;
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
u64 Interpreter::cache_bytes() const { return sizeof(State); }

void Interpreter::frame_written(Frame frame) {
    state_->core.tlbs.drop_frame(frame);
    flush_translations(state_->core);
}

void Interpreter::drop_caches() {
    flush_translations(state_->core);
    state_->core.paging.forget_watches();
}

namespace {

/// External interrupts are taken between instructions, when IF allows and no shadow forbids. False: shutdown.
bool take_interrupt(Core& core) {
    core.cpu.activity = Activity::running;
    core.next_rip = core.cpu.rip;
    u8 const vector = core.bus->acknowledge_interrupt(core.clock.cycles);
    core.bus_touched = true;
    Fault const f = deliver(core, vector, EventKind::external, std::nullopt);
    bool const alive = !f.raised() || deliver_exception(core, f);
    if (alive) core.cpu.rip = core.next_rip;
    return alive;
}

/// False: shutdown.
bool take_fault(Core& core, Fault const& f) {
    core.next_rip = core.cpu.rip;
    if (!deliver_exception(core, f)) return false;
    core.cpu.rip = core.next_rip;
    return true;
}

/// One exact instruction, with its cost. nullopt: go on.
std::optional<Stop> run_one(Core& core, u64 budget) {
    bool const shadow = core.cpu.interrupt_shadow;
    core.cpu.interrupt_shadow = false;
    core.extra = core.retired_extra = 0;
    core.remaining = static_cast<i64>(budget);
    core.limit_cycles = core.clock.cycles.value + budget;
    bool retired = false;
    Fault const f = step(core, retired);
    if (shadow) core.cpu.interrupt_shadow = false;
    u64 const counted = (retired ? 1 : 0) + core.retired_extra;
    core.clock.position += counted;
    core.clock.cycles += counted + core.extra;
    if (f.kind == Fault::Kind::unsupported) return Stop::unsupported;
    if (f.raised() && !take_fault(core, f)) {
        core.cpu.activity = Activity::shutdown;
        return Stop::shutdown;
    }
    return std::nullopt;
}

Stop run_loop(Core& core, Cycles cycle_limit, Position position_limit) {
    for (;;) {
        if (core.clock.position >= position_limit || core.clock.cycles >= cycle_limit) return Stop::limit;
        if (core.cpu.activity == Activity::shutdown) return Stop::shutdown;
        if (!core.cpu.interrupt_shadow && (core.cpu.rflags & rflags::IF) && core.bus->interrupt_line()) {
            if (!take_interrupt(core)) {
                core.cpu.activity = Activity::shutdown;
                return Stop::shutdown;
            }
        }
        if (core.cpu.activity != Activity::running) return Stop::halted;
        core.leave = core.bus_touched = false;
        u64 const budget = std::min(cycle_limit - core.clock.cycles, position_limit - core.clock.position);
        if (auto const stop = run_one(core, budget)) return *stop;
        if (core.memory->has_retired()) core.memory->quiesce();
        if (core.bus_touched) return Stop::bus;
    }
}

}  // namespace

Stop Interpreter::run(Memory& memory, Bus& bus, Cycles cycle_limit, Position position_limit) {
    Core& core = state_->core;
    core.memory = &memory;
    core.bus = &bus;
    if (state_->epoch != memory.epoch()) core.tlbs.flush();
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
