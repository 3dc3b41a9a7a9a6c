#include "machine/boot/unpack.h"

#include <gtest/gtest.h>
#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "images.h"

namespace ramet {
namespace {

Bytes sample() {
    Bytes bytes;
    for (u32 i = 0; i < 300'000; ++i) bytes.push_back(static_cast<u8>(i % 251 ^ i >> 9));
    return bytes;
}

Bytes gzip(const Bytes& in) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
    Bytes out(deflateBound(&stream, in.size()) + 100);
    Bytes copy = in;
    stream.next_in = copy.data();
    stream.avail_in = static_cast<uInt>(copy.size());
    stream.next_out = out.data();
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

Bytes xz(const Bytes& in) {
    Bytes out(lzma_stream_buffer_bound(in.size()));
    std::size_t size = 0;
    EXPECT_EQ(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, nullptr, in.data(), in.size(), out.data(), &size, out.size()), LZMA_OK);
    out.resize(size);
    return out;
}

Bytes lz4(const Bytes& in) {
    Bytes out = {0x02, 0x21, 0x4c, 0x18, 0, 0, 0, 0};
    Bytes block(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(in.size()))));
    int const size = LZ4_compress_default(reinterpret_cast<const char*>(in.data()), reinterpret_cast<char*>(block.data()), static_cast<int>(in.size()),
                                          static_cast<int>(block.size()));
    put<u32>(out, 4, static_cast<u32>(size));
    out.insert(out.end(), block.begin(), block.begin() + size);
    put<u32>(out, out.size(), static_cast<u32>(in.size()));  // Linux appends the size
    return out;
}

Bytes zstd(const Bytes& in) {
    Bytes out(ZSTD_compressBound(in.size()));
    out.resize(ZSTD_compress(out.data(), out.size(), in.data(), in.size(), 3));
    return out;
}

using Packer = Bytes (*)(const Bytes&);
class Unpacking : public testing::TestWithParam<Packer> {};
INSTANTIATE_TEST_SUITE_P(EveryMethod, Unpacking, testing::Values(gzip, xz, lz4, zstd));

TEST_P(Unpacking, GivesBackWhatWasPacked) {
    auto const out = unpack(GetParam()(sample()), "k");
    ASSERT_TRUE(out) << out.error().text;
    EXPECT_EQ(*out, sample());
}

TEST_P(Unpacking, StopsAtTheLimit) { EXPECT_FALSE(unpack(GetParam()(sample()), "k", sample().size() - 1)); }

TEST_P(Unpacking, NoticesTruncation) {
    Bytes const packed = GetParam()(sample());
    for (std::size_t const size : {std::size_t{5}, std::size_t{20}, packed.size() / 2, packed.size() - 20})
        EXPECT_FALSE(unpack({packed.data(), size}, "k")) << size;
}

TEST_P(Unpacking, SurvivesDamage) {
    Bytes const packed = GetParam()(sample());
    for (std::size_t at = 4; at < packed.size(); at += packed.size() / 40 + 1) {
        Bytes damaged = packed;
        damaged[at] ^= 0x55;
        static_cast<void>(unpack(damaged, "k", 1 << 20));
    }
}

TEST(Unpack, NamesWhatItKnows) {
    EXPECT_EQ(unpack(Bytes{1, 2, 3}, "k").error().text, "k: packed by an unknown method; expected gzip, bzip2, lzma, xz, lz4 or zstd");
    EXPECT_FALSE(unpack({}, "k"));
}

}  // namespace
}  // namespace ramet
