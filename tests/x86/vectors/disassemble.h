// Assembly text of one instruction, by Zydis, for reports of failed vectors.
#pragma once

#include <span>
#include <string>

#include "vector_file.h"

namespace ramet::vectors {

std::string disassemble(Mode mode, u64 address, std::span<const u8> bytes);

}  // namespace ramet::vectors
