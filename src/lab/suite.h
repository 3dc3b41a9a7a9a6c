// Suite: a file of test cases over one machine, as `ramet test` runs them. docs/testing.md teaches it, docs/man/ramet.1 lists its keys.
//
// A case starts as a fork of the state that it `requires`: "power-on", "warm", or what an earlier case `provides`. Unknown keys and wrong values are
// errors with file, line, column, key and what was expected.
// Tests: tests/lab/suite_test.cpp, fuzzed by tests/fuzz/suite.cpp.
#pragma once

#include <string>
#include <vector>

#include "lab/script.h"

namespace ramet {

struct SuiteCase {
    std::string name;
    std::string requires_state = "warm";
    std::string provides = {};   ///< empty: nothing
    std::vector<Script> scripts = {};
    std::string golden = {};     ///< path of the expected console text; empty: not compared
    std::string digest = {};     ///< path of the expected digest
    u32 line = 0;
};

struct Suite {
    static constexpr std::size_t bytes_max = 4 << 20;
    static constexpr std::size_t case_count_max = 100'000;

    std::string name;     ///< of the file, without folder and ending
    std::string machine;  ///< path of machine.toml
    std::string symbols;  ///< path, or empty
    std::vector<Script> warm;
    std::vector<SuiteCase> cases;
};

/// Relative paths are relative to the suite's file.
Expected<Suite> read_suite(const std::string& path);
/// The same from text; `path` is for messages and relative paths.
Expected<Suite> parse_suite(const std::string& text, const std::string& path);

}  // namespace ramet
