// Bringing a machine to where another one was: the machine as of a moment, and what came from outside since. That is how the source goes on after the
// child's host has died, and how a child's host makes the pages that died with the source.
// Tests: tests/remote/migration_test.cpp, fault_test.cpp.
#pragma once

#include "replay/player.h"
#include "replay/recorder.h"

namespace ramet {

/// Runs to each entry and applies it, then to `last`, without output. What is applied is recorded, if there is a recorder.
Expected<Done> follow(Machine& machine, Recorder* recorder, const std::vector<LogEntry>& entries, const Moment& last);

/// The machine of a log as of a moment, after as many entries of it.
Expected<Machine> rebuild(const std::string& log, const Moment& at, std::shared_ptr<PagePool> pool);

}  // namespace ramet
