// InputLog: a recorded run, read from a file: what came in from outside, when, and digests to compare with.
//
// After the header (log_format.h) come frames, each written in one go:
//
//     0  u32  S, bytes stored           4  u32  R, bytes of entries; R = S when they are stored as they are, else lz4
//     8  u64  check of the S bytes     16  u32  check of the 16 bytes before
//    20  S bytes
//
// Checks are the low bits of XXH3-128 over the previous frame's check (for the first: over the low half of the header's digest) and the bytes,
// so that frames cannot be swapped, repeated or taken from another log.
//
// A log whose writer died ends in a torn frame: bytes that are too few, or zeros, or a last frame with a wrong check. Everything before it counts, and
// torn() says what was left out. Anything wrong before that is an error with file and offset. Opening checks the whole file, in
// memory bounded by one frame and an index of frames.
// Tests: tests/replay/input_log_test.cpp.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "replay/file.h"
#include "replay/log_format.h"

namespace ramet {

struct LogFrame {
    static constexpr std::size_t header_size = 20;
    static constexpr u32 bytes_max = 256 << 10;  // of entries

    u64 offset = 0;  // of the stored bytes
    u32 stored = 0;
    u32 raw = 0;

    struct Checks {
        u64 payload = 0;
        u32 header = 0;
    };
    static Checks checks(u64 before, u32 raw, std::span<const u8> stored);
    static u32 header_check(u64 before, std::span<const u8> first_16);
};

/// A frame around entries that were put one after the other, and its check.
struct FrameBytes {
    std::vector<u8> bytes;
    u64 check = 0;
};
FrameBytes make_frame(u64 check_before, std::span<const u8> entries);

class InputLog {
public:
    struct Torn {
        u64 offset = 0;
        u64 bytes = 0;
    };

    static Expected<std::shared_ptr<const InputLog>> open(const std::string& path);
    static Expected<std::shared_ptr<const InputLog>> read(File file);

    const std::string& path() const { return file_.path(); }
    const LogHeader& header() const { return header_; }
    const Digest& name() const { return name_; }
    std::size_t frame_count() const { return frames_.size(); }
    Expected<std::vector<LogEntry>> frame(std::size_t index) const;

    /// Where the log's last entry stands; the origin's moment when there is none.
    const Moment& last() const { return last_; }
    /// True when the recorder closed the log.
    bool ended() const { return ended_; }
    const std::optional<Torn>& torn() const { return torn_; }
    u64 entry_count() const { return entries_; }
    /// What the check of a further frame begins with.
    u64 last_check() const { return last_check_; }

private:
    explicit InputLog(File file) : file_(std::move(file)) {}
    Expected<Done> scan();
    Expected<bool> scan_frame(u64& offset, u64 end, u64& check);
    /// What starts at `offset` was never finished. Returns false, as scan_frame() does for it.
    bool tear(u64 offset, u64 end);
    Expected<Done> check_entries(const std::vector<LogEntry>& entries, u64 offset);
    Expected<std::vector<LogEntry>> decode(const LogFrame& frame, std::span<const u8> stored) const;

    File file_;
    LogHeader header_;
    Digest name_;
    std::vector<LogFrame> frames_;
    Moment last_;
    u64 entries_ = 0;
    u64 last_check_ = 0;
    bool ended_ = false;
    std::optional<Torn> torn_;
};

/// Walks a log's entries. Copying it keeps the place.
class LogCursor {
public:
    explicit LogCursor(std::shared_ptr<const InputLog> log) : log_(std::move(log)) {}

    /// The next entry, or nullptr at the end.
    Expected<const LogEntry*> peek();
    void advance() { ++entry_; }
    const InputLog& log() const { return *log_; }

private:
    std::shared_ptr<const InputLog> log_;
    std::size_t frame_ = 0;  // the next one to load
    std::size_t entry_ = 0;
    std::shared_ptr<const std::vector<LogEntry>> loaded_;
};

}  // namespace ramet
