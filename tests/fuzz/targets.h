// Fuzz targets: functions over any bytes that abort by CHECK on a finding. All are listed here. The smoke test gives each of them random bytes
// for a bounded time; tests/fuzz/libfuzzer.cpp builds one as a libFuzzer program for longer hunts (README.md).
#pragma once

#include <array>
#include <cstdio>
#include <span>

#include "base/check.h"
#include "base/types.h"

namespace ramet::fuzz {

/// A finding prints its input and aborts.
inline void require(bool holds, const char* law, std::span<const u8> input) {
    if (holds) return;
    std::fprintf(stderr, "%s; input:", law);
    for (u8 const byte : input) std::fprintf(stderr, " %02x", byte);
    std::fprintf(stderr, "\n");
    CHECK(false, law);
}

/// Lengths and validity of our decoder against Zydis.
void decode_target(std::span<const u8> bytes);
/// Random code in every mode, in one piece and step by step.
void code_target(std::span<const u8> bytes);
/// Input logs: whole files, and entries inside a frame that is in order.
void log_target(std::span<const u8> bytes);
void log_entries_target(std::span<const u8> bytes);
/// Snapshots: whole files, and roots inside a file that is in order.
void snapshot_target(std::span<const u8> bytes);
void snapshot_root_target(std::span<const u8> bytes);
/// The machine: register accesses to the whole board, machine.toml, kernel images.
void device_ports_target(std::span<const u8> bytes);
void toml_target(std::span<const u8> bytes);
void boot_target(std::span<const u8> bytes);
/// The wire: frames of any bytes, and messages of any content.
void frames_target(std::span<const u8> bytes);
void messages_target(std::span<const u8> bytes);
/// What a peer can say past the checksums: to a server of pages, and as the state of a machine, which runs then.
void server_target(std::span<const u8> bytes);
void state_target(std::span<const u8> bytes);
/// What is remembered of disk images.
void image_hashes_target(std::span<const u8> bytes);
/// Suite files, made of the words that they have.
void suite_target(std::span<const u8> bytes);

struct Target {
    const char* name;
    void (*run)(std::span<const u8>);
    u64 cost = 1;  // in inputs of the cheapest target: the smoke test gives that many fewer
};
inline constexpr std::array targets = {
    Target{"decode", decode_target},
    Target{"code", code_target, 4000},
    Target{"log", log_target, 100},
    Target{"log_entries", log_entries_target, 100},
    Target{"snapshot", snapshot_target, 100},
    Target{"snapshot_root", snapshot_root_target, 100},
    Target{"device_ports", device_ports_target, 20},
    Target{"toml", toml_target, 20},
    Target{"boot", boot_target, 200},
    Target{"frames", frames_target, 20},
    Target{"messages", messages_target, 20},
    Target{"server", server_target, 100},
    Target{"state", state_target, 400},
    Target{"image_hashes", image_hashes_target, 20},
    Target{"suite", suite_target, 50},
};

}  // namespace ramet::fuzz
