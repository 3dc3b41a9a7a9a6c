#include "cli/runner.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>

#include "cli/exit_status.h"

namespace ramet::cli {

namespace {

constexpr u64 attentive_slice = 2'000'000;   // cycles between looks at the keyboard: a hundredth of a second at most
constexpr u64 batch_slice = 20'000'000;      // nobody types
constexpr std::size_t flush_bytes = 65'536;

volatile std::sig_atomic_t caught_signal = 0;  // set by the handler; a process has one set of signals

void catch_signals() {
    struct sigaction action {};
    action.sa_handler = [](int signal) { caught_signal = signal; };
    for (int const signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
}

u64 host_ns() {
    return static_cast<u64>(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

}  // namespace

Runner::Runner(Machine& machine, const RunOptions& options, Terminal& terminal, Recorder* recorder)
    : machine_(machine), options_(options), terminal_(terminal), recorder_(recorder), started_ns_(host_ns()) {
    for (const TextCondition& condition : options.until.texts) matchers_.emplace_back(condition.text);
    if (options.digest_every) next_digest_ = machine.position();
}

End Runner::run() {
    catch_signals();
    for (;;) {
        print_due_digest();
        auto const end = end_of(advance(next_slice()));
        flush();
        if (end) return *end;
        if (auto const stopped = interrupted()) return *stopped;
        if (auto const left = serve_keys(terminal_.read(u64{0}))) return *left;
        offer_input();
    }
}

/// Runs the machine, and writes it down if somebody asked for that. An error of the recorder ends the run.
RunResult Runner::advance(const Until& until) {
    if (recorder_ == nullptr) return last_ = machine_.run(until, *this);
    auto const result = recorder_->run(machine_, until, *this);
    if (result) return last_ = *result;
    record_error_ = result.error().text;
    return {StopReason::interrupted};
}

Until Runner::next_slice() const {
    u64 const slice = terminal_.open() || by_wall_clock() ? attentive_slice : batch_slice;
    return {.position = std::min(options_.until.position, next_digest_),
            .cycles = std::min(options_.until.time, Cycles{machine_.cycles() + slice}),
            .idle = by_wall_clock()};
}

/// What a stop means for the run; nothing: it goes on.
std::optional<End> Runner::end_of(const RunResult& result) {
    if (matched_) return End{done, "found \"" + *matched_ + "\""};
    if (machine_.position() >= options_.until.position) return End{done, "position reached"};
    if (machine_.cycles() >= options_.until.time) return End{done, "time reached"};
    switch (result.reason) {
    case StopReason::position:
    case StopReason::cycles:
    case StopReason::output:
    case StopReason::interrupted: return std::nullopt;
    case StopReason::idle:
        if (machine_.next_deadline() == Cycles::never() && !terminal_.open()) return End{stuck, "idle: nothing will ever wake the guest"};
        wait();
        return std::nullopt;
    case StopReason::exit:
    case StopReason::reset:
    case StopReason::power_off: return guest_ended(result);
    case StopReason::halted: return End{stuck, result.report.empty() ? "halted with interrupts off" : result.report};
    case StopReason::shutdown: return End{triple_fault, "triple fault"};
    case StopReason::unsupported: return End{beyond_model, "beyond the model: " + result.report};
    case StopReason::exhausted: return End{out_of_memory, result.report};
    case StopReason::lost: return End{bad_usage, result.report};
    }
    return End{beyond_model, "unknown stop"};
}

std::string digest_text(Machine& machine) {
    auto const digest = machine.whole_digest();
    return digest ? digest->hex() : "unknown";
}

End Runner::guest_ended(const RunResult& result) const {
    if (result.reason == StopReason::exit) return {debug_exit_status(result.value), "debug exit, value " + std::to_string(result.value)};
    bool const wanted = options_.until.exit || !options_.until.any();
    return {wanted ? done : not_met, reason_text(result.reason) + std::string{wanted ? "" : " before any condition of --until"}};
}

std::optional<End> Runner::interrupted() const {
    if (record_error_) return End{bad_usage, "recording failed: " + *record_error_};
    if (caught_signal) return End{signal_status(caught_signal), "signal " + std::to_string(caught_signal)};
    if (options_.timeout_ns && elapsed_ns() >= *options_.timeout_ns) return End{timed_out, "timeout"};
    return std::nullopt;
}

u64 Runner::elapsed_ns() const { return host_ns() - started_ns_; }

/// The guest is halted: sleeps until its next deadline, or until somebody types, and lets as much virtual time pass.
void Runner::wait() {
    flush();
    Cycles const from = machine_.cycles();
    Cycles const deadline = std::min(machine_.next_deadline(), options_.until.time);
    std::optional<u64> limit;
    if (deadline != Cycles::never()) limit = deadline - from;
    if (options_.timeout_ns) limit = std::min(limit.value_or(~u64{0}), *options_.timeout_ns - std::min(*options_.timeout_ns, elapsed_ns()));
    u64 const before = host_ns();
    std::vector<u8> const keys = terminal_.read(limit);
    u64 const passed = host_ns() - before;
    advance({.cycles = std::min(deadline, Cycles{from + passed})});
    typed_.insert(typed_.end(), keys.begin(), keys.end());
}

std::optional<End> Runner::serve_keys(const std::vector<u8>& keys) {
    if (!terminal_.interactive()) {
        typed_.insert(typed_.end(), keys.begin(), keys.end());
        return std::nullopt;
    }
    for (u8 const key : keys) {
        switch (escape_.feed(key, typed_)) {
        case Escape::none: break;
        case Escape::leave: return End{done, "left"};
        case Escape::help: terminal_.write(EscapeKeys::help()); break;
        case Escape::status:
            terminal_.write("\nposition " + std::to_string(machine_.position().value) + ", " + std::to_string(machine_.cycles().value) +
                            " cycles, digest " + digest_text(machine_) + "\n");
            break;
        }
    }
    return std::nullopt;
}

void Runner::offer_input() {
    if (typed_.empty()) return;
    Input const input{.kind = Input::Kind::serial, .bytes = typed_};
    std::size_t taken = 0;
    if (recorder_ == nullptr) {
        taken = machine_.apply(input);
    } else if (auto const logged = recorder_->apply(machine_, input)) {
        taken = *logged;
    } else {
        record_error_ = logged.error().text;
    }
    typed_.erase(typed_.begin(), typed_.begin() + static_cast<std::ptrdiff_t>(taken));
}

void Runner::print_due_digest() {
    if (options_.digest_every == 0 || machine_.position() < next_digest_) return;
    std::fprintf(stderr, "%llu %s\n", static_cast<unsigned long long>(machine_.position().value), digest_text(machine_).c_str());
    next_digest_ = Position{(machine_.position().value / options_.digest_every + 1) * options_.digest_every};
}

bool Runner::output(Channel channel, u8 byte) {
    Console const wanted = channel == Channel::serial ? Console::serial : Console::debug;
    if (options_.configuration.console == wanted || options_.configuration.console == Console::both) shown_.push_back(static_cast<char>(byte));
    if (shown_.size() >= flush_bytes) flush();
    for (std::size_t i = 0; i < matchers_.size(); ++i)
        if (options_.until.texts[i].channel == channel && matchers_[i].feed(byte)) matched_ = matchers_[i].text();
    return matched_.has_value();
}

void Runner::flush() {
    if (shown_.empty()) return;
    terminal_.write(shown_);
    shown_.clear();
}

}  // namespace ramet::cli
