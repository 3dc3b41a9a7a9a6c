#include "machine/machine.h"

#include <algorithm>

#include "base/state.h"
#include "machine/boot/boot.h"
#include "machine/boot/placement.h"

namespace ramet {

namespace {

constexpr u64 interrupt_flag = 0x200;
constexpr u64 slice_cycles = 2'000'000;  // between looks at Until::interrupt: a few milliseconds of host time

/// Discards output; for inputs, which may not produce any.
class NoPorts final : public Ports {
public:
    bool output(Channel, u8) override { return false; }
};

}  // namespace

Machine::Machine(const Digest& identity, CpuModel model, u64 seed, Memory memory)
    : identity_(identity), model_(model), memory_(std::move(memory)), interpreter_(model, seed) {}

Expected<Machine> Machine::create(const Configuration& configuration, const Images& images, std::shared_ptr<PagePool> pool) {
    TRY(check_configuration(configuration));
    Memory memory{std::move(pool), RamLayout::of(configuration.memory_bytes, configuration.boot).ranges()};
    Machine machine{identity_of(configuration, images), configuration.cpu, configuration.seed, std::move(memory)};
    machine.board_ = firmware_board(configuration);
    TRY(load_guest(machine.memory_, machine.interpreter_.cpu(), configuration, images));
    return machine;
}

Expected<Machine> Machine::create(const Configuration& configuration, std::shared_ptr<PagePool> pool) {
    return create(configuration, TRY(read_images(configuration)), std::move(pool));
}

Machine Machine::fork() {
    Machine child{identity_, model_, 0, memory_.fork()};
    child.interpreter_.cpu() = interpreter_.cpu();
    child.interpreter_.clock() = interpreter_.clock();
    child.interpreter_.rng_state() = interpreter_.rng_state();
    child.board_ = board_;
    return child;
}

MachineState Machine::state() const {
    return {identity_, model_, interpreter_.cpu(), interpreter_.clock(), interpreter_.rng_state(), board_};
}

Machine Machine::restore(const MachineState& state, Memory memory) {
    Machine made{state.identity, state.model, state.rng, std::move(memory)};
    made.interpreter_.cpu() = state.cpu;
    made.interpreter_.clock() = state.clock;
    made.board_ = state.board;
    return made;
}

RunResult Machine::run(const Until& until, Ports& ports) {
    constexpr unsigned barren_max = 16;  // looks at a processor that retires nothing: a million faults in a row
    PcBus bus{board_, ports, missed_, interpreter_.cpu().tsc_offset};
    for (unsigned barren = 0;;) {
        Clock const& clock = interpreter_.clock();
        bus.advance(clock.cycles);
        if (auto const result = asked(bus)) return *result;
        if (auto const result = at_limit(until)) return *result;
        Cycles limit = std::min(bus.deadline(), until.cycles);
        if (until.interrupt) limit = std::min(limit, Cycles{clock.cycles + slice_cycles});
        Clock const before = clock;
        switch (interpreter_.run(memory_, bus, limit, until.position)) {
        case Stop::limit: break;
        case Stop::bus:
            barren = clock.cycles == before.cycles ? barren + 1 : 0;
            if (barren == barren_max) return {StopReason::halted, 0, "exceptions follow one another without an instruction in between"};
            break;
        case Stop::halted:
            if (auto const result = wait(bus, until)) return *result;
            break;
        case Stop::shutdown: return {StopReason::shutdown};
        case Stop::unsupported: return {StopReason::unsupported, 0, interpreter_.report()};
        }
    }
}

/// What devices and ports asked for during the last instruction or deadline.
std::optional<RunResult> Machine::asked(const PcBus& bus) const {
    switch (bus.request()) {
    case Request::exit: return RunResult{StopReason::exit, bus.request_value()};
    case Request::reset: return RunResult{StopReason::reset};
    case Request::power_off: return RunResult{StopReason::power_off};
    case Request::none: break;
    }
    if (bus.stop_asked()) return RunResult{StopReason::output};
    return std::nullopt;
}

std::optional<RunResult> Machine::at_limit(const Until& until) const {
    if (position() >= until.position) return RunResult{StopReason::position};
    if (cycles() >= until.cycles) return RunResult{StopReason::cycles};
    if (until.interrupt && until.interrupt->load(std::memory_order_relaxed)) return RunResult{StopReason::interrupted};
    return std::nullopt;
}

/// The processor is halted: virtual time jumps to the next deadline.
std::optional<RunResult> Machine::wait(const PcBus& bus, const Until& until) {
    Cycles& now = interpreter_.clock().cycles;
    Cpu const& cpu = interpreter_.cpu();
    bool const wakes = (cpu.rflags & interrupt_flag) || (bus.device_sends_nmi() && !cpu.nmi_blocked);
    if (!wakes) return RunResult{StopReason::halted};
    if (bus.deadline() <= now) return std::nullopt;
    if (until.idle || bus.deadline() == Cycles::never()) {
        if (until.cycles != Cycles::never() && !until.idle) now = std::max(now, until.cycles);
        return until.cycles <= now ? RunResult{StopReason::cycles} : RunResult{StopReason::idle};
    }
    now = std::max(now, std::min(bus.deadline(), until.cycles));
    return std::nullopt;
}

std::size_t Machine::apply(const Input& input) {
    NoPorts ports;
    PcBus bus{board_, ports, missed_, interpreter_.cpu().tsc_offset};
    switch (input.kind) {
    case Input::Kind::serial: return bus.push_serial(input.bytes, cycles());
    case Input::Kind::memory: return write_memory(input);
    }
    return 0;
}

std::size_t Machine::write_memory(const Input& input) {
    if (input.bytes.empty() || !memory_.copy_in(input.at, input.bytes)) return 0;
    for (Frame frame = frame_of(input.at); frame <= frame_of(input.at + (input.bytes.size() - 1)); frame += 1) interpreter_.frame_written(frame);
    return input.bytes.size();
}

Cycles Machine::next_deadline() const {
    Cycles soonest = Cycles::never();
    auto const look = [&soonest](const auto& device) {
        if constexpr (Timed<std::remove_cvref_t<decltype(device)>>) soonest = std::min(soonest, device.deadline());
    };
#define DEVICE(member, ...) look(board_.member);
#define MMIO_DEVICE(member, ...) look(board_.member);
#include "machine/board.def"
    return soonest;
}

Digest Machine::digest() {
    DigestStream stream;
    stream.add(identity_);
    stream.add(memory_.digest());
    stream.add(state_digest(interpreter_.cpu()));
    stream.add(state_digest(interpreter_.clock()));
    stream.add(interpreter_.rng_state());
    stream.add(state_digest(board_));
    return stream.finish();
}

const char* reason_text(StopReason reason) {
    switch (reason) {
    case StopReason::position: return "position reached";
    case StopReason::cycles: return "time reached";
    case StopReason::output: return "output matched";
    case StopReason::exit: return "debug exit";
    case StopReason::reset: return "reset";
    case StopReason::power_off: return "power off";
    case StopReason::shutdown: return "triple fault";
    case StopReason::halted: return "halted for good";
    case StopReason::idle: return "idle";
    case StopReason::interrupted: return "interrupted";
    case StopReason::unsupported: return "unsupported";
    case StopReason::exhausted: return "out of memory";
    }
    return "unknown";
}

}  // namespace ramet
