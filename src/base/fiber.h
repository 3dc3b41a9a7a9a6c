// Fiber: a function with a stack of its own that can stop in the middle and go on later. Two things are fibers: a machine's run loop while its
// memory is on another host, and the script of a test beside its machine. Nothing a guest can see lives on a fiber's stack between two
// instructions.
//
// Threads: a fiber belongs to one thread at a time; it may be resumed on another one when it is suspended.
// Cost: one mapping of 256 KiB when it is made (a stack with a guard page), some ten nanoseconds for a switch.
// Tests: tests/base/fiber_test.cpp.
#pragma once

#include <functional>
#include <memory>

namespace ramet {

class Fiber {
public:
    /// Runs nothing yet.
    explicit Fiber(std::function<void()> body);
    /// An unfinished one is unwound: suspend() does not return, and the destructors on its stack run. Functions that call suspend() are
    /// not noexcept and swallow no exception they do not know.
    ~Fiber();
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;

    /// Runs the body until it suspends or ends. Not from within itself, and not when done().
    void resume();
    /// The body has returned.
    bool done() const;

    /// Inside a fiber: goes back to whoever resumed it.
    static void suspend();
    /// Whether the caller runs on a fiber.
    static bool inside();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace ramet
