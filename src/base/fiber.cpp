#include "base/fiber.h"

#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>

#include "base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#define RAMET_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RAMET_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define RAMET_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RAMET_TSAN 1
#endif
#endif

#ifdef RAMET_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef RAMET_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace ramet {

namespace {

namespace context = boost::context;

constexpr std::size_t stack_size = 256 * 1024;

/// Thrown by suspend() in a fiber that is to end.
struct Unwind {};

/// What the sanitizers have to know of a stack to follow a switch to it.
struct Stack {
    const void* bottom = nullptr;
    std::size_t size = 0;
    void* fake = nullptr;  // AddressSanitizer's copy of what is live there
    void* tsan = nullptr;

    /// Inlined, because ThreadSanitizer has a call stack for each fiber: a call that begins on one must return on it.
    [[gnu::always_inline]] void leave_for([[maybe_unused]] const Stack& other) {
#ifdef RAMET_ASAN
        __sanitizer_start_switch_fiber(&fake, other.bottom, other.size);
#endif
#ifdef RAMET_TSAN
        __tsan_switch_to_fiber(other.tsan, 0);
#endif
    }
    /// For good. The calls that still have to return belong to this stack, so that ThreadSanitizer is told by arrive_from_ended().
    void end_for([[maybe_unused]] const Stack& other) {
#ifdef RAMET_ASAN
        __sanitizer_start_switch_fiber(nullptr, other.bottom, other.size);
#endif
    }
    [[gnu::always_inline]] void arrive_from_ended() {
#ifdef RAMET_TSAN
        __tsan_switch_to_fiber(tsan, 0);
#endif
    }
    void arrive_from([[maybe_unused]] Stack& other) {
#ifdef RAMET_ASAN
        __sanitizer_finish_switch_fiber(fake, &other.bottom, &other.size);
#endif
    }
};

}  // namespace

struct Fiber::State {
    std::function<void()> body;
    context::fiber inside;
    context::fiber outside;
    Stack own;
    Stack resumer;
    State* outer = nullptr;  // the fiber that resumed this one, if it was one
    bool done = false;
    bool cancelled = false;

    context::fiber enter(context::fiber&& from) {
        own.arrive_from(resumer);
        outside = std::move(from);
        try {
            if (!cancelled) body();
        } catch (const Unwind&) {
        }
        done = true;
        own.end_for(resumer);
        return std::move(outside);
    }

    /// The fiber that this thread runs. Opaque to the compiler, which must not take one call's answer for the next one's: a fiber may be
    /// resumed on another thread, whose variable is elsewhere.
    [[gnu::noinline]] static State*& current() {
        thread_local State* running = nullptr;
        asm volatile("");
        return running;
    }
};

Fiber::Fiber(std::function<void()> body) : state_(std::make_unique<State>()) {
    State& state = *state_;
    state.body = std::move(body);
    context::protected_fixedsize_stack allocator{stack_size};
    context::stack_context stack = allocator.allocate();
    state.own.bottom = static_cast<char*>(stack.sp) - stack.size;
    state.own.size = stack.size;
#ifdef RAMET_TSAN
    state.own.tsan = __tsan_create_fiber(0);
#endif
    state.inside = context::fiber{std::allocator_arg, context::preallocated{stack.sp, stack.size, stack}, allocator,
                                  [&state](context::fiber&& from) { return state.enter(std::move(from)); }};
}

Fiber::~Fiber() {
    if (!state_->done) {
        state_->cancelled = true;
        resume();
        CHECK(state_->done, "a fiber that was to end went on");
    }
#ifdef RAMET_TSAN
    __tsan_destroy_fiber(state_->own.tsan);
#endif
}

void Fiber::resume() {
    State& state = *state_;
    CHECK(!state.done && State::current() != &state, "a fiber was resumed that is done or runs");
    state.outer = State::current();
    State::current() = &state;
#ifdef RAMET_TSAN
    state.resumer.tsan = __tsan_get_current_fiber();
#endif
    state.resumer.leave_for(state.own);
    state.inside = std::move(state.inside).resume();
    if (state.done) state.resumer.arrive_from_ended();
    state.resumer.arrive_from(state.own);
    State::current() = state.outer;
}

bool Fiber::done() const { return state_->done; }

void Fiber::suspend() {
    State& state = *State::current();
    state.own.leave_for(state.resumer);
    state.outside = std::move(state.outside).resume();
    state.own.arrive_from(state.resumer);
    if (state.cancelled) throw Unwind{};
}

bool Fiber::inside() { return State::current() != nullptr; }

}  // namespace ramet
