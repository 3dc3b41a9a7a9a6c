#include "remote/push_order.h"

#include <algorithm>

namespace ramet {

void PushOrder::fault(Frame frame) {
    u64 size = window_min;
    for (auto window = windows_.begin(); window != windows_.end(); ++window) {
        Frame const begin = window->end - std::min(window->end.value, 2 * window->size);
        if (frame < begin || window->end + window->size < frame) continue;
        size = std::min(window_max, 2 * window->size);
        windows_.erase(window);
        break;
    }
    windows_.push_front({frame + 1, frame + 1 + size, size});
    if (windows_.size() > windows_max) windows_.pop_back();
}

std::optional<Frame> PushOrder::next(const Memory& memory, const std::function<bool(Frame)>& wanted) {
    while (listed_ < first_.size()) {
        Frame const frame = first_[listed_++];
        if (wanted(frame)) return frame;
    }
    for (Window& window : windows_)
        while (window.next < window.end) {
            Frame const frame = window.next;
            window.next += 1;
            if (wanted(frame)) return frame;
        }
    for (;;) {
        for (; ahead_at_ < ahead_.size(); ++ahead_at_)
            if (wanted(ahead_[ahead_at_])) return ahead_[ahead_at_++];
        constexpr std::size_t look_ahead = 512;
        ahead_ = memory.stored_frames(sweep_, look_ahead);
        ahead_at_ = 0;
        if (ahead_.empty()) return std::nullopt;
        sweep_ = ahead_.back() + 1;
    }
}

}  // namespace ramet
