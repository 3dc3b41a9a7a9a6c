// The file of image hashes: any bytes are hashes, or an error that names the file; what was read is written the same.
#include <algorithm>

#include "base/byte_stream.h"
#include "replay/image_hashes.h"
#include "targets.h"

namespace ramet::fuzz {

/// As they are, and past the checksum.
void image_hashes_target(std::span<const u8> bytes) {
    ByteWriter checked;
    checked.raw(bytes);
    checked.digest(digest_of(bytes));
    for (std::span<const u8> const file : {bytes, std::span<const u8>{checked.bytes()}}) {
        auto const entries = parse_image_hashes(file, "fuzz");
        if (!entries) {
            require(entries.error().text.starts_with("fuzz: "), "an error names the file", bytes);
            continue;
        }
        require(entries->size() <= HashCache::entry_count_max, "no more than there may be", bytes);
        require(std::ranges::equal(image_hash_bytes(*entries), file), "what was read is written the same", bytes);
    }
}

}  // namespace ramet::fuzz
