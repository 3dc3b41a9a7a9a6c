// Input logs for people and for programs: text, and JSON with one object per line. Every line ends with a newline.
// Tests: tests/replay/input_log_test.cpp.
#pragma once

#include <string>

#include "replay/input_log.h"

namespace ramet {

std::string header_text(const InputLog& log);
std::string entry_text(const LogEntry& entry);
std::string header_json(const InputLog& log);
std::string entry_json(const LogEntry& entry);

}  // namespace ramet
