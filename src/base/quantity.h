// Quantities as people write them: counts and durations, on the command line and in files.
// Tests: tests/base/quantity_test.cpp.
#pragma once

#include <string>

#include "base/result.h"
#include "base/types.h"

namespace ramet {

/// "2000000000", "100M": a number, k, M and G counting thousands. `where` opens the message of an error.
Expected<u64> parse_count(const std::string& text, const std::string& where);
/// "60s", "500ms", "2m", in nanoseconds.
Expected<u64> parse_duration(const std::string& text, const std::string& where);

}  // namespace ramet
