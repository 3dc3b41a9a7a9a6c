// Seeds: inputs that a fuzz target takes without complaint, made by the code that writes such things, so that they never grow stale.
#pragma once

#include <string_view>
#include <vector>

#include "base/types.h"

namespace ramet::fuzz {

/// None for a target that has no format.
std::vector<std::vector<u8>> seeds_of(std::string_view target);

}  // namespace ramet::fuzz
