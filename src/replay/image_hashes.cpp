#include "replay/image_hashes.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "base/bytes.h"
#include "base/digest.h"
#include "replay/file.h"
#include "replay/paths.h"

namespace ramet {

namespace {

constexpr std::array<u8, 8> magic = {'R', 'a', 'm', 'e', 't', 'H', 's', 'h'};
constexpr std::size_t field_count = 5, entry_bytes = field_count * 8 + 32, digest_bytes = 16;

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

std::array<u8, digest_bytes> check_of(std::span<const u8> bytes) {
    Digest const digest = digest_of(bytes);
    std::array<u8, digest_bytes> made;
    store_le(made.data(), digest.lo);
    store_le(made.data() + 8, digest.hi);
    return made;
}

}  // namespace

HashCache HashCache::of_user() {
    std::string const folder = user_cache();
    return HashCache{folder.empty() ? "" : folder + "/image-hashes"};
}

std::optional<Sha256> HashCache::find(const FileVersion& version) {
    if (path_.empty() || version.byte_count < bytes_min_) return std::nullopt;
    auto const entries = read();
    if (!entries) return std::nullopt;
    auto const found = std::ranges::find(*entries, version, &Entry::version);
    return found == entries->end() ? std::nullopt : std::optional{found->hash};
}

void HashCache::add(const FileVersion& version, const Sha256& hash) {
    if (path_.empty() || version.byte_count < bytes_min_ || version.changed_ns > now_ns() - settled_ns_) return;
    auto read_entries = read();
    std::vector<Entry> entries = read_entries ? *std::move(read_entries) : std::vector<Entry>{};
    std::erase_if(entries, [&](const Entry& e) { return e.version.device == version.device && e.version.inode == version.inode; });
    entries.insert(entries.begin(), Entry{version, hash});
    entries.resize(std::min(entries.size(), entry_count_max));
    (void)write(entries);  // without it the next one computes the hash again
}

Expected<std::vector<HashCache::Entry>> HashCache::read() const {
    File const file = TRY(File::open(path_));
    u64 const size = TRY(file.size());
    constexpr u64 around = magic.size() + digest_bytes;
    if (size < around || (size - around) % entry_bytes != 0 || (size - around) / entry_bytes > entry_count_max) return Error{path_ + ": not of this format"};
    std::vector<u8> const bytes = TRY(file.read(0, size));
    auto const body = std::span{bytes}.first(bytes.size() - digest_bytes);
    if (!std::equal(magic.begin(), magic.end(), body.begin()) || !std::ranges::equal(check_of(body), std::span{bytes}.last(digest_bytes)))
        return Error{path_ + ": damaged"};
    std::vector<Entry> entries;
    for (std::size_t at = magic.size(); at < body.size(); at += entry_bytes) {
        Entry& entry = entries.emplace_back(Entry{version_at(&body[at]), {}});
        std::copy_n(body.begin() + static_cast<std::ptrdiff_t>(at + field_count * 8), entry.hash.bytes.size(), entry.hash.bytes.begin());
    }
    return entries;
}

Expected<Done> HashCache::write(const std::vector<Entry>& entries) const {
    std::vector<u8> bytes{magic.begin(), magic.end()};
    for (const Entry& entry : entries) {
        for (u64 const field : fields_of(entry.version)) {
            bytes.resize(bytes.size() + 8);
            store_le(bytes.data() + bytes.size() - 8, field);
        }
        bytes.insert(bytes.end(), entry.hash.bytes.begin(), entry.hash.bytes.end());
    }
    auto const check = check_of(bytes);
    bytes.insert(bytes.end(), check.begin(), check.end());
    std::error_code error;
    std::filesystem::create_directories(directory_of(path_), error);
    AtomicFile file = TRY(AtomicFile::create(path_));
    TRY(file.file().write(0, bytes));
    return file.commit();
}

}  // namespace ramet
