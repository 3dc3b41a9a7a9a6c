// What goes wrong with files and messages: bits turn over, lengths lie, ends are missing, pieces come twice.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "base/bytes.h"
#include "base/prng.h"

namespace ramet::fuzz {

/// A number that code is likely to get wrong, over up to eight bytes.
inline void lie(Prng& random, std::vector<u8>& bytes) {
    constexpr std::array<u64, 12> numbers = {0, 1, 2, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff, u64{1} << 63, (u64{1} << 63) - 1, ~u64{0}};
    std::array<u8, 8> spelled;
    store_le(spelled.data(), numbers[random.below(numbers.size())]);
    std::size_t const at = random.below(bytes.size());
    std::copy_n(spelled.begin(), std::min<std::size_t>(std::size_t{1} << random.below(4), bytes.size() - at), bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

/// One to four mishaps.
inline std::vector<u8> mutated(Prng& random, std::vector<u8> bytes) {
    for (u64 left = 1 + random.below(4); left > 0 && !bytes.empty(); --left) {
        std::size_t const at = random.below(bytes.size());
        auto const here = bytes.begin() + static_cast<std::ptrdiff_t>(at);
        auto const there = here + static_cast<std::ptrdiff_t>(random.below(std::min<std::size_t>(64, bytes.size() - at) + 1));
        switch (random.below(6)) {
        case 0: bytes[at] ^= static_cast<u8>(1U << random.below(8)); break;
        case 1: bytes[at] = static_cast<u8>(random.next() >> 56); break;
        case 2: lie(random, bytes); break;
        case 3: bytes.resize(at); break;
        case 4: bytes.erase(here, there); break;
        default: {
            std::vector<u8> const piece(here, there);
            bytes.insert(here, piece.begin(), piece.end());
        }
        }
    }
    return bytes;
}

}  // namespace ramet::fuzz
