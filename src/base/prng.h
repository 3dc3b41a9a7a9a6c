// Seeded generators, integers only: xoshiro256** (Blackman and Vigna), seeded through splitmix64 as its authors advise.
// A Prng is plain state: copying it repeats it. Not for cryptography.
// Tests: tests/base/prng_test.cpp.
#pragma once

#include <array>
#include <bit>

#include "base/fields.h"
#include "base/types.h"

namespace ramet {

/// One step of splitmix64: advances `state` and returns a well mixed value. Every state, zero included, is good.
constexpr u64 splitmix64(u64& state) {
    state += 0x9e3779b97f4a7c15;
    u64 z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

struct Prng {
    std::array<u64, 4> s = {0x180ec6d33cfd0aba, 0xd5a61266f0c9392c, 0xa9582618e03fc9aa, 0x39abdc4529b1661c};

    static constexpr void fields(auto& self, auto& visit) { visit("s", self.s); }

    static constexpr Prng seeded(u64 seed) {
        Prng made;
        for (u64& word : made.s) word = splitmix64(seed);
        return made;
    }

    constexpr u64 next() {
        u64 const result = std::rotl(s[1] * 5, 7) * 9;
        u64 const t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = std::rotl(s[3], 45);
        return result;
    }

    /// A value in [0, n); n must not be 0. By wide multiplication: bias below 2^-32 for n up to 2^32.
    constexpr u64 below(u64 n) { return static_cast<u64>((u128{next()} * n) >> 64); }

    /// All-zero is the one state the generator never leaves; a reader of untrusted state refuses it.
    constexpr bool valid() const { return (s[0] | s[1] | s[2] | s[3]) != 0; }
};

static_assert(fields_complete<Prng>);

}  // namespace ramet
