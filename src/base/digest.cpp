#include "base/digest.h"

#define XXH_INLINE_ALL  // one hash body for every build of ours, whatever version of the shared library is installed
#include <xxhash.h>

#include <memory>
#include <new>

#include "base/bytes.h"
#include "base/hex.h"

namespace ramet {

namespace {

Digest from_xxh(XXH128_hash_t hash) { return {hash.low64, hash.high64}; }

XXH3_state_t* state_in(u8* bytes) { return std::launder(reinterpret_cast<XXH3_state_t*>(bytes)); }
const XXH3_state_t* state_in(const u8* bytes) { return std::launder(reinterpret_cast<const XXH3_state_t*>(bytes)); }

}  // namespace

std::string Digest::hex() const { return hex_of(hi, 16) + hex_of(lo, 16); }

Digest digest_of(std::span<const u8> bytes) { return from_xxh(XXH3_128bits(bytes.data(), bytes.size())); }

DigestStream::DigestStream() {
    static_assert(sizeof(XXH3_state_t) <= state_size);
    static_assert(alignof(XXH3_state_t) <= 64);
    auto* const state = new (state_.data()) XXH3_state_t;
    XXH3_INITSTATE(state);
    XXH3_128bits_reset(state);
}

void DigestStream::add(std::span<const u8> bytes) {
    if (!bytes.empty()) XXH3_128bits_update(state_in(state_.data()), bytes.data(), bytes.size());
}

void DigestStream::add(u64 value) {
    std::array<u8, 8> bytes;
    store_le(bytes.data(), value);
    add(bytes);
}

void DigestStream::add(const Digest& digest) {
    add(digest.lo);
    add(digest.hi);
}

Digest DigestStream::finish() const { return from_xxh(XXH3_128bits_digest(state_in(state_.data()))); }

}  // namespace ramet
