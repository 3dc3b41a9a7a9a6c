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

struct Target {
    const char* name;
    void (*run)(std::span<const u8>);
};
inline constexpr std::array targets = {
    Target{"decode", decode_target},
};

}  // namespace ramet::fuzz
