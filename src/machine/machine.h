// Machine: one PC as a value: processor, memory, board, clock and generator. Moving it keeps it, fork() makes a second one, digest() names its
// state, run() is the only thing that changes it but for apply().
//
// Threads: a Machine belongs to one thread at a time; relatives may run on different threads.
// Determinism: where run() stops never matters. Running to a Position in one go or in a thousand pieces gives the same state, and
// nothing of the host gets in but through apply().
// Tests: tests/machine/machine_test.cpp.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/digest.h"
#include "base/result.h"
#include "cow/memory.h"
#include "machine/board.h"
#include "machine/configuration.h"
#include "machine/pc_bus.h"
#include "machine/ports.h"
#include "x86/interpreter.h"

namespace ramet {

/// How far to run. Whatever comes first stops.
struct Until {
    Position position{~u64{0}};
    Cycles cycles = Cycles::never();              ///< an idle machine stops exactly there, a running one at the next instruction
    bool idle = false;                            ///< stop when the guest halts and waits
    const std::atomic<bool>* interrupt = nullptr;  ///< looked at every few milliseconds; where it stops is up to the host
};

enum class StopReason : u8 {
    position,     ///< Until::position
    cycles,       ///< Until::cycles
    output,       ///< Ports::output asked for it, right after the instruction that wrote the byte
    exit,         ///< debug exit; `value` is what was written
    reset,        ///< the guest asked for a reset
    power_off,    ///< the guest switched the PC off
    shutdown,     ///< triple fault
    halted,       ///< HLT with interrupts off: nothing can ever wake it; or exceptions without end, as `report` says
    idle,         ///< Until::idle, or no device will ever interrupt on its own: only an input can go on
    interrupted,  ///< Until::interrupt
    unsupported,  ///< beyond our model; `report` says what
    exhausted,    ///< the host's memory or the pool's limit is used up
    lost,         ///< a page of the machine cannot be had where it came from, a snapshot's file or another host; `report` says why
};

struct RunResult {
    StopReason reason = StopReason::position;
    u32 value = 0;
    std::string report = {};
};

/// Something from outside. It enters between two instructions, at the machine's present Position and cycle.
struct Input {
    enum class Kind : u8 {
        serial,     ///< bytes for the serial port
        memory,     ///< bytes for RAM at `at`, as a debugger or a test writes them: all of them or, where there is no RAM, none
        disk,       ///< bytes for the disk in place `value` from byte `at` on, past its drive: all of them or, where there is no such sector, none
        disk_delay, ///< from now on, and for the command under way, a disk takes `value` cycles before it moves the first sector
        interrupt,  ///< a pulse on the ISA interrupt line `value`, 0 to 15 but not 2
    };
    Kind kind = Kind::serial;
    std::vector<u8> bytes = {};
    GuestPhys at = {};
    u64 value = 0;
};

/// Everything of a machine but its memory, as a value that can be written down and read back.
struct MachineState {
    Digest identity;
    CpuModel model = CpuModel::ramet_v1;
    Cpu cpu;
    Clock clock;
    u64 rng = 0;
    Board board;

    static constexpr void fields(auto& self, auto& visit) {
        visit("identity", self.identity);
        visit("model", self.model);
        visit("cpu", self.cpu);
        visit("clock", self.clock);
        visit("rng", self.rng);
        visit("board", self.board);
    }
};

static_assert(fields_complete<MachineState>);

class Machine {
public:
    static Expected<Machine> create(const Configuration& configuration, const Images& images, std::shared_ptr<PagePool> pool);
    /// Reads the images that the configuration names.
    static Expected<Machine> create(const Configuration& configuration, std::shared_ptr<PagePool> pool);

    /// The machine that had this state, this memory, whose pages may still be with their source, and these disks.
    static Machine restore(const MachineState& state, Memory memory, Disks disks = {});

    Machine(Machine&&) noexcept = default;
    Machine& operator=(Machine&&) = delete;

    RunResult run(const Until& until, Ports& ports);

    /// A second machine with the same state, in constant time.
    Machine fork();

    /// Gives the guest what comes from outside; how many bytes it took (1 for an input without bytes). The caller keeps the rest and offers it again later.
    std::size_t apply(const Input& input);
    /// Bytes given to the serial port that the guest has not read yet.
    u32 unread_input() const { return board_.com1.unread(); }
    /// Bytes of input that apply() would take now.
    u32 input_room() const { return board_.com1.input.room(); }

    /// Names the whole state. Looking does not touch: nothing the guest sees changes.
    Digest digest();
    /// The same, or why a page of the machine cannot be had.
    Expected<Digest> whole_digest();
    MachineState state() const;
    /// Names configuration and images.
    const Digest& identity() const { return identity_; }

    Position position() const { return interpreter_.clock().position; }
    Cycles cycles() const { return interpreter_.clock().cycles; }
    /// When the next device needs attention; never() when none will.
    Cycles next_deadline() const;

    /// Where the page tables of this moment lead, as an access of the kernel's would go; nothing where no page is mapped.
    std::optional<GuestPhys> physical(GuestVirt address) { return interpreter_.physical(memory_, address); }

    const Disks& disks() const { return disks_; }
    /// What the disk in a place contains now; whole sectors. For somebody who looks.
    Expected<Done> read_disk(std::size_t place, u64 sector, std::span<u8> to);

    const Cpu& cpu() const { return interpreter_.cpu(); }
    const Board& board() const { return board_; }
    Memory& memory() { return memory_; }
    const Memory& memory() const { return memory_; }
    Interpreter& interpreter() { return interpreter_; }
    u64 private_bytes() const { return memory_.private_bytes(); }
    const MissedAccesses& missed() const { return missed_; }

private:
    Machine(const Digest& identity, CpuModel model, u64 seed, Memory memory, Disks disks);

    std::size_t write_memory(const Input& input);
    std::size_t write_disk(const Input& input);
    std::optional<RunResult> asked(const PcBus& bus) const;
    std::optional<RunResult> at_limit(const Until& until) const;
    std::optional<RunResult> wait(const PcBus& bus, const Until& until);

    Digest identity_;
    CpuModel model_;
    Memory memory_;
    Disks disks_;  // images; what was changed on them is in memory_
    Interpreter interpreter_;
    Board board_;
    MissedAccesses missed_;  // of this object, on this host; not state
};

/// The disks of a configuration, from the images that it names.
Disks disks_of(const Configuration& configuration, const DiskImages& images);

/// "power off", for messages.
const char* reason_text(StopReason reason);

}  // namespace ramet
