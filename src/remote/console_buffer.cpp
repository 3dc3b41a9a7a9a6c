#include "remote/console_buffer.h"

#include <algorithm>
#include <utility>
#include <chrono>

namespace ramet {

void ConsoleBuffer::publish(const std::string& bytes) {
    if (bytes.empty()) return;
    std::lock_guard const lock(mutex_);
    kept_ += bytes;
    if (kept_.size() > kept_bytes) {
        std::size_t const surplus = kept_.size() - kept_bytes;
        kept_.erase(0, surplus);
        from_ += surplus;
    }
    changed_.notify_all();
}

void ConsoleBuffer::end() {
    std::lock_guard const lock(mutex_);
    ended_ = true;
    changed_.notify_all();
}

ConsoleBuffer::Piece ConsoleBuffer::read(u64 from, u64 wait_ns) const {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::nanoseconds{wait_ns}, [&] { return ended_ || from_ + kept_.size() > from; });
    u64 const start = std::clamp(from, from_, from_ + kept_.size());
    return {start, kept_.substr(static_cast<std::size_t>(start - from_)), ended_};
}

bool ConsoleBuffer::type(const std::string& bytes) {
    std::lock_guard const lock(mutex_);
    if (typed_.size() + bytes.size() > typed_bytes_max) return false;
    typed_.insert(typed_.end(), bytes.begin(), bytes.end());
    return true;
}

std::vector<u8> ConsoleBuffer::take_typed() {
    std::lock_guard const lock(mutex_);
    return std::exchange(typed_, {});
}

void ConsoleBuffer::put_back(std::span<const u8> bytes) {
    std::lock_guard const lock(mutex_);
    typed_.insert(typed_.begin(), bytes.begin(), bytes.end());
}

}  // namespace ramet
