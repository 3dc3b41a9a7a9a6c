// Compression of small blocks: lz4, raw block format, no frame around it. Whoever stores a block keeps its two lengths; equal lengths mean
// that it is stored as it is. The library is confined to codec.cpp.
// Tests: tests/cow/codec_test.cpp.
#pragma once

#include <span>
#include <vector>

#include "base/types.h"

namespace ramet {

inline constexpr std::size_t codec_block_max = std::size_t{1} << 26;  // an int's worth is the library's limit; ours needs less

/// Compressed, or the bytes themselves when that would not be shorter. Equal input gives equal output.
std::vector<u8> compress(std::span<const u8> bytes);

/// Fills `to` exactly. False when `stored` is not a block of that length: nothing is read or written outside the two.
bool decompress(std::span<const u8> stored, std::span<u8> to);

}  // namespace ramet
