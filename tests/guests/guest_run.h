// A guest of this folder with what its header comment expects, and one way to run it: to its end, in pieces, with something done to the
// machine between them. What a run leaves behind is a Trace; all traces of a guest must be equal.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/prng.h"
#include "machine/machine.h"

namespace ramet {

struct Guest {
    std::string name;
    bool exits = false;   ///< by the debug exit port; else by a triple fault
    u32 exit_value = 0;
    std::string serial;
    bool has_disk = false;  ///< whose image is the guest's own
    std::string input;    ///< typed at Position input_at
    CpuModel cpu = CpuModel::ramet_v1;
    static constexpr Position input_at{1000};

    std::unique_ptr<Machine> machine() const;
    Configuration configuration() const;
};

std::vector<std::string> guest_names();
Guest read_guest(const std::string& name);

struct Trace {
    std::map<u64, Digest> digests;  ///< at the checkpoints and at the end, by Position
    StopReason reason = StopReason::position;
    u32 exit_value = 0;
    std::string serial;
    u64 end = 0;
};

/// How to run a guest: the length of the next piece, and what happens to the machine after each.
struct Way {
    std::function<u64()> piece = [] { return ~u64{0}; };
    std::function<void(std::unique_ptr<Machine>&)> between = [](std::unique_ptr<Machine>&) {};
};

/// Far beyond the end of every guest, so that one that has gone astray fails soon.
inline constexpr u64 limit_max = 50'000'000;

/// Runs to the guest's end, or to `limit`. Digests are taken at `checkpoints`, in ascending order.
Trace follow(const Guest& guest, std::unique_ptr<Machine>& machine, const std::vector<u64>& checkpoints, const Way& way, u64 limit = limit_max);

/// `count` Positions at equal distances below `end`.
std::vector<u64> checkpoints_below(u64 end, unsigned count);

}  // namespace ramet
