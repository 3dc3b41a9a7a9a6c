// Little-endian records, written and read back in the same order: the body of logs, snapshots and wire frames.
//
// ByteReader is for untrusted bytes: it never reads beyond them, and after the first failure everything reads as zero or empty, so a parser
// checks ok() once per record. Lengths are checked before anything of that size is made.
// A varint has 7 bits per byte, low bits first, the top bit set on all bytes but the last; the shortest form is the only one.
// Tests: tests/base/byte_stream_test.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/types.h"

namespace ramet {

class ByteWriter {
public:
    template <std::integral T>
    void put(T value) {
        std::size_t const at = bytes_.size();
        bytes_.resize(at + sizeof(T));
        store_le(bytes_.data() + at, value);
    }
    void varint(u64 value) {
        for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<u8>(value | 0x80));
        bytes_.push_back(static_cast<u8>(value));
    }
    void raw(std::span<const u8> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
    void digest(const Digest& digest) {
        put(digest.lo);
        put(digest.hi);
    }
    /// Length and bytes.
    void block(std::span<const u8> bytes) {
        varint(bytes.size());
        raw(bytes);
    }
    void text(std::string_view text) {
        varint(text.size());
        bytes_.insert(bytes_.end(), text.begin(), text.end());
    }

    std::size_t size() const { return bytes_.size(); }
    const std::vector<u8>& bytes() const { return bytes_; }
    std::vector<u8> finish() { return std::exchange(bytes_, {}); }

private:
    std::vector<u8> bytes_;
};

class ByteReader {
public:
    explicit ByteReader(std::span<const u8> bytes) : bytes_(bytes) {}

    template <std::integral T>
    T get() {
        std::span<const u8> const from = raw(sizeof(T));
        return ok_ ? load_le<T>(from.data()) : T{};
    }
    u64 varint() {
        u64 value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            u8 const byte = get<u8>();
            u64 const bits = byte & 0x7f;
            if (shift == 63 && bits > 1) break;
            value |= bits << shift;
            if (byte & 0x80) continue;
            if (byte == 0 && shift > 0) break;
            return ok_ ? value : 0;
        }
        ok_ = false;
        return 0;
    }
    /// A view of the next `size` bytes.
    std::span<const u8> raw(u64 size) {
        if (!ok_ || size > left()) {
            ok_ = false;
            return {};
        }
        std::span<const u8> const found = bytes_.subspan(at_, static_cast<std::size_t>(size));
        at_ += found.size();
        return found;
    }
    Digest digest() {
        u64 const lo = get<u64>();
        return {lo, get<u64>()};
    }
    /// Length and bytes; a length over `limit` is a failure.
    std::span<const u8> block(u64 limit) {
        u64 const size = varint();
        if (size > limit) ok_ = false;
        return raw(size);
    }
    std::string text(u64 limit) {
        std::span<const u8> const found = block(limit);
        return {found.begin(), found.end()};
    }

    bool ok() const { return ok_; }
    /// Everything was read, and nothing failed.
    bool done() const { return ok_ && left() == 0; }
    std::size_t at() const { return at_; }
    std::size_t left() const { return bytes_.size() - at_; }

private:
    std::span<const u8> bytes_;
    std::size_t at_ = 0;
    bool ok_ = true;
};

}  // namespace ramet
