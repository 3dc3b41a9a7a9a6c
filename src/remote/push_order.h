// PushOrder: which pages to send unasked, and in what order: first a list that somebody gave (what an earlier child touched), then the
// neighbourhood of recent faults, the latest first and twice as far each time a fault falls into it, then all the rest, ascending.
// Tests: tests/remote/push_order_test.cpp.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "cow/memory.h"

namespace ramet {

class PushOrder {
public:
    explicit PushOrder(std::vector<Frame> first) : first_(std::move(first)) {}

    /// The child had to ask for this frame.
    void fault(Frame frame);
    /// The next frame for which `wanted` holds, among those of `memory` that have a page. Nothing: there is none from here on.
    std::optional<Frame> next(const Memory& memory, const std::function<bool(Frame)>& wanted);
    /// Something may have appeared below.
    void start_over() { sweep_ = {}; ahead_.clear(); ahead_at_ = 0; }
    /// The given list is through.
    bool listed_done() const { return listed_ == first_.size(); }

private:
    static constexpr u64 window_min = 8;     // pages after a first fault: 32 KiB, as a disk's read-ahead starts
    static constexpr u64 window_max = 256;   // 1 MiB
    static constexpr std::size_t windows_max = 8;
    struct Window {
        Frame next;
        Frame end;
        u64 size = window_min;
    };

    std::vector<Frame> first_;
    std::size_t listed_ = 0;
    std::deque<Window> windows_;  // the latest first
    Frame sweep_;
    std::vector<Frame> ahead_;    // frames with a page from the sweep on
    std::size_t ahead_at_ = 0;
};

}  // namespace ramet
