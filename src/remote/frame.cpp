#include "remote/frame.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/digest.h"
#include "cow/codec.h"

namespace ramet {

namespace {

constexpr std::size_t read_ahead = 256 << 10;
constexpr std::size_t buffer_bytes = 4 * read_ahead;  // so that few unfinished frames have to move to its beginning
constexpr std::size_t pack_from = 512;  // shorter messages are not worth it
constexpr u64 pause_after_failure = 16;

u32 header_check(const u8* header, u64 number) {
    std::array<u8, 20> bytes;
    std::memcpy(bytes.data(), header, 12);
    store_le(bytes.data() + 12, number);
    return static_cast<u32>(digest_of(bytes).lo);
}

Error damaged(u64 number, const char* what) { return Error{"the peer's frame " + std::to_string(number) + " " + what + "; the link is not to be trusted any more"}; }

}  // namespace

void FrameWriter::put(std::vector<u8>& to, u32 kind, std::span<const std::span<const u8>> parts, Packing packing) {
    std::size_t const at = to.size();
    to.resize(at + WireFrame::header_bytes);
    std::size_t const from = to.size();
    for (std::span<const u8> const part : parts) to.insert(to.end(), part.begin(), part.end());
    std::size_t const size = to.size() - from;
    CHECK(size <= WireFrame::bytes_max, "a message fits a frame");
    if (packing == Packing::when_it_helps && size >= pack_from) pack(to, from);
    std::span<const u8> const stored = std::span{to}.subspan(from);
    u8* const header = to.data() + at;
    store_le(header, static_cast<u32>(stored.size()));
    store_le(header + 4, static_cast<u32>(size));
    store_le(header + 8, kind);
    store_le(header + 12, header_check(header, number_++));
    store_le(header + 16, digest_of(stored).lo);
}

/// Packs what the buffer holds from there on, if that helps.
void FrameWriter::pack(std::vector<u8>& buffer, std::size_t from) {
    if (hopeless_ != 0) {
        --hopeless_;
        return;
    }
    std::size_t const size = buffer.size() - from;
    std::vector<u8> const packed = compress(std::span{buffer}.subspan(from));
    if (packed.size() >= size - size / 8) {
        hopeless_ = pause_after_failure;
        return;
    }
    buffer.resize(from);
    buffer.insert(buffer.end(), packed.begin(), packed.end());
}

std::span<u8> FrameReader::room() {
    std::size_t const have = end_ - begin_;
    std::size_t needed = std::max(read_ahead, have + 1);
    if (have >= WireFrame::header_bytes) needed = std::max<std::size_t>(needed, WireFrame::header_bytes + load_le<u32>(buffer_.data() + begin_));  // checked by next()
    if (begin_ + needed > buffer_.size()) {
        if (have != 0) std::memmove(buffer_.data(), buffer_.data() + begin_, have);
        begin_ = 0;
        end_ = have;
        if (buffer_.size() < needed) buffer_.resize(std::max(needed, std::min(2 * buffer_.size(), buffer_bytes)));
    }
    return std::span{buffer_}.subspan(end_);
}

void FrameReader::took(std::size_t bytes) { end_ += bytes; }

Expected<std::optional<WireFrame>> FrameReader::next() {
    std::size_t const have = end_ - begin_;
    if (have < WireFrame::header_bytes) return std::optional<WireFrame>{};
    const u8* const header = buffer_.data() + begin_;
    u32 const stored = load_le<u32>(header), size = load_le<u32>(header + 4);
    if (load_le<u32>(header + 12) != header_check(header, number_)) return damaged(number_, "has a wrong header check");
    if (stored > WireFrame::bytes_max || size > WireFrame::bytes_max || stored > size) return damaged(number_, "is longer than a frame can be");
    if (have < WireFrame::header_bytes + stored) return std::optional<WireFrame>{};
    std::span<const u8> bytes{header + WireFrame::header_bytes, stored};
    if (load_le<u64>(header + 16) != digest_of(bytes).lo) return damaged(number_, "has a wrong check");
    u32 const kind = load_le<u32>(header + 8);
    begin_ += WireFrame::header_bytes + stored;
    if (stored != size) {
        unpacked_.resize(size);
        if (!decompress(bytes, unpacked_)) return damaged(number_, "does not unpack");
        bytes = unpacked_;
    }
    ++number_;
    return std::optional{WireFrame{kind, bytes}};
}

}  // namespace ramet
