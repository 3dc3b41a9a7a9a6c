// Frames: how messages travel over a stream of bytes (docs/formats.md, "Wire").
//
//     0  u32  S, bytes stored            4  u32  R, bytes of the message; R = S: stored as they are, else lz4
//     8  u32  kind                      12  u32  check of the 12 bytes before and of the frame's number
//    16  u64  check of the S bytes      24  S bytes
//
// Checks are low bits of XXH3-128. The number counts the frames of one direction from 0 and is not sent: a frame that is lost, repeated or out of
// order fails like one with a flipped bit. After an error nothing more can be read from that stream.
// Bounded: nothing is kept beyond one frame of bytes_max, however much the peer sends.
// Tests: tests/remote/frame_test.cpp, tests/fuzz/frames.cpp.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace ramet {

enum class Packing : u8 { never, when_it_helps };

struct WireFrame {
    static constexpr std::size_t header_bytes = 24;
    static constexpr u32 bytes_max = 2 << 20;  // stored and unpacked; the largest messages are a state and a piece of a log

    u32 kind = 0;
    std::span<const u8> bytes;  // valid until the next call of the reader
};

/// Appends frames to a buffer.
class FrameWriter {
public:
    void put(std::vector<u8>& to, u32 kind, std::span<const u8> bytes, Packing packing) { put(to, kind, {&bytes, 1}, packing); }
    /// A message that lies in several places.
    void put(std::vector<u8>& to, u32 kind, std::span<const std::span<const u8>> parts, Packing packing);

private:
    void pack(std::vector<u8>& buffer, std::size_t from);

    u64 number_ = 0;
    u64 hopeless_ = 0;  // frames not to try to pack, because the last tries did not help
};

/// Takes bytes as they come, gives frames.
class FrameReader {
public:
    /// Room for more bytes, at least one; call took() with how many were put there.
    std::span<u8> room();
    void took(std::size_t bytes);
    /// Nothing: more bytes are needed.
    Expected<std::optional<WireFrame>> next();
    /// A frame has begun and not ended.
    bool within_frame() const { return end_ != begin_; }

private:
    std::vector<u8> buffer_;
    std::vector<u8> unpacked_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    u64 number_ = 0;
};

}  // namespace ramet
