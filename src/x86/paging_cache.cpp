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
void PagingCache::forget_fetch() {
    fetch_.fill({});
    code_pages_.reset();
}
void PagingCache::forget_watches() { watch_.fill({}); }

}  // namespace ramet
