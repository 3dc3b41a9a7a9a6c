#include "remote/byte_link.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ramet {

namespace {

constexpr int socket_buffer_bytes = 512 << 10;  // what a demanded page may have to wait behind; see PageServer's window

void set_nonblocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

Error link_error(const char* what) { return Error{std::string{"the link to the peer: "} + what + ": " + std::strerror(errno)}; }

class FdLink final : public ByteLink {
public:
    FdLink(Fd input, Fd output) : input_(std::move(input)), output_(std::move(output)) {
        set_nonblocking(read_fd());
        set_nonblocking(write_fd());
        is_socket_ = setsockopt(write_fd(), SOL_SOCKET, SO_SNDBUF, &socket_buffer_bytes, sizeof socket_buffer_bytes) == 0;
    }
    Expected<std::size_t> read(std::span<u8> to) override {
        ssize_t const got = ::read(read_fd(), to.data(), to.size());
        if (got > 0) return static_cast<std::size_t>(got);
        if (got == 0) return Error{"the link to the peer has ended"};
        if (errno == EAGAIN || errno == EINTR) return std::size_t{0};
        return link_error("reading");
    }
    Expected<std::size_t> write(std::span<const u8> from) override {
        ssize_t const put = is_socket_ ? send(write_fd(), from.data(), from.size(), MSG_NOSIGNAL) : ::write(write_fd(), from.data(), from.size());
        if (put >= 0) return static_cast<std::size_t>(put);
        if (errno == EAGAIN || errno == EINTR) return std::size_t{0};
        return link_error("writing");
    }
    int read_fd() const override { return input_.get(); }
    int write_fd() const override { return output_ ? output_.get() : input_.get(); }

private:
    Fd input_;
    Fd output_;  // none: the input is a socket
    bool is_socket_ = false;
};

}  // namespace

void Fd::reset(int fd) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
}

std::unique_ptr<ByteLink> make_byte_link(Fd socket) { return std::make_unique<FdLink>(std::move(socket), Fd{}); }
std::unique_ptr<ByteLink> make_byte_link(Fd input, Fd output) { return std::make_unique<FdLink>(std::move(input), std::move(output)); }

Expected<std::pair<std::unique_ptr<ByteLink>, std::unique_ptr<ByteLink>>> make_byte_link_pair() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return link_error("making a pair of sockets");
    return std::pair{make_byte_link(Fd{ends[0]}), make_byte_link(Fd{ends[1]})};
}

Wakeup::Wakeup() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { CHECK(bool{fd_}, "an event descriptor"); }

void Wakeup::signal() {
    u64 const one = 1;
    static_cast<void>(!write(fd_.get(), &one, sizeof one));  // fails only when it is signalled already
}

void Wakeup::clear() {
    u64 count = 0;
    static_cast<void>(!read(fd_.get(), &count, sizeof count));  // fails when there was no signal
}

}  // namespace ramet
