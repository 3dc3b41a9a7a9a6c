// Writing snapshots, and collecting those that nobody needs. The format is in snapshot.h.
#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "base/state.h"
#include "cow/codec.h"
#include "replay/paths.h"
#include "replay/snapshot.h"

namespace ramet {

namespace {

constexpr std::array<u8, 8> magic = {'R', 'a', 'm', 'e', 't', 'S', 'n', 'p'};

/// Gathers small writes.
class Appender {
public:
    explicit Appender(File& file, u64 offset) : file_(file), offset_(offset) {}
    /// Where the bytes begin in the file.
    Expected<u64> add(std::span<const u8> bytes) {
        u64 const at = offset_ + pending_.size();
        pending_.insert(pending_.end(), bytes.begin(), bytes.end());
        if (pending_.size() >= gather) TRY(flush());
        return at;
    }
    Expected<Done> flush() {
        TRY(file_.write(offset_, pending_));
        offset_ += pending_.size();
        pending_.clear();
        return Done{};
    }
    u64 offset() const { return offset_ + pending_.size(); }

private:
    static constexpr std::size_t gather = 1 << 20;
    File& file_;
    u64 offset_;
    std::vector<u8> pending_;
};

class Saver {
public:
    Saver(Machine& machine, const LogHeader& header, const std::string& path, const SnapshotBase& base, File& file)
        : machine_(machine), header_(header), path_(path), base_(base), file_(file), to_(file, Snapshot::head_bytes) {
        header_.origin = {};
        if (base.then) changed_ = machine.memory().differing_frames(*base.then);
    }

    Expected<SaveReport> save() {
        ChunkMap const map{machine_.memory().ranges()};
        for (u64 index = 0; index < map.count(); ++index) chunks_.push_back(TRY(chunk(index, map.first_frame(index).value)));
        std::vector<u8> const root = root_bytes();
        if (root.size() > Snapshot::root_bytes_max) return Error{path_ + ": the root is too large"};
        std::vector<u8> const stored = compress(root);
        u64 const root_offset = TRY(to_.add(stored));
        TRY(to_.flush());
        report_.id = sha256_of(root);
        report_.bytes_written = to_.offset();
        TRY(file_.write(0, head(root_offset, stored.size(), root.size())));
        return report_;
    }

private:
    bool base_has_chunk(u64 index) const { return base_.snapshot && index < base_.snapshot->chunks().size(); }

    bool unchanged(u64 first) const {
        if (!base_.then) return false;
        auto const at = std::lower_bound(changed_.begin(), changed_.end(), Frame{first});
        return at == changed_.end() || at->value >= first + ChunkRecord::frames;
    }

    Expected<ChunkRecord> chunk(u64 index, u64 first) {
        if (base_has_chunk(index) && unchanged(first)) {
            ++report_.chunks_reused;
            return of_base(base_.snapshot->chunks()[index]);
        }
        std::shared_ptr<const Chunk> old;
        if (base_has_chunk(index)) old = TRY(base_.snapshot->chunk(index));
        std::vector<u8> bytes(ChunkRecord::bytes);
        bool all_zero = true, all_old = old != nullptr && !base_.snapshot->chunks()[index].zero;
        for (u64 i = 0; i < ChunkRecord::frames; ++i) {
            PageRecord const record = TRY(page(Frame{first + i}, old ? &(*old)[i] : nullptr, index));
            record.put(bytes.data() + i * PageRecord::size);
            all_zero = all_zero && record.stored == 0;
            all_old = all_old && record.sha256 == (*old)[i].sha256;
        }
        if (all_zero) return ChunkRecord{};
        if (all_old) return of_base(base_.snapshot->chunks()[index]);
        std::vector<u8> const stored = compress(bytes);
        return ChunkRecord{.zero = false, .file = 0, .offset = TRY(to_.add(stored)), .stored = static_cast<u32>(stored.size()), .sha256 = sha256_of(bytes)};
    }

    ChunkRecord of_base(ChunkRecord record) {
        if (!record.zero) record.file = file_number(*base_.snapshot, record.file);
        return record;
    }

