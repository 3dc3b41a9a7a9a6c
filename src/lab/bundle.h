// Bundle: a failure as one file, `failure.ramet`: an input log from power-on to the moment of the failure. Its header names configuration and images by
// content; its entries are every input, the snapshots of warm states on the way, which spare a replay the boot where they still exist, a note that says
// what failed, and the digest that the machine had then. `ramet replay`, `log`, `verify` and `bisect` take it as they take any log.
// Tests: tests/lab/bundle_test.cpp.
#pragma once

#include <string>

#include "lab/session.h"

namespace ramet {

/// The machine as it stands now.
Expected<Done> write_bundle(const std::string& path, Session& session, const std::string& what);
/// A record whose session is gone: its inputs are replayed on `start`, a fork of the state that the record began with, to learn the digest.
Expected<Done> write_bundle(const std::string& path, Session start, const Record& record, const std::string& what);

/// "kv/four commands" -> "kv-four-commands": a file's name without what shells and file systems mind.
std::string file_name_of(const std::string& text);

}  // namespace ramet
