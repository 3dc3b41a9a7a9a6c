// Ring: a first-in first-out queue of fixed capacity, usable as a state member. Taken slots are cleared and an empty ring starts
// again at slot 0, so that old contents do not linger in digests.
// Tests: tests/base/ring_test.cpp.
#pragma once

#include <array>

#include "base/check.h"
#include "base/fields.h"
#include "base/types.h"

namespace ramet {

template <class T, u32 N>
struct Ring {
    static_assert(N > 0);
    std::array<T, N> items = {};
    u32 head = 0;   // slot of the oldest item
    u32 count = 0;  // items held

    static constexpr void fields(auto& self, auto& visit) {
        visit("items", self.items);
        visit("head", self.head);
        visit("count", self.count);
    }

    static constexpr u32 capacity() { return N; }
    constexpr u32 size() const { return count; }
    constexpr u32 room() const { return N - count; }
    constexpr bool empty() const { return count == 0; }
    constexpr bool full() const { return count == N; }

    /// False, and nothing stored, when full.
    constexpr bool push(const T& item) {
        if (full()) return false;
        items[(head + count) % N] = item;
        ++count;
        return true;
    }

    constexpr const T& front() const {
        CHECK(count > 0, "front of an empty ring");
        return items[head];
    }

    constexpr const T& at(u32 index) const {
        CHECK(index < count, "index within the ring");
        return items[(head + index) % N];
    }

    constexpr T pop() {
        CHECK(count > 0, "pop of an empty ring");
        T const item = items[head];
        items[head] = T{};
        --count;
        head = count == 0 ? 0 : (head + 1) % N;
        return item;
    }

    constexpr void clear() { *this = {}; }

    /// What a reader of untrusted state must check.
    constexpr bool valid() const { return head < N && count <= N; }
};

static_assert(fields_complete<Ring<u8, 4>>);

}  // namespace ramet
