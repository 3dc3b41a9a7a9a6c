// HashCache: the hashes of disk images that were opened before, so that a large image that did not change is not read from end to end again.
//
// A file is known by device, inode, size, and the times of its last modification and of its last change, in nanoseconds. The latter is the host
// kernel's alone: whoever writes a file and puts the first one back still changes the second. A file that changed a moment ago is not remembered, since another
// change might fall into the same tick of the host's clock.
//
//     "RametHsh"  then, the last used first, at most 256 of  u64 device  u64 inode  u64 size  i64 modified  i64 changed  SHA-256 (32 bytes)
//     then the digest (16 bytes) of all before
//
// A file that is damaged counts as empty. It is replaced as a whole: of two processes that write at once one's addition is lost, and made again.
// Tests: tests/replay/image_hashes_test.cpp, fuzzed by tests/fuzz/image_hashes.cpp.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cow/disk_image.h"

namespace ramet {

struct ImageHash {
    FileVersion version;
    Sha256 hash;

    friend bool operator==(const ImageHash&, const ImageHash&) = default;
};

/// A file's content; `path` is for messages.
Expected<std::vector<ImageHash>> parse_image_hashes(std::span<const u8> bytes, const std::string& path);
/// At most HashCache::entry_count_max.
std::vector<u8> image_hash_bytes(std::span<const ImageHash> entries);

class HashCache : public ImageHashes {
public:
    static constexpr std::size_t entry_count_max = 256;
    static constexpr u64 bytes_min_default = u64{16} << 20;  // what is smaller is hashed before it is looked up
    static constexpr i64 settled_default_ns = 2'000'000'000;

    /// $XDG_CACHE_HOME/ramet/image-hashes or ~/.cache/ramet/image-hashes.
    static HashCache of_user();
    /// Nothing is kept under an empty path.
    explicit HashCache(std::string path, u64 bytes_min = bytes_min_default, i64 settled_ns = settled_default_ns)
        : path_(std::move(path)), bytes_min_(bytes_min), settled_ns_(settled_ns) {}

    std::optional<Sha256> find(const FileVersion& version) override;
    void add(const FileVersion& version, const Sha256& hash) override;

private:
    Expected<std::vector<ImageHash>> read() const;
    Expected<Done> write(std::span<const ImageHash> entries) const;

    std::string path_;
    u64 bytes_min_;
    i64 settled_ns_;
};

}  // namespace ramet
