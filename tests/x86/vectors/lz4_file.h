// Whole files as LZ4 frames, bounded. Tests: vector_file_test.cpp.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace ramet::vectors {

/// The content of an LZ4 frame file; an error when it is damaged or unpacks to more than `size_max` bytes.
Expected<std::vector<u8>> read_lz4_file(const std::string& path, u64 size_max);
Expected<std::vector<u8>> unpack_lz4(std::span<const u8> packed, u64 size_max, const std::string& name);
/// Packs at the highest level with a checksum over the content.
Expected<std::vector<u8>> pack_lz4(std::span<const u8> content);
Expected<Done> write_file(const std::string& path, std::span<const u8> content);

}  // namespace ramet::vectors
