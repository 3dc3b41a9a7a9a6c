// Record: what happened to one machine since power-on: what came in, what came out, and how far it got. A fork shares the record of what was before
// it, so that a child's record costs what the child does.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "machine/wires.h"
#include "replay/log_format.h"

namespace ramet {

struct Record {
    std::shared_ptr<const Record> before;    ///< up to the fork
    std::vector<LogEntry> entries = {};      ///< inputs, and snapshots on the way
    std::array<std::string, 2> output = {};  ///< by Channel
    Moment now = {};
};

/// All entries from power-on, in their order.
std::vector<LogEntry> entries_of(const Record& record);
/// All that came out from power-on.
std::string output_of(const Record& record, Channel channel);

}  // namespace ramet
