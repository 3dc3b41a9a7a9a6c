// Where another host's machines are received: unix:PATH, tcp:HOST:PORT, ssh:HOST (which runs `ramet receive -` there), or - for standard input and
// output. TCP beyond loopback wants a shared key (secure_link.h).
// Tests: tests/remote/transport_test.cpp.
#pragma once

#include <memory>
#include <string>

#include "remote/byte_link.h"

namespace ramet {

struct Address {
    enum class Kind : u8 { unix_socket, tcp, ssh, stdio };
    Kind kind = Kind::unix_socket;
    std::string host;  // tcp, ssh
    u16 port = 0;
    std::string path;  // unix

    static Expected<Address> parse(const std::string& text);
    std::string text() const;
    bool is_loopback() const;
};

/// The longest time that connecting may take.
inline constexpr u64 connect_ns = 5'000'000'000;

/// `key_file`: of the key that both sides know; empty for none. `ssh_command`: what runs in place of "ssh", read by a shell, so that it may have options.
Expected<std::unique_ptr<ByteLink>> connect_to(const Address& address, const std::string& key_file = {}, const std::string& ssh_command = {});

class Listener {
public:
    static Expected<Listener> open(const Address& address, const std::string& key_file = {});
    ~Listener();
    Listener(Listener&& other) noexcept;
    Listener& operator=(Listener&&) = delete;

    int fd() const { return fd_.get(); }
    /// Nobody is there: nullptr.
    Expected<std::unique_ptr<ByteLink>> accept();
    /// Where it listens; with the port that was chosen, if 0 was asked for.
    const Address& address() const { return address_; }

private:
    Listener(Fd fd, Address address, std::string key_file) : fd_(std::move(fd)), address_(std::move(address)), key_file_(std::move(key_file)) {}

    Fd fd_;
    Address address_;
    std::string key_file_;
};

}  // namespace ramet
