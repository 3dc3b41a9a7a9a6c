// What counts as equal when a vector has run: docs/formats-vectors.md, "Comparing". Returns one line per difference.
#pragma once

#include <string>
#include <vector>

#include "vector_file.h"

namespace ramet::vectors {

std::vector<std::string> compare_registers(const Header& header, const Vector& vector, const ox_state& expected,
                                           const ox_state& actual);
std::vector<std::string> compare_exceptions(const Header& header, const Vector& vector, const ox_exc& actual);

}  // namespace ramet::vectors
