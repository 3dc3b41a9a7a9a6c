// Scripts: what to do at a machine's console, as values: send, expect, command, wait, and looks at memory, registers and disks. Each script that takes
// part in a scene is a fiber in virtual time: it stops where it waits, the machine runs to the first moment somebody waits for, and that one goes on
// there. Of several at one moment the first in the list goes first.
// Tests: tests/lab/script_test.cpp.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lab/session.h"

namespace ramet {

struct Step {
    enum class Kind : u8 {
        send,      ///< types `text`
        expect,    ///< waits for `condition`
        command,   ///< types `text` and a newline, waits for `prompt`; what lies between is compared with `prints` or searched for `contains`
        wait,      ///< lets `budget` pass
        memory,    ///< `size` bytes at `text`, a symbol or an address, are `value`
        reg,       ///< the register `text` is `value`
        disk,      ///< the disk in place `value` holds `bytes` from `offset` on
    };
    Kind kind = Kind::wait;
    std::string text = {};
    Condition condition = {};
    Budget budget = Session::default_budget;
    std::string prompt = {};
    std::optional<std::string> prints = {};
    std::optional<std::string> contains = {};
    std::optional<u64> value = {};
    u32 size = 4;
    u64 offset = 0;
    std::vector<u8> bytes = {};
    u32 line = 0;  ///< in its file, for messages; no part of what the step does
};

using Script = std::vector<Step>;

inline Step send(std::string text) { return {.kind = Step::Kind::send, .text = std::move(text)}; }
inline Step expect(Condition condition, const Budget& budget = Session::default_budget) {
    return {.kind = Step::Kind::expect, .condition = std::move(condition), .budget = budget};
}
inline Step wait(const Budget& budget) { return {.kind = Step::Kind::wait, .budget = budget}; }

/// Everything that decides what scripts do, as one text: part of the key of the state that they lead to.
std::string canonical_text(std::span<const Script> scripts);

/// A step that did not do what it should.
struct Failure {
    u32 line = 0;
    std::string what;
};

/// Plays the scripts at a session. The failure, or nothing; the session stands where the last script ended, or where one failed.
std::optional<Failure> play(Session& session, std::span<const Script> scripts);

}  // namespace ramet
