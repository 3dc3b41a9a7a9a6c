// The subcommands of `ramet`: one file each, listed in one table. A command parses its arguments, calls the library and prints; how a
// machine runs is not decided here.
#pragma once

#include <CLI/CLI.hpp>
#include <array>

namespace ramet::cli {

/// Adds one subcommand. Its callback stores the process's exit status (exit_status.h).
using AddCommand = void (*)(CLI::App& app, int& status);

void add_run(CLI::App& app, int& status);
void add_replay(CLI::App& app, int& status);
void add_verify(CLI::App& app, int& status);
void add_bisect(CLI::App& app, int& status);
void add_snapshot(CLI::App& app, int& status);
void add_log(CLI::App& app, int& status);
void add_test(CLI::App& app, int& status);
void add_cache(CLI::App& app, int& status);
void add_family(CLI::App& app, int& status);
void add_attach(CLI::App& app, int& status);
void add_receive(CLI::App& app, int& status);

inline constexpr std::array commands = {add_run, add_replay, add_verify, add_bisect, add_snapshot, add_log, add_test, add_cache, add_family, add_attach, add_receive};

}  // namespace ramet::cli
