// ConsoleBuffer: the serial and debug output of one machine of a family, kept for whoever attaches, and what they type. Output is published at boundaries,
// and bounded: the oldest goes first.
//
// Threads: any. Tests: tests/remote/family_test.cpp.
#pragma once

#include <condition_variable>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace ramet {

class ConsoleBuffer {
public:
    static constexpr std::size_t kept_bytes = 256 << 10;
    static constexpr std::size_t typed_bytes_max = 64 << 10;

    struct Piece {
        u64 from = 0;  // place in the whole output of its first byte
        std::string bytes;
        bool ended = false;  // nothing will follow
    };

    void publish(const std::string& bytes);
    void end();
    /// What there is from a place on, waiting for it at most this long.
    Piece read(u64 from, u64 wait_ns) const;
    /// Refused if the machine does not read and there is too much already, or if the machine is elsewhere: what is taken is never lost.
    Expected<Done> type(const std::string& bytes);
    /// What the machine has not read.
    std::vector<u8> typed() const;
    /// It has read the first so many bytes of that.
    void drop(std::size_t bytes);
    /// The machine goes elsewhere, with what it has not read.
    std::vector<u8> leave();
    /// The machine is here (again), and this waits for it.
    void arrive(std::vector<u8> typed);

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::string kept_;
    u64 from_ = 0;  // place of its first byte
    std::vector<u8> typed_;
    bool elsewhere_ = false;
    bool ended_ = false;
};

}  // namespace ramet
