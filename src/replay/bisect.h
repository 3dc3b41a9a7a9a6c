// Bisecting: the first Position at which two runs of one machine differ, and what differs there.
//
// Both logs are replayed in strides; the last place where the digests were equal is kept as a fork of each. After the first stride that ends differently
// the stride is halved from there, so the cost is one run of each and a few strides. What is equal at P and differs at P + 1 is reported with
// registers, device fields, memory, by name, and blocks of disks.
// Tests: tests/replay/verify_test.cpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/state.h"
#include "replay/player.h"
#include "replay/symbols.h"

namespace ramet {

struct MemoryDifference {
    GuestPhys at;                    // or, on a disk, the offset
    std::optional<u64> disk = {};    // its place
    u64 bytes = 0;       // in this run of bytes that differ
    std::string a, b;    // the first of them, in hexadecimal
    std::string symbol = {};
};

struct BisectReport {
    bool equal = true;          // up to the end of the shorter run
    Position last_equal;        // the runs are equal there
    std::optional<Position> first_different;
    std::string reason = {};    // a run ended or did not repeat, or inputs that differ
    std::vector<Difference> state = {};
    std::vector<MemoryDifference> memory = {};
    u64 memory_bytes = 0;       // that differ in all
    std::string code_a = {}, code_b = {};  // where each is, with a symbol
};

inline constexpr u64 bisect_stride = 16'777'216;

Expected<BisectReport> bisect(Player a, Player b, const Symbols& symbols, u64 stride = bisect_stride);

std::string bisect_text(const BisectReport& report);

}  // namespace ramet
