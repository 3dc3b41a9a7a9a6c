// Snapshot: a machine in a file. Pages are stored once, named by their SHA-256, compressed one by one, and read back when the machine
// touches them, so that restoring costs the same whatever the memory size.
//
//      0   8  "RametSnp"            8  u32  version        12  u32  0
//     16  u64  offset of the root  24  u64  file length    32  u32  root stored  36  u32  root unpacked
//     40  32  id: SHA-256 of the unpacked root             72  u64  check of the 72 bytes before (low half of XXH3-128)
//     80  pages and chunks, in the order they were written, then the root; each lz4, or as it is when the lengths are equal
//
//     root  = digest state schema  block state  block log header  files  chunks
//     state = MachineState through its field list
//     log header = prefix and header as in log_format.h: configuration and images; its origin is "boot"
//     files = varint count, then text name (from the snapshot's directory) and id (32 bytes) of each other snapshot that holds pages or chunks
//     chunks = for each 512 frames of RAM and its holes, then of what may change on each disk: u8 0 (all zeros), or u8 1  varint file  varint offset  varint stored  SHA-256
//     chunk = 512 times: SHA-256 (32 bytes)  u64 offset  u32 file  u16 stored  u16 0; all zeros for a page of zeros
//
// File 0 is the file itself, file n the nth of the root of the file that the chunk is in. The id names everything: the root names the chunks, and the
// chunks name the pages. Nothing read from a file is believed before its hash is right.
// An incremental snapshot stores what its base has not, and refers to the files that have the rest directly: however long the chain, one page
// is one read.
//
// Threads: a Snapshot may be read from several threads. Tests: tests/replay/snapshot_test.cpp, snapshot_hostile_test.cpp, every_instruction_test.cpp.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "cow/page_source.h"
#include "machine/machine.h"
#include "replay/file.h"
#include "replay/lineage.h"
#include "replay/log_format.h"

namespace ramet {

/// Where a stored page is, and what it must be.
struct PageRecord {
    static constexpr std::size_t size = 48;
    Sha256 sha256;
    u64 offset = 0;
    u32 file = 0;
    u16 stored = 0;  // 0: a page of zeros

    void put(u8* to) const;
    static PageRecord get(const u8* from);
};

struct ChunkRecord {
    static constexpr u64 frames = 512;
    static constexpr std::size_t bytes = frames * PageRecord::size;
    bool zero = true;
    u32 file = 0;
    u64 offset = 0;
    u32 stored = 0;
    Sha256 sha256;
};

using Chunk = std::vector<PageRecord>;

/// Numbers the chunks of a machine's memory: those of the frames from 0 to the end of RAM, then those of each disk.
class ChunkMap {
public:
    ChunkMap() = default;
    explicit ChunkMap(const std::vector<RamRange>& ranges);

    u64 count() const;
    /// The chunk of a frame within the ranges.
    u64 chunk_of(Frame frame) const;
    Frame first_frame(u64 chunk) const;

private:
    struct Part {
        u64 first_chunk = 0;  // number of the first frame, in chunks
        u64 count = 0;
    };
    std::vector<Part> parts_;
};

class Snapshot {
public:
    static constexpr u32 version = 3;
    static constexpr std::size_t head_bytes = 80;
    static constexpr u32 root_bytes_max = 1 << 26;  // what the codec takes at once; 1 TiB of memory needs 24 MiB
    static constexpr u64 file_count_max = 4096;

    struct FileName {
        std::string path;  // as it can be opened
        Sha256 id;
    };

    static Expected<std::shared_ptr<const Snapshot>> open(const std::string& path);
    static Expected<std::shared_ptr<const Snapshot>> read(File file);

    const std::string& path() const { return file_.path(); }
    const Sha256& id() const { return id_; }
    const MachineState& state() const { return *state_; }
    const LogHeader& header() const { return header_; }
    const std::vector<FileName>& files() const { return files_; }
    const std::vector<ChunkRecord>& chunks() const { return chunks_; }
    u64 file_bytes() const { return length_; }

