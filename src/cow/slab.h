// Slab: numbered slots in chunks that never move, handed out by index. Reading a slot takes two loads and no lock; taking and giving back
// is for batches (Batch below), because it takes the lock.
//
// Chunk has `static constexpr unsigned bits` (2^bits slots each) and `static std::unique_ptr<Chunk> create()`, which returns nullptr when
// the host has no memory left. Index 0 is never handed out: users give it a meaning of their own.
// Not modelled: giving chunks back before the slab ends. Freed slots are taken again, last in first out, because they are warm.
// Tests: tests/cow/slab_test.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/check.h"
#include "base/types.h"

namespace ramet {

template <class Chunk, unsigned directory_bits>
class Slab {
public:
    static constexpr u32 chunk_size = u32{1} << Chunk::bits;
    static constexpr u64 index_count_max = u64{1} << (Chunk::bits + directory_bits);

    /// At most `limit` slots are out at a time.
    explicit Slab(u64 limit) : limit_(std::min(limit, index_count_max - 1)) {}

    ~Slab() {
        for (u64 i = 0; i < mapped_; i += chunk_size) delete (*block(i))[slot_in_block(i)].load(std::memory_order_relaxed);
        for (auto& entry : directory_) delete entry.load(std::memory_order_relaxed);
    }
    Slab(const Slab&) = delete;
    Slab& operator=(const Slab&) = delete;

    Chunk& chunk(u32 index) const { return *(*block(index))[slot_in_block(index)].load(std::memory_order_acquire); }
    static constexpr u32 slot(u32 index) { return index & (chunk_size - 1); }

    /// Fills `to` from the front with free indices; how many there were.
    std::size_t take(std::span<u32> to) {
        std::lock_guard const lock(mutex_);
        std::size_t n = 0;
        while (n < to.size() && taken_ < limit_) {
            if (!free_.empty()) {
                to[n] = free_.back();
                free_.pop_back();
            } else if (fresh_ < mapped_ || grow()) {
                to[n] = static_cast<u32>(fresh_++);
            } else {
                break;
            }
            ++n;
            ++taken_;
        }
        return n;
    }

    void give(std::span<const u32> indices) {
        std::lock_guard const lock(mutex_);
        CHECK(indices.size() <= taken_, "no slot is given back twice");
        free_.insert(free_.end(), indices.begin(), indices.end());
        taken_ -= indices.size();
    }

    u64 taken() const {
        std::lock_guard const lock(mutex_);
        return taken_;
    }

private:
    static constexpr unsigned block_bits = directory_bits / 2;
    using Block = std::array<std::atomic<Chunk*>, std::size_t{1} << block_bits>;

    Block* block(u64 index) const { return directory_[index >> (Chunk::bits + block_bits)].load(std::memory_order_acquire); }
    static constexpr std::size_t slot_in_block(u64 index) { return index >> Chunk::bits & ((std::size_t{1} << block_bits) - 1); }

    bool grow() {
        if (mapped_ == index_count_max) return false;
        auto& entry = directory_[mapped_ >> (Chunk::bits + block_bits)];
        if (entry.load(std::memory_order_relaxed) == nullptr) entry.store(new Block{}, std::memory_order_release);
        std::unique_ptr<Chunk> made = Chunk::create();
        if (made == nullptr) return false;
        (*block(mapped_))[slot_in_block(mapped_)].store(made.release(), std::memory_order_release);
        mapped_ += chunk_size;
        fresh_ = std::max<u64>(fresh_, 1);
        return true;
    }

    mutable std::mutex mutex_;
    std::vector<u32> free_;
    u64 taken_ = 0;
    u64 limit_;
    u64 fresh_ = 0;   // indices from here on were never handed out
    u64 mapped_ = 0;  // indices below have a chunk
    std::array<std::atomic<Block*>, std::size_t{1} << (directory_bits - block_bits)> directory_ = {};
};

/// One machine's handful of free slots of a slab, so that the lock is taken once per batch. Not thread safe.
template <class S, std::size_t size>
class Batch {
public:
    explicit Batch(S& slab) : slab_(&slab) {}
    ~Batch() { flush(); }
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;

    /// 0 when there is no slot left.
    u32 take() {
        if (count_ == 0) count_ = static_cast<u32>(slab_->take(std::span{items_}.first(size / 2)));
        return count_ == 0 ? 0 : items_[--count_];
    }

    void give(u32 index) {
        if (count_ == size) {  // the older half goes back, the warm half stays
            slab_->give(std::span<const u32>{items_}.first(size / 2));
            std::copy(items_.begin() + size / 2, items_.end(), items_.begin());
            count_ = size / 2;
        }
        items_[count_++] = index;
    }

    void flush() {
        if (count_ != 0) slab_->give(std::span<const u32>{items_}.first(count_));
        count_ = 0;
    }

private:
    S* slab_;
    u32 count_ = 0;
    std::array<u32, size> items_;  // [0, count_)
};

}  // namespace ramet
