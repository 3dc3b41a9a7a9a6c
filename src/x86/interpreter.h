// Interpreter: runs one Cpu over one Memory and one Bus. Owns the live Cpu value and droppable caches, nothing else.
//
// run() executes until the clock reaches `cycle_limit`, the Position reaches `position_limit`, or something wants the run loop's
// attention; it stops exactly, between two instructions. Time passes only here: `clock().cycles` counts instruction costs.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/types.h"
#include "cow/memory.h"
#include "x86/bus.h"
#include "x86/cpu.h"

namespace ramet {

/// The two counters of the determinism contract.
struct Clock {
    Position position;
    Cycles cycles;

    static constexpr void fields(auto& self, auto& visit) {
        visit("position", self.position);
        visit("cycles", self.cycles);
    }
};

enum class Stop : u8 {
    limit,     ///< a limit is reached
    bus,       ///< a bus access happened: deadlines and lines may have changed; or faults follow one another, and the host gets a look
    halted,    ///< HLT: jump the clock to the next deadline
    shutdown,  ///< triple fault
    unsupported,  ///< beyond our model: report() says what
};

/// What CPUID announces and which instructions exist.
enum class CpuModel : u8 { ramet_v1, ramet_v2 };

class Interpreter {
public:
    Interpreter(CpuModel model, u64 rng_seed);
    ~Interpreter();
    Interpreter(Interpreter&&) noexcept;

    Cpu& cpu();
    const Cpu& cpu() const;
    Clock& clock();
    const Clock& clock() const;
    u64& rng_state();  ///< RDRAND's generator, part of the machine
    u64 rng_state() const;

    Stop run(Memory& memory, Bus& bus, Cycles cycle_limit, Position position_limit);

    /// Bytes were written behind the CPU's back (DMA, loader, debugger): drop what was derived from these frames.
    void frame_written(Frame frame);
    /// Where a linear address leads now, for somebody who looks: no rights are checked, and neither accessed bits nor caches change.
    std::optional<GuestPhys> physical(Memory& memory, GuestVirt address) const;
    /// Drop every cache. Never changes what the guest sees.
    void drop_caches();
    /// Host memory held by caches: none before the first run().
    u64 cache_bytes() const;
    /// After Stop::unsupported.
    std::string report() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace ramet
