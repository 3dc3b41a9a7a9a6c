// PagingCache: what is remembered of page walks, so that caches stay invisible (determinism contract, rule 7).
//
// Every table frame that a walk used is watched: a write to it takes the slow path, and if it changes a present entry,
// what was derived from that entry is dropped. So every access behaves as if it walked. Three droppable parts:
//  - directory: the entry above the last level (or a large page), by linear address bits 63..21 and CR3;
//  - watch: frame → level and linear base of the table it was used as;
//  - fetch: linear page → frame for instruction fetch, and which linear pages decoded code was looked up in.
#pragma once

#include <array>
#include <bitset>

#include "base/types.h"
#include "x86/tlb.h"

namespace ramet {

class PagingCache {
public:
    struct Directory {
        u64 key = ~u64{0};  // linear >> 21
        u64 cr3 = 0;
        u64 entry = 0;      // table or page frame address, with P W U PS D and NX accumulated over the levels
    };
    struct Watch {
        u64 frame = ~u64{0};
        u64 linear_base = 0;
        u8 level = 0;           // 1: the entries map pages
        bool ambiguous = false; // used at several places: any change drops everything
    };
    struct Fetch {
        u64 page = ~u64{0};  // linear page address
        Context context = Context::system;
        Frame frame;
    };

    static constexpr std::size_t directory_count = 256, watch_count = 512, fetch_count = 64, code_page_bits = 4096;

    Directory& directory(u64 linear) { return directory_[linear >> 21 & (directory_count - 1)]; }
    Fetch& fetch(u64 linear) { return fetch_[linear >> page_shift & (fetch_count - 1)]; }

    /// The watch on a frame, or nullptr.
    Watch* watched(Frame frame);
    /// Watches a frame; true when it was not watched before (its write rights must be revoked). `full` is set when there is no
    /// room: the caller must flush everything and clear.
    bool watch(Frame frame, u8 level, u64 linear_base, bool& full);

    void mark_code(u64 linear) { code_pages_[is_upper(linear)].set(linear >> page_shift & (code_page_bits - 1)); }
    bool may_hold_code(u64 linear) const { return code_pages_[is_upper(linear)].test(linear >> page_shift & (code_page_bits - 1)); }

    void forget_directory();
    /// Forgets all, or all but the upper half of the addresses.
    void forget_fetch(bool keep_upper = false);
    void forget_watches();

private:
    static constexpr std::size_t probe_max = 8;
    std::size_t hash(Frame frame) const { return static_cast<std::size_t>(frame.value * 0x9e3779b97f4a7c15 >> 55); }

    std::array<Directory, directory_count> directory_ = {};
    std::array<Watch, watch_count> watch_ = {};
    std::array<Fetch, fetch_count> fetch_ = {};
    std::array<std::bitset<code_page_bits>, 2> code_pages_;  // of the lower half, of the upper half
};

}  // namespace ramet
