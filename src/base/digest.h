// Digest: 128 bits that name content (XXH3-128). Equal content gives equal digests on every host; it is no defence against somebody
// who constructs collisions. The library's types stay in digest.cpp.
// Tests: tests/base/digest_test.cpp.
#pragma once

#include <array>
#include <compare>
#include <span>
#include <string>

#include "base/types.h"

namespace ramet {

struct Digest {
    u64 lo = 0;
    u64 hi = 0;

    friend constexpr auto operator<=>(const Digest&, const Digest&) = default;
    static constexpr void fields(auto& self, auto& visit) {
        visit("lo", self.lo);
        visit("hi", self.hi);
    }

    /// 32 digits, most significant first.
    std::string hex() const;
};

Digest digest_of(std::span<const u8> bytes);

/// The same digest as digest_of() over the concatenation of all that was added.
class DigestStream {
public:
    DigestStream();
    void add(std::span<const u8> bytes);
    void add(u64 value);  ///< as 8 bytes, little-endian
    void add(const Digest& digest);
    Digest finish() const;  ///< of what was added so far

private:
    static constexpr std::size_t state_size = 576;  // of the hash library's state; checked in digest.cpp
    alignas(64) std::array<u8, state_size> state_;
};

}  // namespace ramet
