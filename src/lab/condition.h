// What a run waits for, and how long at most. Budgets are instructions or virtual time, never host time: whether a condition is met is the same on
// every host.
// An example: run_until(serial("login: "), seconds(60)).
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/types.h"

namespace ramet {

/// Counted from where the run begins. Both limits hold.
struct Budget {
    u64 instructions = ~u64{0};
    u64 time_ns = ~u64{0};  ///< virtual

    /// The tighter of two in each respect.
    friend constexpr Budget operator&&(Budget a, Budget b) { return {std::min(a.instructions, b.instructions), std::min(a.time_ns, b.time_ns)}; }
    friend constexpr auto operator<=>(const Budget&, const Budget&) = default;
};

constexpr Budget instructions(u64 count) { return {.instructions = count}; }
constexpr Budget nanoseconds(u64 count) { return {.time_ns = count}; }
constexpr Budget microseconds(u64 count) { return {.time_ns = count * 1'000}; }
constexpr Budget milliseconds(u64 count) { return {.time_ns = count * 1'000'000}; }
constexpr Budget seconds(u64 count) { return {.time_ns = count * 1'000'000'000}; }

struct Condition {
    enum class Kind : u8 {
        serial,  ///< `text` has come out of the serial port; the run stops right after its last byte
        debug,   ///< the same of the debug console
        idle,    ///< the guest has halted and waits
        ended,   ///< debug exit with `status` if there is one, else any end: exit, power off, reset, triple fault, halted for good
        never,   ///< only the budget ends the run
    };
    Kind kind = Kind::never;
    std::string text = {};
    std::optional<u32> status = {};
};

inline Condition serial(std::string text) { return {.kind = Condition::Kind::serial, .text = std::move(text)}; }
inline Condition debug(std::string text) { return {.kind = Condition::Kind::debug, .text = std::move(text)}; }
inline Condition idle() { return {.kind = Condition::Kind::idle}; }
inline Condition ended(std::optional<u32> status = {}) { return {.kind = Condition::Kind::ended, .text = {}, .status = status}; }
inline Condition never() { return {}; }

/// "serial \"ok\"", for messages and keys.
std::string condition_text(const Condition& condition);

}  // namespace ramet
