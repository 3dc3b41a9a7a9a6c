#include "cow/codec.h"

#include <cstring>
#include <lz4.h>

#include "base/chars.h"
#include "base/check.h"

namespace ramet {

std::vector<u8> compress(std::span<const u8> bytes) {
    CHECK(bytes.size() <= codec_block_max, "a block of bounded size");
    if (bytes.size() < 2) return {bytes.begin(), bytes.end()};
    std::vector<u8> made(bytes.size() - 1);  // anything longer is not worth it
    int const length = LZ4_compress_default(chars(bytes.data()), chars(made.data()), static_cast<int>(bytes.size()), static_cast<int>(made.size()));
    if (length <= 0) return {bytes.begin(), bytes.end()};
    made.resize(static_cast<std::size_t>(length));
    return made;
}

bool decompress(std::span<const u8> stored, std::span<u8> to) {
    if (stored.size() > to.size() || to.size() > codec_block_max) return false;
    if (stored.size() == to.size()) {
        if (!to.empty()) std::memcpy(to.data(), stored.data(), to.size());
        return true;
    }
    int const length = LZ4_decompress_safe(chars(stored.data()), chars(to.data()), static_cast<int>(stored.size()), static_cast<int>(to.size()));
    return length >= 0 && static_cast<std::size_t>(length) == to.size();
}

}  // namespace ramet
