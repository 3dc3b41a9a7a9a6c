// Unpacking of compressed kernel payloads: gzip, bzip2, lzma, xz, lz4 (the legacy frame that Linux uses) and zstd. The libraries
// are confined to unpack.cpp. Input is not trusted: output is bounded, and every failure is a message.
// Tests: tests/machine/unpack_test.cpp.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace ramet {

/// A vmlinux of today has some 60 MiB; ten times that is not a kernel.
inline constexpr u64 unpacked_bytes_max = u64{1} << 30;

/// `what` opens the message of an error. Bytes after the end of the stream are ignored (Linux appends the size).

Expected<std::vector<u8>> unpack(std::span<const u8> packed, const std::string& what, u64 limit = unpacked_bytes_max);

}  // namespace ramet
