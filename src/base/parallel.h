// Work in parallel: independent pieces by their number, a few at a time. Who does which piece, and when, may not matter to the result.
// Tests: tests/replay/verify_test.cpp.
#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

namespace ramet {

/// Calls work(0) … work(count - 1), `jobs` at a time, in this order of beginning.
inline void in_parallel(std::size_t count, unsigned jobs, const std::function<void(std::size_t)>& work) {
    std::atomic<std::size_t> next = 0;
    auto const loop = [&] {
        for (std::size_t i = next++; i < count; i = next++) work(i);
    };
    std::vector<std::jthread> threads;
    for (unsigned i = 1; i < jobs && i < count; ++i) threads.emplace_back(loop);
    loop();
}

}  // namespace ramet
