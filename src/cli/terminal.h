// Terminal: the process's standard input and output as a serial console. On a terminal it switches to raw mode and back;
// Ctrl-A is the escape key, as QEMU's users have it in their fingers.
#pragma once

#include <termios.h>

#include <optional>
#include <string>
#include <vector>

#include "base/types.h"

namespace ramet::cli {

/// What a key after Ctrl-A asks for.
enum class Escape : u8 { none, leave, help, status };

/// Takes Ctrl-A sequences out of a stream of keys.
class EscapeKeys {
public:
    /// Appends to `keys` what is meant for the guest.
    Escape feed(u8 key, std::vector<u8>& keys);
    static const char* help();

private:
    bool armed_ = false;
};

/// Bytes of standard input, and whether it goes on.
class Terminal {
public:
    Terminal();
    ~Terminal();
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    /// Standard input is a terminal: somebody is there.
    bool interactive() const { return saved_.has_value(); }
    /// More input may come.
    bool open() const { return open_; }
    /// Bytes that are there, waiting for them at most `wait_ns`, for ever if empty, not at all if 0. A signal ends the wait.
    std::vector<u8> read(std::optional<u64> wait_ns);

    void write(const std::string& bytes);
    void restore();

private:
    std::optional<termios> saved_;
    bool open_ = true;
};

}  // namespace ramet::cli
