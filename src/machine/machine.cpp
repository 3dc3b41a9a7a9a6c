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

Disks disks_of(const Configuration& configuration, const DiskImages& images) {
    Disks disks;
    for (std::size_t i = 0; i < images.size(); ++i) {
        u64 const place = configuration.disks[i].place;
        disks[place].emplace(images[i], place);
    }
    return disks;
}

Machine::Machine(const Digest& identity, CpuModel model, u64 seed, Memory memory, Disks disks)
    : identity_(identity), model_(model), memory_(std::move(memory)), disks_(std::move(disks)), interpreter_(model, seed) {}

Expected<Machine> Machine::create(const Configuration& configuration, const Images& images, std::shared_ptr<PagePool> pool) {
    TRY(check_configuration(configuration));
    if (images.disks.size() != configuration.disks.size()) return Error{"disk: " + std::to_string(images.disks.size()) + " images for " + std::to_string(configuration.disks.size()) + " disks"};
    Configuration measured = configuration;
    for (std::size_t i = 0; i < images.disks.size(); ++i) measured.disks[i].bytes = images.disks[i]->byte_count();
    Memory memory{std::move(pool), memory_ranges(measured)};
    Machine machine{identity_of(configuration, images), configuration.cpu, configuration.seed, std::move(memory), disks_of(configuration, images.disks)};
    machine.board_ = firmware_board(measured);
    TRY(load_guest(machine.memory_, machine.interpreter_.cpu(), configuration, images));
    return machine;
}

Expected<Machine> Machine::create(const Configuration& configuration, std::shared_ptr<PagePool> pool) {
    return create(configuration, TRY(read_images(configuration)), std::move(pool));
}

Machine Machine::fork() {
    Machine child{identity_, model_, 0, memory_.fork(), disks_};
    child.interpreter_.cpu() = interpreter_.cpu();
    child.interpreter_.clock() = interpreter_.clock();
    child.interpreter_.rng_state() = interpreter_.rng_state();
    child.board_ = board_;
    return child;
}

MachineState Machine::state() const {
    return {identity_, model_, interpreter_.cpu(), interpreter_.clock(), interpreter_.rng_state(), board_};
}

Machine Machine::restore(const MachineState& state, Memory memory, Disks disks) {
    Machine made{state.identity, state.model, state.rng, std::move(memory), std::move(disks)};
    made.interpreter_.cpu() = state.cpu;
    made.interpreter_.clock() = state.clock;
    made.board_ = state.board;
    return made;
}

namespace {

/// What a machine stops for that cannot go on.
StopReason beyond(const Memory& memory) {
    switch (memory.trouble()) {
    case MemoryTrouble::none: break;
    case MemoryTrouble::exhausted: return StopReason::exhausted;
    case MemoryTrouble::lost: return StopReason::lost;
    }
    return StopReason::unsupported;
}

}  // namespace

RunResult Machine::run(const Until& until, Ports& ports) {
    constexpr unsigned barren_max = 16;  // looks at a processor that retires nothing: a million faults in a row
    Stores stores{memory_, interpreter_, disks_};
    PcBus bus{board_, ports, missed_, interpreter_.cpu().tsc_offset, &stores};
    for (unsigned barren = 0;;) {
        Clock const& clock = interpreter_.clock();
        bus.advance(clock.cycles);
        stores.settle();
        if (!stores.trouble().empty()) return {beyond(memory_), 0, stores.trouble()};
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
        case Stop::unsupported: return {beyond(memory_), 0, interpreter_.report()};
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
    case Input::Kind::disk: return write_disk(input);
    case Input::Kind::disk_delay:
        if (board_.ata.absent()) return 0;
        board_.ata.latency = input.value;
        return 1;
    case Input::Kind::interrupt:
        if (input.value > 15 || input.value == 2) return 0;
        bus.pulse(static_cast<unsigned>(input.value), cycles());
        return 1;
    }
    return 0;
}

std::size_t Machine::write_memory(const Input& input) {
    u64 const end = input.at.value + input.bytes.size();
    bool const addressable = end > input.at.value && end <= address_of(Frame{ram_frame_count_max}).value;  // disks lie above
    if (!addressable || !memory_.copy_in(input.at, input.bytes)) return 0;
    for (Frame frame = frame_of(input.at); frame <= frame_of(input.at + (input.bytes.size() - 1)); frame += 1) interpreter_.frame_written(frame);
    return input.bytes.size();
}

Expected<Done> Machine::read_disk(std::size_t place, u64 sector, std::span<u8> to) {
    if (place >= disks_.size() || !disks_[place]) return Error{"there is no disk " + std::to_string(place)};
    const Disk& disk = *disks_[place];
    u64 const sectors = to.size() / Disk::sector_bytes;
    if (sector >= disk.sector_count() || sectors > disk.sector_count() - sector)
        return Error{"disk " + std::to_string(place) + " has " + std::to_string(disk.sector_count()) + " sectors; sector " + std::to_string(sector) + " and " +
                     std::to_string(sectors) + " from there on do not lie on it"};
    return disk.read(memory_, sector, to);
}

/// Sectors that are written in part keep the rest.
std::size_t Machine::write_disk(const Input& input) {
    if (input.bytes.empty() || input.at.value > DiskImage::bytes_max) return 0;
    u64 const first = input.at.value / Disk::sector_bytes, inside = input.at.value % Disk::sector_bytes;
    u64 const sectors = (inside + input.bytes.size() + Disk::sector_bytes - 1) / Disk::sector_bytes;
    std::vector<u8> whole(sectors * Disk::sector_bytes);
    if (!read_disk(input.value, first, whole)) return 0;
    std::copy(input.bytes.begin(), input.bytes.end(), whole.begin() + static_cast<std::ptrdiff_t>(inside));
    return disks_[input.value]->write(memory_, first, whole) ? input.bytes.size() : 0;
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

Expected<Digest> Machine::whole_digest() {
    Digest const made = digest();
    if (memory_.trouble() != MemoryTrouble::none) return Error{memory_.trouble_text()};
    return made;
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
    case StopReason::lost: return "a page is lost";
    }
    return "unknown";
}

}  // namespace ramet
