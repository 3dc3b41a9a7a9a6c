// Bytes as the `char` that libraries and streams speak, and back. Nothing else in machine and above casts between them.
#pragma once

#include <span>
#include <string_view>

#include "base/types.h"

namespace ramet {

inline char* chars(u8* bytes) { return reinterpret_cast<char*>(bytes); }
inline const char* chars(const u8* bytes) { return reinterpret_cast<const char*>(bytes); }

inline std::string_view text_of(std::span<const u8> bytes) { return {chars(bytes.data()), bytes.size()}; }
inline std::span<const u8> bytes_of(std::string_view text) { return {reinterpret_cast<const u8*>(text.data()), text.size()}; }

}  // namespace ramet
