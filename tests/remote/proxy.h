// A bad link: passes bytes between whoever connects and a Unix socket, until told to cut, to stall, to corrupt a byte or to go slowly.
#pragma once

#include <poll.h>

#include "remote/address.h"

namespace ramet {

class Proxy {
public:
    Proxy(const Address& from, Address to) : to_(std::move(to)), listener_(must(Listener::open(from))), thread_([this] { run(); }) {}
    ~Proxy() {
        stop_ = true;
        thread_.join();
    }
    void cut() { cut_ = true; }
    void set_stalled(bool stalled) { stalled_ = stalled; }
    /// One byte, when so many have passed.
    void corrupt_after(u64 bytes) { corrupt_after_ = bytes; }
    void set_one_by_one(bool on) { one_by_one_ = on; }
    /// Of what comes back only the first so many bytes are passed on, until a cut.
    void mute_after(u64 bytes) { back_room_ = bytes; }
    unsigned links() const { return links_; }

private:
    struct Pipe {
        std::unique_ptr<ByteLink> a, b;
        std::vector<u8> to_a, to_b;
    };

    bool move(ByteLink& from, ByteLink& to, std::vector<u8>& held, std::atomic<u64>& room) {
        std::array<u8, 65536> bytes;
        if (held.empty() && room != 0) {
            auto const got = from.read(std::span{bytes}.first(std::min<u64>(bytes.size(), room)));
            if (!got) return false;
            if (room != ~u64{0}) room -= *got;
            held.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(*got));
            passed_ += *got;
            if (*got != 0 && passed_ > corrupt_after_) {
                held[*got / 2] ^= 0x10;
                corrupt_after_ = ~u64{0};
            }
        }
        for (int i = 0; !held.empty() && i < 20'000; ++i) {
            auto const put = to.write(std::span{held}.first(one_by_one_ ? 1 : held.size()));
            if (!put) return false;
            if (*put == 0) break;
            held.erase(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(*put));
        }
        return true;
    }
    void run() {
        std::vector<Pipe> pipes;
        while (!stop_) {
            if (auto link = must(listener_.accept())) {
                auto other = connect_to(to_);
                if (other) pipes.push_back({std::move(link), *std::move(other), {}, {}});
                ++links_;
            }
            if (cut_.exchange(false)) {
                pipes.clear();
                back_room_ = ~u64{0};
            }
            if (!stalled_) std::erase_if(pipes, [this](Pipe& pipe) { return !move(*pipe.a, *pipe.b, pipe.to_b, forth_room_) || !move(*pipe.b, *pipe.a, pipe.to_a, back_room_); });
            std::vector<pollfd> fds = {{.fd = listener_.fd(), .events = POLLIN, .revents = 0}};
            for (Pipe const& pipe : pipes)
                for (int const fd : {pipe.a->read_fd(), pipe.b->read_fd()}) fds.push_back({.fd = stalled_ ? -1 : fd, .events = POLLIN, .revents = 0});
            poll(fds.data(), fds.size(), 2);
        }
    }

    Address to_;
    Listener listener_;
    std::atomic<bool> stop_ = false, cut_ = false, stalled_ = false, one_by_one_ = false;
    std::atomic<unsigned> links_ = 0;
    std::atomic<u64> corrupt_after_ = ~u64{0}, forth_room_ = ~u64{0}, back_room_ = ~u64{0};
    u64 passed_ = 0;
    std::thread thread_;
};

}  // namespace ramet
