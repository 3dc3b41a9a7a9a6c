// Conditions that end a run, as --until gives them.
// Tests: tests/cli/bad_input_test.cpp.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "machine/ports.h"

namespace ramet::cli {

struct TextCondition {
    Channel channel = Channel::serial;
    std::string text;
};

struct Conditions {
    std::vector<TextCondition> texts;
    Position position{~u64{0}};
    Cycles time = Cycles::never();
    bool exit = false;

    bool any() const { return !texts.empty() || position != Position{~u64{0}} || time != Cycles::never() || exit; }
};

/// "serial:login: ", "debug:TEXT", "position:2000000000", "time:10s", "exit".
Expected<Done> add_condition(Conditions& conditions, const std::string& text);

}  // namespace ramet::cli
