// ByteLink: a stream of bytes to another process, over whatever carries it. Reading and writing never block. Fd owns a file descriptor, Wakeup
// is one thread's way to end another one's poll().
// Tests: tests/remote/transport_test.cpp.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/result.h"
#include "base/types.h"

namespace ramet {

class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    ~Fd() { reset(); }
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) reset(std::exchange(other.fd_, -1));
        return *this;
    }

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    void reset(int fd = -1);

private:
    int fd_ = -1;
};

class ByteLink {
public:
    virtual ~ByteLink() = default;
    /// Bytes read; 0: none there now. An error when the stream has ended.
    virtual Expected<std::size_t> read(std::span<u8> to) = 0;
    /// Bytes taken; 0: no room now.
    virtual Expected<std::size_t> write(std::span<const u8> from) = 0;
    /// What to poll for reading and for writing.
    virtual int read_fd() const = 0;
    virtual int write_fd() const = 0;
    /// Bytes may be readable although read_fd() is not.
    virtual bool holds_bytes() const { return false; }
    /// Bytes that were taken and not yet written; push() writes what the peer takes of them.
    virtual bool holds_unsent() const { return false; }
    virtual Expected<Done> push() { return Done{}; }
};

/// Over file descriptors, which become non-blocking: a socket, or two pipes.
std::unique_ptr<ByteLink> make_byte_link(Fd socket);
std::unique_ptr<ByteLink> make_byte_link(Fd input, Fd output);
/// Two ends in one process.
Expected<std::pair<std::unique_ptr<ByteLink>, std::unique_ptr<ByteLink>>> make_byte_link_pair();

class Wakeup {
public:
    Wakeup();
    int fd() const { return fd_.get(); }
    void signal();
    /// Forgets signals so far.
    void clear();

private:
    Fd fd_;
};

}  // namespace ramet
