#include "lz4_file.h"

#include <lz4frame.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <memory>

namespace ramet::vectors {

namespace {

struct FreeContext {
    void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
};

}  // namespace

Expected<std::vector<u8>> read_lz4_file(const std::string& path, u64 size_max) {
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        return Error{path + ": cannot be opened; give a .vec.lz4 file"};
    }
    std::vector<u8> const packed{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    return unpack_lz4(packed, size_max, path);
}

Expected<std::vector<u8>> unpack_lz4(std::span<const u8> packed, u64 size_max, const std::string& name) {
    LZ4F_dctx* raw = nullptr;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&raw, LZ4F_VERSION))) {
        return Error{name + ": no memory to unpack"};
    }
    std::unique_ptr<LZ4F_dctx, FreeContext> const context(raw);

    std::vector<u8> result;
    std::array<u8, 1 << 16> chunk;
    std::size_t at = 0;
    std::size_t expected = 1;
    while (expected != 0) {
        std::size_t produced = chunk.size();
        std::size_t consumed = packed.size() - at;
        expected = LZ4F_decompress(context.get(), chunk.data(), &produced, packed.data() + at, &consumed, nullptr);
        if (LZ4F_isError(expected)) {
            return Error{name + ": not a good LZ4 frame at byte " + std::to_string(at) + ": " + LZ4F_getErrorName(expected)};
        }
        at += consumed;
        if (result.size() + produced > size_max) {
            return Error{name + ": unpacks to more than " + std::to_string(size_max) + " bytes"};
        }
        result.insert(result.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(produced));
        if (expected != 0 && consumed == 0 && produced == 0) {
            return Error{name + ": the LZ4 frame is cut off at byte " + std::to_string(at)};
        }
    }
    return result;
}

Expected<std::vector<u8>> pack_lz4(std::span<const u8> content) {
    LZ4F_preferences_t preferences = {};
    preferences.compressionLevel = LZ4F_compressionLevel_max();
    preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
    preferences.frameInfo.blockSizeID = LZ4F_max4MB;
    std::vector<u8> packed(LZ4F_compressFrameBound(content.size(), &preferences));
    std::size_t const size =
        LZ4F_compressFrame(packed.data(), packed.size(), content.data(), content.size(), &preferences);
    if (LZ4F_isError(size)) {
        return Error{std::string("cannot pack: ") + LZ4F_getErrorName(size)};
    }
    packed.resize(size);
    return packed;
}

Expected<Done> write_file(const std::string& path, std::span<const u8> content) {
    std::ofstream out(path, std::ios::binary);
    std::ranges::copy(content, std::ostreambuf_iterator<char>(out));
    out.flush();
    if (!out) {
        return Error{path + ": cannot be written"};
    }
    return Done{};
}

}  // namespace ramet::vectors
