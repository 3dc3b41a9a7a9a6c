#include "base/fiber.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <mutex>
#include <string>
#include <thread>

namespace ramet {
namespace {

TEST(Fiber, RunsInTurnsWithItsResumer) {
    std::string order;
    Fiber fiber{[&] {
        order += 'b';
        Fiber::suspend();
        order += 'd';
    }};
    order += 'a';
    fiber.resume();
    EXPECT_FALSE(fiber.done());
    order += 'c';
    fiber.resume();
    EXPECT_TRUE(fiber.done());
    EXPECT_EQ(order, "abcd");
}

TEST(Fiber, KnowsWhereItRuns) {
    bool inside = false;
    Fiber fiber{[&] { inside = Fiber::inside(); }};
    fiber.resume();
    EXPECT_TRUE(inside);
    EXPECT_FALSE(Fiber::inside());
}

TEST(Fiber, NestsAndComesBackToTheOneThatResumedIt) {
    std::string order;
    Fiber inner{[&] {
        order += '1';
        Fiber::suspend();
        order += '3';
    }};
    Fiber outer{[&] {
        inner.resume();
        order += '2';
        Fiber::suspend();
        inner.resume();
        order += '4';
    }};
    outer.resume();
    EXPECT_TRUE(!outer.done() && !inner.done());
    outer.resume();
    EXPECT_TRUE(outer.done() && inner.done());
    EXPECT_EQ(order, "1234");
}

/// Says when it is destroyed.
struct Guard {
    bool& gone;
    ~Guard() { gone = true; }
};

TEST(Fiber, UnwindsItsStackWhenItIsDroppedUnfinished) {
    bool gone = false;
    bool went_on = false;
    {
        Fiber fiber{[&] {
            Guard const guard{gone};
            Fiber::suspend();
            went_on = true;
        }};
        fiber.resume();
        EXPECT_FALSE(gone);
    }
    EXPECT_TRUE(gone);
    EXPECT_FALSE(went_on);
}

// Under ThreadSanitizer each end once cost the resumer calls of the stack that it knows, until making a mutex read beyond it.
TEST(Fiber, EndsManyTimesOnOneThread) {
    unsigned ended = 0;
    for (unsigned i = 0; i < 1'000; ++i) {
        Fiber fiber{[&] {
            Fiber::suspend();
            ++ended;
        }};
        fiber.resume();
        fiber.resume();
    }
    std::mutex mutex;
    std::lock_guard const lock(mutex);
    EXPECT_EQ(ended, 1'000U);
}

TEST(Fiber, RunsNothingWhenItIsDroppedUnstarted) {
    bool ran = false;
    { Fiber const fiber{[&] { ran = true; }}; }
    EXPECT_FALSE(ran);
}

// By gettid(): pthread_self() counts as constant within a function.
TEST(Fiber, GoesOnOnAnotherThread) {
    std::array<pid_t, 2> ran = {};
    Fiber fiber{[&] {
        ran[0] = gettid();
        Fiber::suspend();
        EXPECT_TRUE(Fiber::inside());
        ran[1] = gettid();
    }};
    fiber.resume();
    pid_t other = 0;
    std::thread{[&] {
        other = gettid();
        fiber.resume();
    }}.join();
    EXPECT_EQ(ran[0], gettid());
    EXPECT_EQ(ran[1], other);
    EXPECT_FALSE(Fiber::inside());
}

}  // namespace
}  // namespace ramet
