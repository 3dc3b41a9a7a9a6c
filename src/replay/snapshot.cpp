#include "replay/snapshot.h"

#include <algorithm>
#include <array>

#include "base/state.h"
#include "cow/codec.h"
#include "machine/boot/placement.h"
#include "replay/paths.h"

namespace ramet {

namespace {

constexpr std::array<u8, 8> magic = {'R', 'a', 'm', 'e', 't', 'S', 'n', 'p'};
constexpr u64 state_bytes_max = 1 << 20;
constexpr u64 name_bytes_max = 4096;

Sha256 get_sha256(ByteReader& from) {
    Sha256 made;
    std::span<const u8> const bytes = from.raw(made.bytes.size());
    std::copy(bytes.begin(), bytes.end(), made.bytes.begin());
    return made;
}

}  // namespace

ChunkMap::ChunkMap(const std::vector<RamRange>& ranges) {
    parts_.emplace_back();
    for (const RamRange& range : ranges) {
        u64 const end = (range.first.value + range.count + ChunkRecord::frames - 1) / ChunkRecord::frames;
        if (range.first.value < ram_frame_count_max) parts_[0].count = end;
        else parts_.push_back({range.first.value / ChunkRecord::frames, end - range.first.value / ChunkRecord::frames});
    }
}

u64 ChunkMap::count() const {
    u64 sum = 0;
    for (const Part& part : parts_) sum += part.count;
    return sum;
}

u64 ChunkMap::chunk_of(Frame frame) const {
    u64 before = 0;
    for (const Part& part : parts_) {
        u64 const inside = frame.value / ChunkRecord::frames - part.first_chunk;
        if (inside < part.count) return before + inside;
        before += part.count;
    }
    CHECK(false, "a frame of the machine's memory");
    return 0;
}

Frame ChunkMap::first_frame(u64 chunk) const {
    for (const Part& part : parts_) {
        if (chunk < part.count) return Frame{(part.first_chunk + chunk) * ChunkRecord::frames};
        chunk -= part.count;
    }
    CHECK(false, "a chunk of the machine's memory");
    return Frame{};
}

void PageRecord::put(u8* to) const {
    std::copy(sha256.bytes.begin(), sha256.bytes.end(), to);
    store_le(to + 32, offset);
    store_le(to + 40, file);
    store_le(to + 44, stored);
    store_le(to + 46, u16{0});
}

PageRecord PageRecord::get(const u8* from) {
    PageRecord made;
    std::copy(from, from + 32, made.sha256.bytes.begin());
    made.offset = load_le<u64>(from + 32);
    made.file = load_le<u32>(from + 40);
    made.stored = load_le<u16>(from + 44);
    return made;
}

Expected<std::shared_ptr<const Snapshot>> Snapshot::open(const std::string& path) { return read(TRY(File::open(path))); }

Expected<std::shared_ptr<const Snapshot>> Snapshot::read(File file) {
    std::shared_ptr<Snapshot> made{new Snapshot{std::move(file)}};
    TRY(made->load());
    return std::shared_ptr<const Snapshot>{std::move(made)};
}

Expected<Done> Snapshot::load() {
    std::array<u8, head_bytes> head = {};
    u64 const size = TRY(file_.size());
    TRY(file_.read(0, std::span{head}.first(static_cast<std::size_t>(std::min<u64>(size, head_bytes)))));
    ByteReader from{head};
    std::span<const u8> const found = from.raw(magic.size());
    if (!std::equal(found.begin(), found.end(), magic.begin(), magic.end())) return file_error(path(), 0, "this is no Ramet snapshot");
    u32 const file_version = from.get<u32>();
    if (file_version != version)
        return file_error(path(), 8, "snapshot version " + std::to_string(file_version) + "; this program reads version " + std::to_string(version));
    if (size < head_bytes) return file_error(path(), size, "the snapshot ends within its head");
    if (load_le<u64>(head.data() + 72) != digest_of(std::span{head}.first(72)).lo) return file_error(path(), 72, "the head does not match its checksum");
    from.get<u32>();
    root_offset_ = from.get<u64>();
    length_ = from.get<u64>();
    u32 const root_stored = from.get<u32>(), root_unpacked = from.get<u32>();
    id_ = get_sha256(from);
    if (length_ != size) return file_error(path(), 24, "the file has " + std::to_string(size) + " bytes; it was written with " + std::to_string(length_));
    bool const possible = root_unpacked <= root_bytes_max && root_stored <= root_unpacked && root_unpacked / 256 <= root_stored && root_offset_ >= head_bytes &&
                          root_offset_ <= size && root_stored == size - root_offset_;
    if (!possible) return file_error(path(), 16, "the root is not where it can be");
    std::vector<u8> const root = TRY(stored(root_offset_, root_stored, root_unpacked));
    if (sha256_of(root) != id_) return file_error(path(), root_offset_, "the root does not have the hash " + id_.hex());
    return parse_root(root);
}

Error Snapshot::bad_root(const std::string& what) const { return file_error(path(), root_offset_, "the root: " + what); }

Expected<Done> Snapshot::parse_root(std::span<const u8> root) {
    ByteReader from{root};
    Digest const schema = from.digest();
    if (from.ok() && schema != state_schema_digest())
        return bad_root("written by a version whose machine state has the schema " + schema.hex() + "; this one has " + state_schema_digest().hex());
    std::span<const u8> const state = from.block(state_bytes_max);
    std::span<const u8> const header = from.block(LogHeader::bytes_max + LogHeader::prefix_bytes);
    if (!from.ok()) return bad_root("it is cut short");
    state_ = std::make_unique<MachineState>();
    auto const used = read_state(state, *state_);
    if (!used) return bad_root(used.error().text);
    if (*used != state.size()) return bad_root("the state is too long");
    TRY(parse_header(header));
    TRY(parse_files(from));
    TRY(parse_chunks(from));
    if (!from.done()) return bad_root("bytes after its end");
    return Done{};
}

Expected<Done> Snapshot::parse_header(std::span<const u8> bytes) {
    if (bytes.size() < LogHeader::prefix_bytes) return bad_root("the configuration is cut short");
    std::span<const u8> const prefix = bytes.first(LogHeader::prefix_bytes), payload = bytes.subspan(LogHeader::prefix_bytes);
    if (TRY(parse_prefix(prefix, path())) != payload.size()) return bad_root("the configuration has another length");
    header_ = TRY(ramet::parse_header(prefix, payload, path()));
    auto const good = check_configuration(header_.configuration);
    if (!good) return bad_root(good.error().text);
    if (header_.identity != state_->identity) return bad_root("configuration and state are of different machines");
    return Done{};
}

Expected<Done> Snapshot::parse_files(ByteReader& from) {
    u64 const count = from.varint();
    if (count > file_count_max) return bad_root("refers to " + std::to_string(count) + " other files");
    for (u64 i = 0; i < count && from.ok(); ++i) {
        std::string const name = from.text(name_bytes_max);
        files_.push_back({path_from(path(), name), get_sha256(from)});
    }
    return Done{};
}

Expected<Done> Snapshot::parse_chunks(ByteReader& from) {
    map_ = ChunkMap{memory_ranges(header_.configuration)};
    for (u64 i = 0; i < map_.count() && from.ok(); ++i) {
        ChunkRecord chunk;
        u8 const kind = from.get<u8>();
        if (kind > 1) return bad_root("a chunk of unknown kind");
        if (kind == 1) {
            chunk.zero = false;
            u64 const file = from.varint();
            chunk.offset = from.varint();
            u64 const size = from.varint();
            chunk.sha256 = get_sha256(from);
            if (file > files_.size() || size > ChunkRecord::bytes) return bad_root("a chunk where none can be");
            chunk.file = static_cast<u32>(file);
            chunk.stored = static_cast<u32>(size);
        }
        chunks_.push_back(chunk);
    }
    if (!from.ok()) return bad_root("it is cut short");
    return Done{};
}

Expected<std::vector<u8>> Snapshot::stored(u64 offset, u64 size, u64 unpacked) const {
    std::vector<u8> const packed = TRY(file_.read(offset, size));
    std::vector<u8> made(static_cast<std::size_t>(unpacked));
    if (!decompress(packed, made)) return file_error(path(), offset, "does not unpack to " + std::to_string(unpacked) + " bytes");
    return made;
}

Expected<const Snapshot*> Snapshot::other(u32 file) const {
    if (file == 0) return this;
    if (file > files_.size()) return bad_root("a page in a file that it does not name");
    std::lock_guard const lock(mutex_);
    auto const known = others_.find(file);
    if (known != others_.end()) return known->second.get();
    const FileName& name = files_[file - 1];
    auto const opened = open(name.path);
    if (!opened) return Error{path() + ": refers to " + opened.error().text};
    if ((*opened)->id() != name.id)
        return Error{path() + ": refers to " + name.path + " with the id " + name.id.hex() + ", but the file there has " + (*opened)->id().hex()};
    return others_.emplace(file, *opened).first->second.get();
}

Expected<std::shared_ptr<const Chunk>> Snapshot::chunk(u64 index) const {
    CHECK(index < chunks_.size(), "a chunk of this snapshot");
    {
        std::lock_guard const lock(mutex_);
        auto const known = cached_.find(index);
        if (known != cached_.end()) return known->second;
    }
    const ChunkRecord& record = chunks_[index];
    auto made = std::make_shared<Chunk>(ChunkRecord::frames);
    if (!record.zero) {
        std::vector<u8> const bytes = TRY(TRY(other(record.file))->stored(record.offset, record.stored, ChunkRecord::bytes));
        if (sha256_of(bytes) != record.sha256) return file_error(path(), record.offset, "a chunk of the page map does not have its hash");
        for (u64 i = 0; i < ChunkRecord::frames; ++i) (*made)[i] = PageRecord::get(bytes.data() + i * PageRecord::size);
    }
    std::lock_guard const lock(mutex_);
    if (cached_.size() >= cached_chunks_max) cached_.clear();
    cached_[index] = made;
    return std::shared_ptr<const Chunk>{std::move(made)};
}

Expected<PageRecord> Snapshot::page_record(Frame frame) const {
    auto const records = TRY(chunk(map_.chunk_of(frame)));
    return (*records)[frame.value % ChunkRecord::frames];
}

Expected<Snapshot::FileName> Snapshot::page_file(const PageRecord& record, u64 chunk_index) const {
    const Snapshot* const map_file = TRY(other(chunks_[chunk_index].file));
    if (record.file == 0) return FileName{map_file->path(), map_file->id()};
    if (record.file > map_file->files_.size()) return bad_root("a page in a file that it does not name");
    return map_file->files_[record.file - 1];
}

Expected<Done> Snapshot::read_page(Frame frame, std::span<u8, page_size> to) const {
    PageRecord const record = TRY(page_record(frame));
    if (record.stored == 0) {
        std::fill(to.begin(), to.end(), u8{0});
        return Done{};
    }
    if (record.stored > page_size) return file_error(path(), record.offset, "a page of " + std::to_string(record.stored) + " stored bytes");
    const Snapshot* const map_file = TRY(other(chunks_[map_.chunk_of(frame)].file));
    const Snapshot* const file = TRY(map_file->other(record.file));
    std::array<u8, page_size> packed;
    std::span<u8> const bytes = std::span{packed}.first(record.stored);
    TRY(file->file_.read(record.offset, bytes));
    if (!decompress(bytes, to) || sha256_of(to) != record.sha256) return file_error(file->path(), record.offset, "a page does not have its hash");
    return Done{};
}

bool SnapshotSource::fetch(Frame frame, Memory& into) {
    std::array<u8, page_size> content;
    auto const result = snapshot_->read_page(frame, content);
    if (result) into.install(frame, content);
    std::lock_guard const lock(mutex_);
    if (result) {
        if (fetched_.size() < fetched_max) fetched_.push_back(frame);
        any_fetched_ = true;
        return true;
    }
    error_ = result.error().text;
    return false;
}

std::vector<Frame> SnapshotSource::take_fetched() {
    if (!any_fetched_) return {};
    std::lock_guard const lock(mutex_);
    any_fetched_ = false;
    return std::exchange(fetched_, {});
}

std::string SnapshotSource::error() const {
    std::lock_guard const lock(mutex_);
    return error_;
}

LogOrigin snapshot_origin(const Snapshot& snapshot, Machine& machine, const std::string& log_path) {
    std::span<const u8> const id = snapshot.id().bytes;
    return {.kind = LogOrigin::Kind::snapshot,
            .path = path_beside(snapshot.path(), log_path),
            .name = {id.begin(), id.end()},
            .entries = 0,
            .at = {machine.position(), machine.cycles()},
            .digest = machine.digest()};
}

Expected<Machine> restore_machine(std::shared_ptr<const Snapshot> snapshot, std::shared_ptr<PagePool> pool, const ImagePaths& paths) {
    DiskImages const disks = TRY(open_disks(snapshot->header(), paths, snapshot->path()));
    auto source = std::make_shared<SnapshotSource>(snapshot);
    return restore_machine(*snapshot, std::move(source), std::move(pool), disks);
}

Machine restore_machine(const Snapshot& snapshot, std::shared_ptr<SnapshotSource> source, std::shared_ptr<PagePool> pool, const DiskImages& disks) {
    Configuration const& configuration = snapshot.header().configuration;
    return Machine::restore(snapshot.state(), Memory{std::move(pool), memory_ranges(configuration), std::move(source)}, disks_of(configuration, disks));
}

}  // namespace ramet
