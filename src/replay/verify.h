// Verifying a run: again from the log, or side by side with its own fork.
//
// verify_log() replays a log and compares every digest in it. Between snapshots that the log names, stretches are independent: each starts
// from its snapshot and must arrive at the next one's digest, so `jobs` of them run at a time.
// verify_twin() forks at a Position and runs parent and child, on two threads and in pieces of different sizes, on the same inputs;
// their digests must be equal every `every` instructions.
// Tests: tests/replay/verify_test.cpp.
#pragma once

#include <optional>
#include <string>

#include "replay/player.h"

namespace ramet {

struct VerifyReport {
    u64 digests = 0;
    u64 stretches = 1;
    Moment end = {};
    std::optional<Divergence> divergence = {};  // the first one
};

Expected<VerifyReport> verify_log(const std::string& path, const ImagePaths& images, unsigned jobs);

Expected<VerifyReport> verify_twin(const std::string& path, const ImagePaths& images, Position at, u64 every);

}  // namespace ramet
