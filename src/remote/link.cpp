#include "remote/link.h"

#include <poll.h>

#include <array>

namespace ramet {

void Link::send(u32 kind, std::span<const std::span<const u8>> parts) {
    if (out_begin_ == out_.size()) {
        out_.clear();
        out_begin_ = 0;
    }
    writer_.put(out_, kind, parts, packing_);
}

Expected<Done> Link::flush() {
    while (unsent() != 0) {
        std::size_t const put = TRY(bytes_->write(std::span{out_}.subspan(out_begin_)));
        if (put == 0) break;
        out_begin_ += put;
        sent_ += put;
    }
    if (out_begin_ > out_.size() / 2) {
        out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(out_begin_));
        out_begin_ = 0;
    }
    return bytes_->push();
}

Expected<std::optional<WireFrame>> Link::receive() {
    for (;;) {
        auto frame = TRY(reader_.next());
        if (frame) return frame;
        std::size_t const got = TRY(bytes_->read(reader_.room()));
        if (got == 0) return std::optional<WireFrame>{};
        reader_.took(got);
        received_ += got;
    }
}

void Link::wait(u64 limit_ns, Wakeup* wakeup) {
    if (bytes_->holds_bytes()) return;
    std::array<pollfd, 3> fds = {{{.fd = read_fd(), .events = POLLIN, .revents = 0},
                                  {.fd = unsent() != 0 || bytes_->holds_unsent() ? write_fd() : -1, .events = POLLOUT, .revents = 0},
                                  {.fd = wakeup != nullptr ? wakeup->fd() : -1, .events = POLLIN, .revents = 0}}};
    constexpr u64 second = 1'000'000'000;
    timespec const limit{.tv_sec = static_cast<time_t>(limit_ns / second), .tv_nsec = static_cast<long>(limit_ns % second)};
    if (ppoll(fds.data(), fds.size(), &limit, nullptr) > 0 && fds[2].revents != 0) wakeup->clear();
}

}  // namespace ramet
