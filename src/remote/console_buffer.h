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
    /// False: the machine does not read, and there is too much already.
    bool type(const std::string& bytes);
    std::vector<u8> take_typed();
    void put_back(std::span<const u8> bytes);

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::string kept_;
    u64 from_ = 0;  // place of its first byte
    std::vector<u8> typed_;
    bool ended_ = false;
};

}  // namespace ramet
