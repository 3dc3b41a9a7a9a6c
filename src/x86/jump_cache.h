// JumpCache: block by linear RIP and mode, for indirect jumps, returns, and whatever leaves a page. A droppable cache.
#pragma once

#include <array>

#include "base/types.h"

namespace ramet {

struct Block;

class JumpCache {
public:
    struct Entry {
        u64 key = no_key;
        const Block* block = nullptr;
    };
    static constexpr u64 no_key = ~u64{0};
    static constexpr std::size_t entry_count = 1024;

    /// Mode bits go where canonical addresses have copies of bit 47, by addition: no two pairs collide.
    static u64 key(u64 rip, u64 mode_key) { return rip + mode_key; }
    Entry& at(u64 rip) { return entries_[(rip ^ rip >> 10) % entry_count]; }
    /// Forgets all, or all but the upper half of the addresses.
    void forget(bool keep_upper = false) {
        for (Entry& e : entries_)
            if (!keep_upper || !(e.key >> 47 & 1)) e = {};
    }

private:
    std::array<Entry, entry_count> entries_ = {};
};

}  // namespace ramet
