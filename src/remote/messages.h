// What two hosts say to each other about one machine. Each message has one struct, with its writer and its parser side by side in messages.cpp;
// docs/formats.md ("Wire") draws them. A parser takes bytes of an untrusted peer: an error, or values within the limits named here.
//
//     source                                target
//     hello                                 hello                    versions; the highest that both know
//     propose, log…                         ready                    the parent still runs
//     go                                    started                  the parent stands; from here on the child may run
//     zeros, pages, names                   want, got, inputs        until everything is there
//     ping                                  pong                     renews the target's lease (migration)
//     fence                                 fenced                   the source takes the machine back
//     resume                                lacks                    after the link broke
//     complete                              done
//
// Tests: tests/remote/messages_test.cpp, tests/fuzz/frames.cpp.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "base/byte_stream.h"
#include "base/result.h"
#include "base/sha256.h"
#include "cow/memory.h"
#include "replay/log_format.h"

namespace ramet {

enum class MessageKind : u32 {
    hello = 1, refuse, propose, log, ready, go, started, want, zeros, pages, names, got, inputs, ping, pong, fence, fenced, resume, lacks, complete, done
};

inline constexpr u16 wire_version_min = 2;
inline constexpr u16 wire_version_max = 2;

enum class MoveKind : u8 { fork, migrate };
using SessionName = std::array<u8, 16>;  ///< random; whoever knows it may resume the session

struct Hello {
    u16 lowest = wire_version_min;
    u16 highest = wire_version_max;
    std::vector<u8> bytes() const;
    static Expected<Hello> parse(std::span<const u8> bytes);
};
/// The version both speak.
Expected<u16> common_version(const Hello& peer);

/// Says why, and ends the conversation.
struct Refuse {
    std::string text;
    std::vector<u8> bytes() const;
    static Expected<Refuse> parse(std::span<const u8> bytes);
};

struct Propose {
    static constexpr u64 name_bytes_max = 64;
    static constexpr u32 lease_ms_max = 3'600'000;
    SessionName session = {};
    MoveKind kind = MoveKind::fork;
    u64 epoch = 0;            // of the right to run, after the move
    std::string name;         // for the child
    u32 lease_ms = 5000;      // of a migrated child, to run without a word from its source
    bool has_log = false;     // the machine's log and its ancestors' follow
    LogHeader header;         // of the machine's log: configuration, images, identity
    std::vector<u8> bytes() const;
    static Expected<Propose> parse(std::span<const u8> bytes);
};

/// A piece of a log file, ancestors first. Pieces of one log follow one another.
struct LogPiece {
    static constexpr u64 bytes_max = 256 << 10;
    Digest log;  // its name
    u64 offset = 0;
    std::vector<u8> data;
    std::vector<u8> bytes() const;
    static Expected<LogPiece> parse(std::span<const u8> bytes);
};

struct Ready {
    bool knows_pages = false;  // naming pages by their hash may save sending them
    std::vector<u8> bytes() const;
    static Expected<Ready> parse(std::span<const u8> bytes);
};

/// The machine but for its memory. `log_tail`: entries of the parent's log since its pieces were sent, as in a log frame. `typed`: of a migration, what
/// waits for the machine to read it.
struct Go {
    static constexpr u64 state_bytes_max = 1 << 20;
    static constexpr u64 typed_bytes_max = 128 << 10;
    u64 epoch = 0;
    Moment at;
    u64 log_entries = 0;
    std::vector<u8> log_tail = {};
    std::vector<u8> typed = {};
    std::vector<u8> state;
    std::vector<u8> bytes() const;
    static Expected<Go> parse(std::span<const u8> bytes);
};

/// Frames that the child waits for.
struct Want {
    static constexpr u64 count_max = 1024;
    std::vector<Frame> frames;
    std::vector<u8> bytes() const;
    static Expected<Want> parse(std::span<const u8> bytes);
};

/// Runs of frames, ascending: zeros (with a sequence number), or what a child lacks (`more`: another message follows).
struct Runs {
    static constexpr u64 count_max = 4096;
    u64 sequence = 0;
    bool more = false;
    std::vector<RamRange> runs;
    std::vector<u8> bytes() const;
    static Expected<Runs> parse(std::span<const u8> bytes);
};

/// Pages with their content, which is not copied: `content` lies in the message.
struct Pages {
    static constexpr u64 count_max = 64;
    u64 sequence = 0;
    std::vector<Frame> frames;
    std::span<const u8> content;  // page_size bytes each
    static void begin(ByteWriter& to, u64 sequence, std::span<const Frame> frames);  // the content is appended by the caller
    static Expected<Pages> parse(std::span<const u8> bytes);
};

/// Pages by the hash of their content.
struct Names {
    static constexpr u64 count_max = 256;
    struct Name {
        Frame frame;
        Sha256 sha256;
    };
    u64 sequence = 0;
    std::vector<Name> names;
    std::vector<u8> bytes() const;
    static Expected<Names> parse(std::span<const u8> bytes);
};

/// What came to the child from outside, as entries of a log frame, and how far it is.
struct Inputs {
    static constexpr u64 bytes_max = 256 << 10;
    Moment at;
    std::vector<u8> entries;
    std::vector<u8> bytes() const;
    static Expected<Inputs> parse(std::span<const u8> bytes);
};

struct Resume {
    SessionName session = {};
    u64 epoch = 0;
    std::vector<u8> bytes() const;
    static Expected<Resume> parse(std::span<const u8> bytes);
};

/// got (a sequence number), ping and pong (a time of the sender), fence and fenced (an epoch).
std::vector<u8> number_bytes(u64 number);
Expected<u64> parse_number(std::span<const u8> bytes);

/// Entries one after the other, as in a log frame.
std::vector<u8> entries_bytes(std::span<const LogEntry> entries);
Expected<std::vector<LogEntry>> parse_entries(std::span<const u8> bytes);

}  // namespace ramet
