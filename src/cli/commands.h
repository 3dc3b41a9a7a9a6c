// The subcommands of `ramet`: one file each, listed in one table. A command parses its arguments, calls the library and prints; how a
// machine runs is not decided here.
#pragma once

#include <CLI/CLI.hpp>
#include <array>

namespace ramet::cli {

/// Adds one subcommand. Its callback stores the process's exit status (exit_status.h).
using AddCommand = void (*)(CLI::App& app, int& status);

void add_run(CLI::App& app, int& status);

inline constexpr std::array<AddCommand, 1> commands = {add_run};

}  // namespace ramet::cli
