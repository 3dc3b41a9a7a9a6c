// A digest that is remembered beside immutable content. Several threads may compute and store it at once: they store the same
// value. Whoever owns the content exclusively forgets it before a change.
#pragma once

#include <atomic>

#include "base/digest.h"

namespace ramet {

class CachedDigest {
public:
    bool known() const { return known_.load(std::memory_order_acquire); }
    Digest get() const { return {lo_.load(std::memory_order_relaxed), hi_.load(std::memory_order_relaxed)}; }
    void set(const Digest& digest) {
        lo_.store(digest.lo, std::memory_order_relaxed);
        hi_.store(digest.hi, std::memory_order_relaxed);
        known_.store(true, std::memory_order_release);
    }
    void forget() { known_.store(false, std::memory_order_relaxed); }

private:
    std::atomic<u64> lo_ = 0;
    std::atomic<u64> hi_ = 0;
    std::atomic<bool> known_ = false;
};

}  // namespace ramet
