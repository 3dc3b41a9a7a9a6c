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

Expected<Done> ConsoleBuffer::type(const std::string& bytes) {
    std::lock_guard const lock(mutex_);
    if (elsewhere_) return Error{"is elsewhere; type there"};
    if (typed_.size() + bytes.size() > typed_bytes_max) return Error{"does not read its input, and at most 64 KiB may wait"};
    typed_.insert(typed_.end(), bytes.begin(), bytes.end());
    return Done{};
}

std::vector<u8> ConsoleBuffer::typed() const {
    std::lock_guard const lock(mutex_);
    return typed_;
}

void ConsoleBuffer::drop(std::size_t bytes) {
    std::lock_guard const lock(mutex_);
    typed_.erase(typed_.begin(), typed_.begin() + static_cast<std::ptrdiff_t>(std::min(bytes, typed_.size())));
}

std::vector<u8> ConsoleBuffer::leave() {
    std::lock_guard const lock(mutex_);
    elsewhere_ = true;
    return std::exchange(typed_, {});
}

void ConsoleBuffer::arrive(std::vector<u8> typed) {
    std::lock_guard const lock(mutex_);
    elsewhere_ = false;
    typed_ = std::move(typed);
}

}  // namespace ramet
