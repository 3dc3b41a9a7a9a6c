#include "remote/address.h"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "remote/secure_link.h"

namespace ramet {

namespace {

constexpr int backlog = 32;
constexpr unsigned busy_tries = 500;  // of connecting, 5 seconds in all
constexpr int busy_wait_ms = 10;

Error address_error(const Address& address, const std::string& what) { return Error{address.text() + ": " + what + ": " + std::strerror(errno)}; }

struct SocketAddress {
    sockaddr_storage storage = {};
    socklen_t size = 0;
    sockaddr* get() { return static_cast<sockaddr*>(static_cast<void*>(&storage)); }
};

Expected<SocketAddress> unix_address(const Address& address) {
    SocketAddress made;
    auto* const to = static_cast<sockaddr_un*>(static_cast<void*>(&made.storage));
    if (address.path.empty() || address.path.size() >= sizeof to->sun_path) return Error{address.text() + ": the path of a socket has 1 to 107 bytes"};
    to->sun_family = AF_UNIX;
    std::memcpy(to->sun_path, address.path.c_str(), address.path.size() + 1);
    made.size = sizeof *to;
    return made;
}

Expected<SocketAddress> tcp_address(const Address& address) {
    addrinfo const hints{.ai_flags = AI_NUMERICSERV, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_protocol = 0, .ai_addrlen = 0, .ai_addr = nullptr,
                         .ai_canonname = nullptr, .ai_next = nullptr};
    addrinfo* found = nullptr;
    int const status = getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
    if (status != 0) return Error{address.text() + ": " + gai_strerror(status)};
    SocketAddress made;
    made.size = found->ai_addrlen;
    std::memcpy(&made.storage, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return made;
}

Expected<SocketAddress> socket_address(const Address& address) { return address.kind == Address::Kind::tcp ? tcp_address(address) : unix_address(address); }

Expected<Fd> make_socket(const Address& address, const SocketAddress& to) {
    Fd fd{socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!fd) return address_error(address, "making a socket");
    int const on = 1;
    if (address.kind == Address::Kind::tcp) setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

Expected<Fd> connect_socket(const Address& address) {
    SocketAddress to = TRY(socket_address(address));
    Fd fd = TRY(make_socket(address, to));
    for (unsigned tries = 0; tries < busy_tries; ++tries) {
        if (connect(fd.get(), to.get(), to.size) == 0) return fd;
        if (errno != EAGAIN) break;  // its queue is full: somebody is there and busy
        poll(nullptr, 0, busy_wait_ms);
    }
    if (errno != EINPROGRESS) return address_error(address, "nobody receives there (ramet receive --listen " + address.text() + ")");
    pollfd wait{.fd = fd.get(), .events = POLLOUT, .revents = 0};
    poll(&wait, 1, static_cast<int>(connect_ns / 1'000'000));
    int status = ETIMEDOUT;
    socklen_t size = sizeof status;
    if (wait.revents != 0) getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &status, &size);
    errno = status;
    if (status != 0) return address_error(address, "nobody receives there (ramet receive --listen " + address.text() + ")");
    return fd;
}

/// A link that a process of ours carries, which ends with it.
class ProcessLink final : public ByteLink {
public:
    ProcessLink(Fd socket, pid_t process) : link_(make_byte_link(std::move(socket))), process_(process) {}
    ~ProcessLink() override {
        link_.reset();
        kill(process_, SIGTERM);
        waitpid(process_, nullptr, 0);
    }
    Expected<std::size_t> read(std::span<u8> to) override { return link_->read(to); }
    Expected<std::size_t> write(std::span<const u8> from) override { return link_->write(from); }
    int read_fd() const override { return link_->read_fd(); }
    int write_fd() const override { return link_->write_fd(); }

private:
    std::unique_ptr<ByteLink> link_;
    pid_t process_;
};

/// `ssh HOST ramet receive -`, with a socket as its standard input and output. A shell splits the command into words, as git does with GIT_SSH_COMMAND.
Expected<std::unique_ptr<ByteLink>> run_ssh(const Address& address, const std::string& command) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return address_error(address, "making a pair of sockets");
    Fd ours{ends[0]};
    Fd const theirs{ends[1]};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDOUT_FILENO);
    std::string const script = (command.empty() ? "ssh" : command) + " \"$@\"";
    const char* const words[] = {"sh", "-c", script.c_str(), "ssh", "--", address.host.c_str(), "ramet", "receive", "-", nullptr};
    pid_t child = 0;
    int const status = posix_spawnp(&child, words[0], &actions, nullptr, const_cast<char**>(words), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (status == 0) return std::unique_ptr<ByteLink>{std::make_unique<ProcessLink>(std::move(ours), child)};
    errno = status;
    return address_error(address, "running ssh");
}

}  // namespace

Expected<Address> Address::parse(const std::string& text) {
    Address made;
    auto const rest_after = [&](const char* prefix) { return text.starts_with(prefix) ? text.substr(std::strlen(prefix)) : std::string{}; };
    if (text == "-") {
        made.kind = Kind::stdio;
        return made;
    }
    if (made.path = rest_after("unix:"); !made.path.empty()) return made;
    if (made.host = rest_after("ssh:"); !made.host.empty()) {
        made.kind = Kind::ssh;
        return made;
    }
    std::string const place = rest_after("tcp:");
    auto const colon = place.rfind(':');
    if (colon != std::string::npos) {
        made.kind = Kind::tcp;
        made.host = place.substr(0, colon);
        if (made.host.size() > 2 && made.host.front() == '[' && made.host.back() == ']') made.host = made.host.substr(1, made.host.size() - 2);
        const char* const end = place.data() + place.size();
        auto const parsed = std::from_chars(place.data() + colon + 1, end, made.port);
        if (parsed.ec == std::errc{} && parsed.ptr == end && !made.host.empty()) return made;
    }
    return Error{"\"" + text + "\" is no place for a machine; say unix:PATH, tcp:HOST:PORT, ssh:HOST or -"};
}

std::string Address::text() const {
    switch (kind) {
    case Kind::unix_socket: return "unix:" + path;
    case Kind::tcp: return "tcp:" + (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
    case Kind::ssh: return "ssh:" + host;
    case Kind::stdio: return "-";
    }
    return {};
}

bool Address::is_loopback() const { return kind != Kind::tcp || host == "localhost" || host == "::1" || host.starts_with("127."); }

Expected<std::unique_ptr<ByteLink>> connect_to(const Address& address, const std::string& key_file, const std::string& ssh_command) {
    switch (address.kind) {
    case Address::Kind::stdio: return Error{"- is for the receiving side"};
    case Address::Kind::ssh: return run_ssh(address, ssh_command);
    case Address::Kind::unix_socket: return make_byte_link(TRY(connect_socket(address)));
    case Address::Kind::tcp: break;
    }
    if (key_file.empty() && !address.is_loopback())
        return Error{address.text() + ": TCP to another host needs a key that both know: --key FILE on both sides; or let ssh carry it: ssh:HOST"};
    auto plain = make_byte_link(TRY(connect_socket(address)));
    if (key_file.empty()) return plain;
    return secure_client(std::move(plain), TRY(read_key(key_file)));
}

Expected<Listener> Listener::open(const Address& address, const std::string& key_file) {
    if (address.kind == Address::Kind::ssh || address.kind == Address::Kind::stdio) return Error{address.text() + ": nobody can listen there"};
    if (key_file.empty() && !address.is_loopback())
        return Error{address.text() + ": anybody on the network could send a machine; give a key that both sides know: --key FILE, or listen on 127.0.0.1"};
    SocketAddress at = TRY(socket_address(address));
    Fd fd = TRY(make_socket(address, at));
    int const on = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    mode_t const before = umask(077);  // the socket is its owner's alone
    int status = bind(fd.get(), at.get(), at.size);
    if (status != 0 && errno == EADDRINUSE && address.kind == Address::Kind::unix_socket && !connect_socket(address)) {
        unlink(address.path.c_str());  // left behind by a process that is gone
        status = bind(fd.get(), at.get(), at.size);
    }
    umask(before);
    if (status != 0 || listen(fd.get(), backlog) != 0) return address_error(address, "listening");
    Address bound = address;
    if (address.kind == Address::Kind::tcp && address.port == 0 && getsockname(fd.get(), at.get(), &at.size) == 0) {
        const void* const storage = &at.storage;
        u16 const port = at.storage.ss_family == AF_INET ? static_cast<const sockaddr_in*>(storage)->sin_port : static_cast<const sockaddr_in6*>(storage)->sin6_port;
        bound.port = ntohs(port);
    }
    return Listener{std::move(fd), bound, key_file};
}

Listener::Listener(Listener&& other) noexcept = default;

Listener::~Listener() {
    if (fd_ && address_.kind == Address::Kind::unix_socket) unlink(address_.path.c_str());
}

Expected<std::unique_ptr<ByteLink>> Listener::accept() {
    Fd fd{accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (!fd) {
        if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return std::unique_ptr<ByteLink>{};
        return address_error(address_, "accepting");
    }
    int const on = 1;
    if (address_.kind == Address::Kind::tcp) setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto plain = make_byte_link(std::move(fd));
    if (key_file_.empty()) return plain;
    return secure_server(std::move(plain), TRY(read_key(key_file_)));
}

}  // namespace ramet