    Expected<std::shared_ptr<const Chunk>> chunk(u64 index) const;
    Expected<PageRecord> page_record(Frame frame) const;
    /// Which frames each chunk is about.
    const ChunkMap& map() const { return map_; }
    /// The file that holds a page of a chunk of this snapshot.
    Expected<FileName> page_file(const PageRecord& record, u64 chunk_index) const;
    /// A page of this snapshot, checked.
    Expected<Done> read_page(Frame frame, std::span<u8, page_size> to) const;

private:
    explicit Snapshot(File file) : file_(std::move(file)) {}
    Expected<Done> load();
    Expected<Done> parse_root(std::span<const u8> root);
    Expected<Done> parse_header(std::span<const u8> bytes);
    Expected<Done> parse_files(ByteReader& from);
    Expected<Done> parse_chunks(ByteReader& from);
    Error bad_root(const std::string& what) const;
    /// File n of this snapshot's root; 0 is this one.
    Expected<const Snapshot*> other(u32 file) const;
    Expected<std::vector<u8>> stored(u64 offset, u64 size, u64 unpacked) const;

    static constexpr std::size_t cached_chunks_max = 1024;

    File file_;
    u64 length_ = 0;
    u64 root_offset_ = 0;
    Sha256 id_;
    std::unique_ptr<MachineState> state_;
    LogHeader header_;
    std::vector<FileName> files_;
    ChunkMap map_;
    std::vector<ChunkRecord> chunks_;

    mutable std::mutex mutex_;  // of the two caches
    mutable std::map<u32, std::shared_ptr<const Snapshot>> others_;
    mutable std::map<u64, std::shared_ptr<const Chunk>> cached_;
};

/// Pages out of a snapshot, on demand.
class SnapshotSource final : public PageSource {
public:
    explicit SnapshotSource(std::shared_ptr<const Snapshot> snapshot) : snapshot_(std::move(snapshot)) {}
    bool fetch(Frame frame, Memory& into) override;
    /// Frames that were fetched since the last call, by any machine: relatives who will need them too can have them from one that fetched first.
    std::vector<Frame> take_fetched();
    std::string error() const override;

private:
    std::shared_ptr<const Snapshot> snapshot_;
    static constexpr std::size_t fetched_max = 1 << 16;  // what nobody takes does not grow for ever

    mutable std::mutex mutex_;
    std::string error_;
    std::vector<Frame> fetched_;
    std::atomic<bool> any_fetched_ = false;  // spares the lock
};

/// The machine, without its pages: they come when they are touched. Images of disks are opened, and must be those that it had.
Expected<Machine> restore_machine(std::shared_ptr<const Snapshot> snapshot, std::shared_ptr<PagePool> pool, const ImagePaths& paths = {});
/// The same with a source of the caller's, over the same snapshot, and its disks' images.
Machine restore_machine(const Snapshot& snapshot, std::shared_ptr<SnapshotSource> source, std::shared_ptr<PagePool> pool, const DiskImages& disks);

/// Where the log of a machine that was restored begins: for its header.
LogOrigin snapshot_origin(const Snapshot& snapshot, Machine& machine, const std::string& log_path);

/// What an incremental snapshot may rely on. `then`: the memory as it was when the base was saved or just restored, a relative of the machine's: frames
/// that are the same page in both need no look. Without it every page is hashed, but only those that the base has not are written.
struct SnapshotBase {
    std::shared_ptr<const Snapshot> snapshot;
    const Memory* then = nullptr;
};

struct SaveReport {
    u64 pages_written = 0;
    u64 pages_reused = 0;   // of the base, or the same content twice
    u64 chunks_reused = 0;  // whole ones, of the base
    u64 bytes_written = 0;
    Sha256 id;
};

/// Saves to `path`, atomically. The same machine on the same base gives the same bytes. `header` gives configuration and images.
Expected<SaveReport> save_snapshot(Machine& machine, const LogHeader& header, const std::string& path, const SnapshotBase& base = {});

struct CollectReport {
    std::vector<std::string> removed;
    u64 bytes = 0;
};

/// Removes, from a directory, leftovers of interrupted saves and all snapshots that neither are named in `keep` nor hold pages of one that is.
/// `dry_run`: only reports. An unreadable snapshot stops it: nothing is removed on a guess.
Expected<CollectReport> collect_snapshots(const std::string& directory, const std::vector<std::string>& keep, bool dry_run);

}  // namespace ramet
