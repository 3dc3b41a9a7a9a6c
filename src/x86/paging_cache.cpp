#include "x86/paging_cache.h"

namespace ramet {

PagingCache::Watch* PagingCache::watched(Frame frame) {
    for (std::size_t i = 0, at = hash(frame); i < probe_max; ++i, ++at) {
        Watch& w = watch_[at & (watch_count - 1)];
        if (w.frame == frame.value) return &w;
        if (w.frame == ~u64{0}) return nullptr;
    }
    return nullptr;
}

bool PagingCache::watch(Frame frame, u8 level, u64 linear_base, bool& full) {
    full = false;
    for (std::size_t i = 0, at = hash(frame); i < probe_max; ++i, ++at) {
        Watch& w = watch_[at & (watch_count - 1)];
        if (w.frame == frame.value) {
            if (w.level != level || w.linear_base != linear_base) w.ambiguous = true;
            return false;
        }
        if (w.frame == ~u64{0}) {
            w = {frame.value, linear_base, level, false};
            return true;
        }
    }
    full = true;
    return false;
}

void PagingCache::forget_directory() { directory_.fill({}); }
void PagingCache::forget_fetch(bool keep_upper) {
    for (Fetch& f : fetch_)
        if (!keep_upper || !is_upper(f.page)) f = {};
    code_pages_[0].reset();
    if (!keep_upper) code_pages_[1].reset();
}
void PagingCache::forget_watches() { watch_.fill({}); }

}  // namespace ramet
