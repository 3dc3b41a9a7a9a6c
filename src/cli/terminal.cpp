#include "cli/terminal.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

namespace ramet::cli {

namespace {

constexpr u8 ctrl_a = 1;
constexpr u64 nanoseconds = 1'000'000'000;

}  // namespace

Escape EscapeKeys::feed(u8 key, std::vector<u8>& keys) {
    if (!armed_) {
        if (key == ctrl_a)
            armed_ = true;
        else
            keys.push_back(key);
        return Escape::none;
    }
    armed_ = false;
    switch (key) {
    case 'x': return Escape::leave;
    case 'h':
    case '?': return Escape::help;
    case 'c': return Escape::status;
    case 'a':
    case ctrl_a: keys.push_back(ctrl_a); return Escape::none;
    default: return Escape::none;
    }
}

const char* EscapeKeys::help() {
    return "\n"
           "Ctrl-A h       this help\n"
           "Ctrl-A x       leave: the machine is gone\n"
           "Ctrl-A c       where the machine is: Position, time, digest\n"
           "Ctrl-A Ctrl-A  send Ctrl-A\n";
}

Terminal::Terminal() {
    termios mode{};
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &mode) != 0) return;
    saved_ = mode;
    mode.c_iflag &= ~static_cast<tcflag_t>(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    mode.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | IEXTEN | ISIG);
    mode.c_cflag &= ~static_cast<tcflag_t>(CSIZE | PARENB);
    mode.c_cflag |= CS8;
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &mode);
}

Terminal::~Terminal() { restore(); }

void Terminal::restore() {
    std::fflush(stdout);
    if (saved_) tcsetattr(STDIN_FILENO, TCSANOW, &*saved_);
}

std::vector<u8> Terminal::read(std::optional<u64> wait_ns) {
    pollfd input{.fd = open_ ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0};
    timespec limit{};
    if (wait_ns) limit = {.tv_sec = static_cast<time_t>(*wait_ns / nanoseconds), .tv_nsec = static_cast<long>(*wait_ns % nanoseconds)};
    if (ppoll(&input, 1, wait_ns ? &limit : nullptr, nullptr) <= 0) return {};
    std::vector<u8> bytes(4096);
    ssize_t const got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) open_ = false;
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
}

void Terminal::write(const std::string& bytes) {
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    std::fflush(stdout);
}

}  // namespace ramet::cli
