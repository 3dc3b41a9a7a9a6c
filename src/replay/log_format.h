// The bytes of an input log: its header and its entries. Frames, which carry entries, are input_log.h. All integers little-endian; "varint",
// "text" and "block" as in base/byte_stream.h. The same drawing, with examples, is in docs/formats.md.
//
//     file    = prefix, header, frame…
//     prefix  = "RametLog"  u32 version  u32 header length  digest of the header (16 bytes)
//     header  = machine, images, disks, origin
//     machine = digest identity  digest state schema  u8 cpu  varint memory bytes  text kernel  text initrd  text append
//               u8 unpack  u8 boot  u64 rtc  u64 seed
//     images  = varint count, then for each: text path  text arguments  varint size  SHA-256 (32 bytes)
//     disks   = varint count, then for each: text path  u8 place  u8 read only  varint bytes  SHA-256 (32 bytes)
//     origin  = u8 kind (0 boot, 1 fork, 2 snapshot)  text file  block name  varint entries
//               varint Position  varint cycles  digest machine
//
//     entry   = u8 kind  varint Position delta  varint cycles delta  body
//     body    = 1 serial input: block bytes
//               2 digest: digest of the machine
//               3 end: u8 stop reason  u32 value  digest
//               4 snapshot: text file  digest
//               5 memory input: varint address  block bytes
//               6 note: text; a remark about the moment, which changes nothing
//               7 disk input: varint place  varint first byte  block bytes
//               8 disk delay: varint cycles
//               9 interrupt: varint line
//
// Deltas are to the entry before in the same frame, and to zero for the first one. A child's file and name are those of its parent log (its header
// digest) or snapshot (its SHA-256 id); `entries` is how many the parent's log had before the fork, which orders what happened at one
// moment; Position, cycles and digest are the machine's at the fork.
// Tests: tests/replay/input_log_test.cpp.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/byte_stream.h"
#include "base/result.h"
#include "base/sha256.h"
#include "machine/configuration.h"
#include "machine/machine.h"

namespace ramet {

/// A point of a run. A halted machine stays at one Position while its cycles go on.
struct Moment {
    Position position;
    Cycles cycles;
    friend constexpr auto operator<=>(const Moment&, const Moment&) = default;
};

std::string moment_text(const Moment& moment);

struct ImageRecord {
    std::string path;
    std::string arguments;
    u64 size = 0;
    Sha256 sha256;
    friend bool operator==(const ImageRecord&, const ImageRecord&) = default;
};

struct LogOrigin {
    enum class Kind : u8 { boot, fork, snapshot };
    Kind kind = Kind::boot;
    std::string path;      // relative to the log's directory, or absolute
    std::vector<u8> name;  // 16 bytes: header digest of a log; 32 bytes: id of a snapshot
    u64 entries = 0;       // of the parent's log, before the fork
    Moment at;
    Digest digest;
    friend bool operator==(const LogOrigin&, const LogOrigin&) = default;
};

struct LogHeader {
    static constexpr u32 version = 3;
    static constexpr u32 bytes_max = 1 << 20;
    static constexpr std::size_t prefix_bytes = 32;

    Digest identity;
    Digest schema;
    Configuration configuration;  // console is not part of it; sizes of disks are
    std::vector<ImageRecord> images;
    std::vector<Sha256> disks;    // of the images of configuration.disks
    LogOrigin origin;
};

struct LogEntry {
    enum class Kind : u8 { serial = 1, digest = 2, end = 3, snapshot = 4, memory = 5, note = 6, disk = 7, disk_delay = 8, interrupt = 9 };
    Kind kind = Kind::digest;
    Moment at;
    std::vector<u8> bytes = {};  // serial, memory, disk
    Digest digest = {};          // digest, end, snapshot
    StopReason reason = StopReason::position;
    u32 value = 0;
    std::string path = {};  // snapshot; the text of a note
    GuestPhys address = {};  // memory; disk: its first byte
    u64 number = 0;          // disk: its place; disk_delay: cycles; interrupt: line

    static constexpr std::size_t input_bytes_max = 64 << 10;
    bool is_input() const;
    /// Of an entry that is one.
    Input input() const;
    static LogEntry of(const Moment& at, const Input& input);
    friend bool operator==(const LogEntry&, const LogEntry&) = default;
};

/// Prefix and header.
std::vector<u8> header_bytes(const LogHeader& header);
/// Length of the header that a prefix announces.
Expected<u32> parse_prefix(std::span<const u8> prefix, const std::string& path);
Expected<LogHeader> parse_header(std::span<const u8> prefix, std::span<const u8> header, const std::string& path);
/// Names a log: the digest in its prefix.
Digest header_digest(const LogHeader& header);

/// Digest of the schema of MachineState: logs and snapshots of another version are recognised by it.
const Digest& state_schema_digest();

ImageRecord image_record(const Image& image);
LogHeader header_of(const Configuration& configuration, const Images& images, const Machine& machine);

void put_entry(ByteWriter& to, const Moment& before, const LogEntry& entry);
/// One entry; anything that no writer produces is an error without a place.
Expected<LogEntry> get_entry(ByteReader& from, const Moment& before);

}  // namespace ramet
