// A family of related memories beside plain arrays that say what each must contain: the model that random tests compare with.
// A memory here has a hole, and pages hold numbers instead of 4096 free bytes: each write stores a u64 somewhere in a page.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/prng.h"
#include "cow/memory.h"

namespace ramet {

inline const std::vector<RamRange>& family_ranges() {
    static const std::vector<RamRange> ranges = {{Frame{0}, 40}, {Frame{250}, 10}, {Frame{4095}, 2}};
    return ranges;
}

/// The n-th frame of family_ranges().
inline Frame family_frame(u64 n) {
    for (const RamRange& range : family_ranges()) {
        if (n < range.count) return range.first + n;
        n -= range.count;
    }
    return Frame{};
}
inline constexpr u64 family_frame_count = 52;
inline constexpr u64 words_per_page = page_size / 8;

/// What a memory contains, word by word; words that are not named are zero.
using Content = std::map<u64, u64>;

/// A memory with its model. Every action returns false when the memory is not what the model says.
struct Member {
    Memory memory;
    Content content;

    bool write(u64 word, u64 value) {
        WriteGrant const grant = memory.write(family_frame(word / words_per_page));
        if (grant.bytes == nullptr) return false;
        store_le(grant.bytes + word % words_per_page * 8, value);
        if (value == 0)
            content.erase(word);
        else
            content[word] = value;
        return true;
    }

    bool read(u64 word) {
        const u8* const bytes = memory.read(family_frame(word / words_per_page));
        auto const expected = content.find(word);
        return bytes != nullptr && load_le<u64>(bytes + word % words_per_page * 8) == (expected == content.end() ? 0 : expected->second);
    }

    /// Every byte of the memory.
    bool matches() {
        for (u64 n = 0; n < family_frame_count; ++n) {
            std::array<u8, page_size> expected = {};
            for (auto at = content.lower_bound(n * words_per_page); at != content.end() && at->first < (n + 1) * words_per_page; ++at)
                store_le(expected.data() + at->first % words_per_page * 8, at->second);
            const u8* const bytes = memory.read(family_frame(n));
            if (bytes == nullptr || !std::equal(expected.begin(), expected.end(), bytes)) return false;
        }
        return true;
    }

    /// The digest of a memory that was made from the content alone, in a pool of its own.
    Digest expected_digest() const {
        Member fresh{Memory{std::make_shared<PagePool>(), family_ranges()}, {}};
        for (const auto& [word, value] : content) fresh.write(word, value);
        return fresh.memory.digest();
    }

    Member fork() { return {memory.fork(), content}; }
};

/// Random words, half of them in few pages, so that relatives meet.
inline u64 random_word(Prng& prng) {
    u64 const page = prng.below(2) == 0 ? prng.below(3) : prng.below(family_frame_count);
    return page * words_per_page + prng.below(4);
}

}  // namespace ramet
