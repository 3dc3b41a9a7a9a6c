#include "replay/image_hashes.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "base/byte_stream.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "replay/file.h"
#include "replay/paths.h"

namespace ramet {

namespace {

constexpr std::array<u8, 8> magic = {'R', 'a', 'm', 'e', 't', 'H', 's', 'h'};
constexpr std::size_t field_count = 5, entry_bytes = field_count * 8 + 32, digest_bytes = 16;
constexpr std::size_t file_bytes_max = magic.size() + HashCache::entry_count_max * entry_bytes + digest_bytes;

std::array<u64, field_count> fields_of(const FileVersion& v) {
    return {v.device, v.inode, v.byte_count, static_cast<u64>(v.modified_ns), static_cast<u64>(v.changed_ns)};
}

FileVersion version_at(const u8* from) {
    auto const field = [from](std::size_t i) { return load_le<u64>(from + 8 * i); };
    return {field(0), field(1), field(2), static_cast<i64>(field(3)), static_cast<i64>(field(4))};
}

/// The clock that the times of files are of. It decides what is remembered, and nothing else.
i64 now_ns() {
    using std::chrono::file_clock;
    return std::chrono::duration_cast<std::chrono::nanoseconds>(file_clock::to_sys(file_clock::now()).time_since_epoch()).count();
}

std::vector<u8> check_of(std::span<const u8> bytes) {
    ByteWriter to;
    to.digest(digest_of(bytes));
    return to.finish();
}

}  // namespace

Expected<std::vector<ImageHash>> parse_image_hashes(std::span<const u8> bytes, const std::string& path) {
    constexpr std::size_t around = magic.size() + digest_bytes;
    if (bytes.size() < around || bytes.size() > file_bytes_max || (bytes.size() - around) % entry_bytes != 0) return Error{path + ": not of this format"};
    auto const body = bytes.first(bytes.size() - digest_bytes);
    if (!std::ranges::equal(magic, body.first(magic.size())) || !std::ranges::equal(check_of(body), bytes.last(digest_bytes))) return Error{path + ": damaged"};
    std::vector<ImageHash> entries;
    for (std::size_t at = magic.size(); at < body.size(); at += entry_bytes) {
        ImageHash& entry = entries.emplace_back(ImageHash{version_at(&body[at]), {}});
        std::copy_n(body.begin() + static_cast<std::ptrdiff_t>(at + field_count * 8), entry.hash.bytes.size(), entry.hash.bytes.begin());
    }
    return entries;
}

std::vector<u8> image_hash_bytes(std::span<const ImageHash> entries) {
    ByteWriter to;
    to.raw(magic);
    for (const ImageHash& entry : entries) {
        for (u64 const field : fields_of(entry.version)) to.put(field);
        to.raw(entry.hash.bytes);
    }
    to.digest(digest_of(to.bytes()));
    return to.finish();
}

HashCache HashCache::of_user() {
    std::string const folder = user_cache();
    return HashCache{folder.empty() ? "" : folder + "/image-hashes"};
}

std::optional<Sha256> HashCache::find(const FileVersion& version) {
    if (path_.empty() || version.byte_count < bytes_min_) return std::nullopt;
    auto const entries = read();
    if (!entries) return std::nullopt;
    auto const found = std::ranges::find(*entries, version, &ImageHash::version);
    return found == entries->end() ? std::nullopt : std::optional{found->hash};
}

void HashCache::add(const FileVersion& version, const Sha256& hash) {
    if (path_.empty() || version.byte_count < bytes_min_ || version.changed_ns > now_ns() - settled_ns_) return;
    auto read_entries = read();
    std::vector<ImageHash> entries = read_entries ? *std::move(read_entries) : std::vector<ImageHash>{};
    std::erase_if(entries, [&](const ImageHash& e) { return e.version.device == version.device && e.version.inode == version.inode; });
    entries.insert(entries.begin(), ImageHash{version, hash});
    entries.resize(std::min(entries.size(), entry_count_max));
    (void)write(entries);  // without it the next one computes the hash again
}

Expected<std::vector<ImageHash>> HashCache::read() const {
    File const file = TRY(File::open(path_));
    u64 const size = TRY(file.size());
    if (size > file_bytes_max) return Error{path_ + ": not of this format"};
    return parse_image_hashes(TRY(file.read(0, size)), path_);
}

Expected<Done> HashCache::write(std::span<const ImageHash> entries) const {
    std::error_code error;
    std::filesystem::create_directories(directory_of(path_), error);
    AtomicFile file = TRY(AtomicFile::create(path_));
    TRY(file.file().write(0, image_hash_bytes(entries)));
    return file.commit();
}

}  // namespace ramet
