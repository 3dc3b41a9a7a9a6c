#include "remote/member.h"

#include <algorithm>

#include "remote/host_time.h"

namespace ramet {

namespace {

constexpr u64 never_ns = ~u64{0};

}  // namespace

const char* state_text(Member::State state) {
    switch (state) {
    case Member::State::running: return "running";
    case Member::State::paused: return "paused";
    case Member::State::away: return "elsewhere";
    case Member::State::ended: return "ended";
    }
    return "unknown";
}

Member::Member(std::string member_name, Machine machine, std::shared_ptr<std::atomic<bool>> interrupt)
    : name(std::move(member_name)), machine_(std::make_unique<Machine>(std::move(machine))), interrupt_(std::move(interrupt)) {
    fiber_ = std::make_unique<Fiber>([this] { loop(); });
}

Member::~Member() {
    fiber_.reset();
    close();
    console->end();
}

void Member::close() {
    std::lock_guard const lock(mutex_);
    closed_ = true;
    for (auto& [step, done] : std::exchange(steps_, {})) done.set_value(false);
}

void Member::replace(Machine machine) {
    CHECK(at_boundary_, "a machine is replaced between two instructions");
    fiber_.reset();
    machine_ = std::make_unique<Machine>(std::move(machine));
    fiber_ = std::make_unique<Fiber>([this] { loop(); });
    idle_since_ns_ = 0;
}

void Member::loop() {
    for (;;) {
        Until const until{.cycles = slice_end_, .idle = idle_since_ns_ == 0, .interrupt = interrupt_.get()};
        result_ = recorder ? recorder->run(*machine_, until, *this) : Expected<RunResult>{machine_->run(until, *this)};
        at_boundary_ = true;
        Fiber::suspend();
    }
}

bool Member::runnable() const { return waits() || (state == State::running && (!incoming || incoming->may_run())); }

u64 Member::wakes_ns() const {
    if (waits() || !runnable()) return never_ns;
    return idle_since_ns_ == 0 ? 0 : wake_ns_;
}

void Member::run(u64 cycles) {
    if (!runnable() || (incoming && !incoming->may_run())) return;
    if (at_boundary_) {
        u64 const now = host_ns();
        if (idle_since_ns_ != 0) {  // as much virtual time passes as the host has waited, to the deadline at most
            Cycles const passed{machine_->cycles() + (now - idle_since_ns_)};
            if (now < wake_ns_ && machine_->unread_input() == 0) return;
            slice_end_ = std::min(passed, machine_->next_deadline());
            if (slice_end_ == Cycles::never()) slice_end_ = passed;
        } else {
            slice_end_ = Cycles{machine_->cycles() + std::min(cycles, pace_.cycles())};
        }
        slice_from_ = machine_->cycles();
        slice_from_ns_ = now;
        at_boundary_ = false;
        if (first_run_at_ns == 0) first_run_at_ns = now;
    }
    fiber_->resume();
    if (at_boundary_) after_slice();
}

void Member::after_slice() {
    console->publish(std::exchange(shown_, {}));
    bool const was_idle = idle_since_ns_ != 0;
    if (!was_idle) pace_.took(machine_->cycles() - slice_from_, host_ns() - slice_from_ns_);  // else cycles have passed without work
    idle_since_ns_ = 0;
    if (incoming) incoming->progress({machine_->position(), machine_->cycles()});
    auto const end = [this](const std::string& text) {
        state = State::ended;
        end_text = text;
        console->end();
    };
    if (!result_) return end("recording failed: " + result_.error().text);
    switch (result_->reason) {
    case StopReason::position:
    case StopReason::output:
    case StopReason::interrupted: break;
    case StopReason::cycles:
        if (!was_idle) break;
        [[fallthrough]];
    case StopReason::idle: {
        Cycles const deadline = machine_->next_deadline();
        if (result_->reason == StopReason::cycles && deadline <= machine_->cycles()) break;
        idle_since_ns_ = host_ns();
        wake_ns_ = deadline == Cycles::never() ? never_ns : idle_since_ns_ + (deadline - machine_->cycles());
        break;
    }
    case StopReason::exit: return end("debug exit, value " + std::to_string(result_->value));
    case StopReason::reset:
    case StopReason::power_off:
    case StopReason::halted:
    case StopReason::shutdown: return end(reason_text(result_->reason));
    case StopReason::exhausted:
    case StopReason::lost: return end(result_->report);
    case StopReason::unsupported: return end("beyond the model: " + result_->report);
    }
    offer_input();
}

void Member::offer_input() {
    if (recorder == nullptr) return;  // soon
    std::vector<u8> const typed = console->typed();
    if (typed.empty()) return;
    auto const taken = recorder->apply(*machine_, {.kind = Input::Kind::serial, .bytes = typed});
    if (!taken) {
        state = State::ended;
        end_text = "recording failed: " + taken.error().text;
        return;
    }
    console->drop(*taken);
}

bool Member::output(Channel channel, u8 byte) {
    static_cast<void>(channel);
    shown_.push_back(static_cast<char>(byte));
    return false;
}

std::future<bool> Member::post(Step step) {
    std::lock_guard const lock(mutex_);
    std::promise<bool> done;
    auto future = done.get_future();
    if (closed_)
        done.set_value(false);
    else
        steps_.emplace_back(std::move(step), std::move(done));
    return future;
}

void Member::do_steps() {
    if (!at_boundary_) return;
    std::vector<std::pair<Step, std::promise<bool>>> steps;
    {
        std::lock_guard const lock(mutex_);
        steps = std::exchange(steps_, {});
    }
    for (auto& [step, done] : steps) {
        step(*this);
        done.set_value(true);
    }
    if (at_boundary_ && state == State::running && idle_since_ns_ != 0) {
        offer_input();
        if (machine_->unread_input() != 0) wake_ns_ = 0;
    }
}

}  // namespace ramet
