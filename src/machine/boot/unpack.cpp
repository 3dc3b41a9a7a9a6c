#include "machine/boot/unpack.h"

#include <bzlib.h>
#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/chars.h"

namespace ramet {

namespace {

using Bytes = std::vector<u8>;

constexpr std::size_t chunk_bytes = std::size_t{1} << 20;

/// Room for another chunk at the end of `out`; false at the limit.
bool grow(Bytes& out, u64 limit) {
    if (out.size() >= limit) return false;
    out.resize(std::min<u64>(limit, out.size() + std::max(chunk_bytes, out.size())));
    return true;
}

Error broken(const std::string& what, const char* method) { return Error{what + ": the " + method + " data is damaged or cut short"}; }
Error too_large(const std::string& what, u64 limit) {
    return Error{what + ": unpacks to more than " + std::to_string(limit) + " bytes, which is no kernel"};
}

Expected<Bytes> unpack_gzip(std::span<const u8> in, const std::string& what, u64 limit) {
    z_stream stream{};
    constexpr int gzip_window = 15 + 16;
    if (inflateInit2(&stream, gzip_window) != Z_OK) return broken(what, "gzip");
    stream.next_in = const_cast<u8*>(in.data());  // zlib's interface is not const-correct; it does not write there
    stream.avail_in = static_cast<uInt>(in.size());
    Bytes out;
    std::size_t used = 0;
    int status = Z_OK;
    while (status == Z_OK) {
        if (used == out.size() && !grow(out, limit)) break;
        stream.next_out = out.data() + used;
        stream.avail_out = static_cast<uInt>(out.size() - used);
        status = inflate(&stream, Z_NO_FLUSH);
        used = out.size() - stream.avail_out;
    }
    inflateEnd(&stream);
    if (status == Z_OK) return too_large(what, limit);
    if (status != Z_STREAM_END) return broken(what, "gzip");
    out.resize(used);
    return out;
}

Expected<Bytes> unpack_bzip2(std::span<const u8> in, const std::string& what, u64 limit) {
    bz_stream stream{};
    if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK) return broken(what, "bzip2");
    Bytes scratch{in.begin(), in.end()};
    stream.next_in = chars(scratch.data());
    stream.avail_in = static_cast<unsigned>(scratch.size());
    Bytes out;
    std::size_t used = 0;
    int status = BZ_OK;
    while (status == BZ_OK) {
        if (used == out.size() && !grow(out, limit)) break;
        stream.next_out = chars(out.data() + used);
        stream.avail_out = static_cast<unsigned>(out.size() - used);
        std::size_t const before = used;
        status = BZ2_bzDecompress(&stream);
        used = out.size() - stream.avail_out;
        if (status == BZ_OK && stream.avail_in == 0 && used == before) status = BZ_UNEXPECTED_EOF;
    }
    BZ2_bzDecompressEnd(&stream);
    if (status == BZ_OK) return too_large(what, limit);
    if (status != BZ_STREAM_END) return broken(what, "bzip2");
    out.resize(used);
    return out;
}

Expected<Bytes> unpack_lzma(std::span<const u8> in, const std::string& what, u64 limit, bool xz) {
    constexpr u64 memory_max = u64{1} << 30;
    const char* const method = xz ? "xz" : "lzma";
    lzma_stream stream = LZMA_STREAM_INIT;
    if ((xz ? lzma_stream_decoder(&stream, memory_max, 0) : lzma_alone_decoder(&stream, memory_max)) != LZMA_OK) return broken(what, method);
    stream.next_in = in.data();
    stream.avail_in = in.size();
    Bytes out;
    std::size_t used = 0;
    lzma_ret status = LZMA_OK;
    while (status == LZMA_OK) {
        if (used == out.size() && !grow(out, limit)) break;
        stream.next_out = out.data() + used;
        stream.avail_out = out.size() - used;
        status = lzma_code(&stream, LZMA_RUN);
        used = out.size() - stream.avail_out;
    }
    lzma_end(&stream);
    if (status == LZMA_OK) return too_large(what, limit);
    if (status != LZMA_STREAM_END) return broken(what, method);
    out.resize(used);
    return out;
}

/// Magic, then blocks: a 32-bit packed size and a raw LZ4 block of at most 8 MiB unpacked. Linux appends the whole size, which
/// looks like one more block of a size that does not fit.
Expected<Bytes> unpack_lz4(std::span<const u8> in, const std::string& what, u64 limit) {
    constexpr std::size_t block_max = std::size_t{8} << 20;
    Bytes out;
    Bytes block(block_max);
    std::size_t at = 4;
    while (at + 4 <= in.size()) {
        u32 const packed = load_le<u32>(in.data() + at);
        if (packed > in.size() - at - 4) {
            if (at + 4 == in.size() && packed == out.size()) break;
            return broken(what, "lz4");
        }
        if (packed == 0) break;
        int const got = LZ4_decompress_safe(chars(in.data() + at + 4), chars(block.data()),
                                            static_cast<int>(packed), static_cast<int>(block_max));
        if (got < 0) return broken(what, "lz4");
        if (out.size() + static_cast<std::size_t>(got) > limit) return too_large(what, limit);
        out.insert(out.end(), block.begin(), block.begin() + got);
        at += 4 + std::size_t{packed};
    }
    if (out.empty()) return broken(what, "lz4");
    return out;
}

Expected<Bytes> unpack_zstd(std::span<const u8> in, const std::string& what, u64 limit) {
    ZSTD_DStream* const stream = ZSTD_createDStream();
    if (!stream) return Error{what + ": no memory to unpack it"};
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    Bytes out;
    std::size_t used = 0;
    std::size_t status = 1;
    bool full = false;
    bool stuck = false;
    while (status != 0 && !ZSTD_isError(status) && !stuck) {
        if (used == out.size() && !grow(out, limit)) {
            full = true;
            break;
        }
        ZSTD_outBuffer output{out.data(), out.size(), used};
        status = ZSTD_decompressStream(stream, &output, &input);
        stuck = status != 0 && output.pos == used && input.pos == input.size;
        used = output.pos;
    }
    ZSTD_freeDStream(stream);
    if (full) return too_large(what, limit);
    if (status != 0) return broken(what, "zstd");
    out.resize(used);
    return out;
}

bool starts_with(std::span<const u8> bytes, std::initializer_list<u8> magic) {
    return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin());
}

}  // namespace

Expected<Bytes> unpack(std::span<const u8> packed, const std::string& what, u64 limit) {
    constexpr std::size_t packed_max = std::size_t{1} << 30;  // the libraries count in 32 bits
    if (packed.size() > packed_max) return too_large(what, packed_max);
    if (starts_with(packed, {0x1f, 0x8b})) return unpack_gzip(packed, what, limit);
    if (starts_with(packed, {'B', 'Z', 'h'})) return unpack_bzip2(packed, what, limit);
    if (starts_with(packed, {0xfd, '7', 'z', 'X', 'Z', 0})) return unpack_lzma(packed, what, limit, true);
    if (starts_with(packed, {0x5d, 0, 0})) return unpack_lzma(packed, what, limit, false);
    if (starts_with(packed, {0x02, 0x21, 0x4c, 0x18})) return unpack_lz4(packed, what, limit);
    if (starts_with(packed, {0x28, 0xb5, 0x2f, 0xfd})) return unpack_zstd(packed, what, limit);
    return Error{what + ": packed by an unknown method; expected gzip, bzip2, lzma, xz, lz4 or zstd"};
}

}  // namespace ramet