    /// The record of one page, which is written if nobody has it.
    Expected<PageRecord> page(Frame frame, const PageRecord* old, u64 chunk_index) {
        Memory& memory = machine_.memory();
        if (!memory.contains(frame)) return PageRecord{};
        const u8* const bytes = memory.read(frame);
        if (bytes == nullptr) return Error{path_ + ": the page of frame " + std::to_string(frame.value) + " cannot be had"};
        std::span<const u8> const content{bytes, page_size};
        if (std::all_of(content.begin(), content.end(), [](u8 byte) { return byte == 0; })) return PageRecord{};
        Sha256 const name = sha256_of(content);
        if (old && old->stored != 0 && old->sha256 == name) {
            ++report_.pages_reused;
            PageRecord record = *old;
            record.file = TRY(page_file_number(*old, chunk_index));
            return record;
        }
        auto const known = written_.find(name);
        if (known != written_.end()) {
            ++report_.pages_reused;
            return known->second;
        }
        std::vector<u8> const stored = compress(content);
        PageRecord const record{.sha256 = name, .offset = TRY(to_.add(stored)), .file = 0, .stored = static_cast<u16>(stored.size())};
        ++report_.pages_written;
        written_.emplace(name, record);
        return record;
    }

    /// Number in our root of the file that holds a page of the base.
    Expected<u32> page_file_number(const PageRecord& old, u64 chunk_index) {
        return file_number(TRY(base_.snapshot->page_file(old, chunk_index)));
    }

    u32 file_number(const Snapshot& of, u32 number) {
        return file_number(number == 0 ? Snapshot::FileName{of.path(), of.id()} : of.files()[number - 1]);
    }

    u32 file_number(const Snapshot::FileName& file) {
        std::string const name = path_beside(file.path, path_);
        for (std::size_t i = 0; i < files_.size(); ++i)
            if (files_[i].path == name) return static_cast<u32>(i + 1);
        files_.push_back({name, file.id});
        return static_cast<u32>(files_.size());
    }

    std::vector<u8> root_bytes() const {
        ByteWriter to;
        to.digest(state_schema_digest());
        to.block(state_bytes(machine_.state()));
        to.block(header_bytes(header_));
        to.varint(files_.size());
        for (const Snapshot::FileName& file : files_) {
            to.text(file.path);
            to.raw(file.id.bytes);
        }
        for (const ChunkRecord& chunk : chunks_) {
            to.put(static_cast<u8>(chunk.zero ? 0 : 1));
            if (chunk.zero) continue;
            to.varint(chunk.file);
            to.varint(chunk.offset);
            to.varint(chunk.stored);
            to.raw(chunk.sha256.bytes);
        }
        return to.finish();
    }

    std::vector<u8> head(u64 root_offset, std::size_t stored, std::size_t unpacked) const {
        ByteWriter to;
        to.raw(magic);
        to.put(Snapshot::version);
        to.put(u32{0});
        to.put(root_offset);
        to.put(to_.offset());
        to.put(static_cast<u32>(stored));
        to.put(static_cast<u32>(unpacked));
        to.raw(report_.id.bytes);
        to.put(digest_of(to.bytes()).lo);
        return to.finish();
    }

    Machine& machine_;
    LogHeader header_;
    const std::string& path_;
    const SnapshotBase& base_;
    File& file_;
    Appender to_;
    std::vector<Frame> changed_;
    std::vector<ChunkRecord> chunks_;
    std::vector<Snapshot::FileName> files_;  // paths as they are written
    std::map<Sha256, PageRecord> written_;
    SaveReport report_;
};

}  // namespace

Expected<SaveReport> save_snapshot(Machine& machine, const LogHeader& header, const std::string& path, const SnapshotBase& base) {
    if (header.identity != machine.identity()) return Error{path + ": the configuration is not the machine's"};
    AtomicFile target = TRY(AtomicFile::create(path));
    SaveReport const report = TRY((Saver{machine, header, path, base, target.file()}.save()));
    TRY(target.commit());
    return report;
}

Expected<CollectReport> collect_snapshots(const std::string& directory, const std::vector<std::string>& keep, bool dry_run) {
    namespace fs = std::filesystem;
    auto const canonical = [](const std::string& path) { return fs::weakly_canonical(path).string(); };
    std::set<std::string> kept;
    std::vector<std::string> open = keep;
    while (!open.empty()) {
        std::string const path = open.back();
        open.pop_back();
        if (!kept.insert(canonical(path)).second) continue;
        auto const snapshot = TRY(Snapshot::open(path));
        for (const Snapshot::FileName& file : snapshot->files()) open.push_back(file.path);
    }
    CollectReport report;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator{directory, error}) {
        std::string const path = entry.path().string();
        bool const leftover = AtomicFile::is_leftover(path);
        if (!entry.is_regular_file() || (!leftover && !path.ends_with(".rsnap")) || kept.contains(canonical(path))) continue;
        report.removed.push_back(path);
        report.bytes += entry.file_size();
    }
    if (error) return Error{directory + ": cannot list: " + error.message()};
    std::sort(report.removed.begin(), report.removed.end());
    if (dry_run) return report;
    for (const std::string& path : report.removed)
        if (!fs::remove(path, error)) return Error{path + ": cannot remove: " + error.message()};
    return report;
}

}  // namespace ramet
