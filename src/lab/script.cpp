#include "lab/script.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <memory>

#include "base/enums.h"
#include "base/fiber.h"
#include "base/hex.h"

namespace ramet {

namespace {

constexpr std::size_t shown_bytes_max = 400;  // of the console, in a message
constexpr std::size_t shown_disk_bytes_max = 16;

/// Where a moment of the session's clock that lies `budget` ahead is.
Until limit_of(const Session& session, const Budget& budget) {
    Until until;
    u64 const position = session.position().value, cycles = session.cycles().value;
    if (budget.instructions < ~u64{0} - position) until.position = Position{position + budget.instructions};
    if (budget.time_ns < ~u64{0} - cycles) until.cycles = Cycles{cycles + budget.time_ns};
    return until;
}

bool reached(const Session& session, const Until& until) { return session.position() >= until.position || session.cycles() >= until.cycles; }

std::string quoted(std::string_view text) {
    std::string made = "\"";
    for (char const c : text) {
        if (c == '\n') made += "\\n";
        else if (c == '\r') made += "\\r";
        else if (c == '"' || c == '\\') (made += '\\') += c;
        else made += c;
    }
    return made + "\"";
}

/// The end of what came out and was not read.
std::string tail_of(std::string_view text) {
    return text.size() <= shown_bytes_max ? quoted(text) : "..." + quoted(text.substr(text.size() - shown_bytes_max));
}

/// The first ones.
std::string hex_bytes(std::span<const u8> bytes) {
    if (bytes.size() <= shown_disk_bytes_max) return hex_of(bytes, " ");
    return hex_of(bytes.first(shown_disk_bytes_max), " ") + "...";
}

/// What a command printed: without its echo, the prompt, carriage returns and the last line end.
std::string printed(std::string_view text, std::size_t prompt_bytes) {
    text.remove_suffix(std::min(prompt_bytes, text.size()));
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    std::string made;
    for (char const c : text)
        if (c != '\r') made += c;
    while (made.ends_with('\n')) made.pop_back();
    return made;
}

/// A script at work.
class Actor {
public:
    Actor(Session& session, const Script& script)
        : session_(session), script_(script), watch_{.read = session.read_so_far(Channel::serial)}, fiber_(std::make_unique<Fiber>([this] { act(); })) {}

    void start() { fiber_->resume(); }
    void go_on(const Outcome& outcome) {
        outcome_ = outcome;
        fiber_->resume();
    }
    bool done() const { return fiber_->done(); }
    const std::optional<Failure>& failure() const { return failure_; }
    const Until& limit() const { return limit_; }
    Session::Watch& watch() { return watch_; }

private:
    void act() {
        for (const Step& step : script_) {
            std::string const what = perform(step);
            if (what.empty()) continue;
            failure_ = Failure{step.line, what};
            return;
        }
    }

    /// Gives the machine the floor.
    const Outcome& await(Condition condition, const Budget& budget) {
        watch_.condition = std::move(condition);
        limit_ = limit_of(session_, budget);
        Fiber::suspend();
        return outcome_;
    }

    /// What is wrong; empty when nothing is.
    std::string perform(const Step& step) {
        switch (step.kind) {
        case Step::Kind::send: session_.type(step.text); return {};
        case Step::Kind::expect: return expect(step.condition, step.budget);
        case Step::Kind::command: return command(step);
        case Step::Kind::wait: {
            Outcome const& outcome = await(never(), step.budget);
            return outcome.kind == Outcome::Kind::exhausted ? "" : "while waiting: " + outcome_text(outcome);
        }
        case Step::Kind::memory: return memory(step);
        case Step::Kind::reg: {
            u64 const found = session_.reg(step.text).value_or(0);
            return found == step.value ? "" : step.text + ": expected " + std::to_string(*step.value) + ", found " + std::to_string(found);
        }
        case Step::Kind::disk: return disk(step);
        }
        return {};
    }

    std::string expect(const Condition& condition, const Budget& budget) {
        Outcome const& outcome = await(condition, budget);
        if (outcome) return {};
        return "expected " + condition_text(condition) + ": " + outcome_text(outcome) + "; unread is " + tail_of(session_.output(Channel::serial).substr(watch_.read));
    }

    std::string command(const Step& step) {
        std::size_t const begin = watch_.read;
        session_.type(step.text + "\n");
        std::string const what = expect(serial(step.prompt), step.budget);
        if (!what.empty()) return quoted(step.text) + ": " + what;
        std::string const text = printed(session_.output(Channel::serial).substr(begin, watch_.read - begin), step.prompt.size());
        if (step.prints && text != *step.prints) return quoted(step.text) + ": expected to print " + quoted(*step.prints) + ", printed " + quoted(text);
        if (step.contains && text.find(*step.contains) == std::string::npos)
            return quoted(step.text) + ": expected to print something with " + quoted(*step.contains) + ", printed " + quoted(text);
        return {};
    }

    std::string memory(const Step& step) {
        GuestVirt at;
        auto const [end, error] = std::from_chars(step.text.data() + (step.text.starts_with("0x") ? 2 : 0), step.text.data() + step.text.size(), at.value,
                                                  step.text.starts_with("0x") ? 16 : 10);
        if (error != std::errc{} || end != step.text.data() + step.text.size()) {
            auto const address = session_.address(step.text);
            if (!address) return address.error().text;
            at = *address;
        }
        std::array<u8, 8> bytes = {};
        auto const read = session_.read(at, std::span{bytes}.first(step.size));
        if (!read) return step.text + ": " + read.error().text;
        u64 const found = load_le<u64>(bytes.data());
        return found == step.value ? "" : step.text + ": expected " + std::to_string(*step.value) + ", found " + std::to_string(found);
    }

    std::string disk(const Step& step) {
        std::vector<u8> found(step.bytes.size());
        auto const read = session_.read_disk(*step.value, step.offset, found);
        if (!read) return read.error().text;
        auto const at = static_cast<std::size_t>(std::ranges::mismatch(step.bytes, found).in1 - step.bytes.begin());
        if (at == found.size()) return {};
        return "disk " + std::to_string(*step.value) + ", offset " + std::to_string(step.offset + at) + ": expected " + hex_bytes(std::span{step.bytes}.subspan(at)) +
               ", found " + hex_bytes(std::span{found}.subspan(at));
    }

    Session& session_;
    const Script& script_;
    Session::Watch watch_;
    Until limit_;
    Outcome outcome_;
    std::optional<Failure> failure_;
    std::unique_ptr<Fiber> fiber_;  // last: it refers to the rest
};

/// Actors who wait, in their order.
std::vector<Actor*> waiting(std::vector<std::unique_ptr<Actor>>& actors) {
    std::vector<Actor*> found;
    for (auto const& actor : actors)
        if (!actor->done()) found.push_back(actor.get());
    return found;
}

/// Runs to the first moment that somebody waits for.
void take_turn(Session& session, const std::vector<Actor*>& actors) {
    std::vector<Session::Watch> watches;
    Until until;
    for (Actor* const actor : actors) {
        watches.push_back(actor->watch());
        until.position = std::min(until.position, actor->limit().position);
        until.cycles = std::min(until.cycles, actor->limit().cycles);
    }
    Outcome const outcome = session.run_until(watches, until);
    if (outcome) {
        actors[outcome.which]->watch().read = watches[outcome.which].read;
        actors[outcome.which]->go_on(outcome);
        return;
    }
    for (Actor* const actor : actors)
        if (outcome.kind == Outcome::Kind::ended || reached(session, actor->limit())) actor->go_on(outcome);
}

}  // namespace

std::string canonical_text(std::span<const Script> scripts) {
    std::string text;
    auto const field = [&text](const std::string& value) { text += std::to_string(value.size()) + ":" + value + ","; };
    for (const Script& script : scripts) {
        text += "script;";
        for (const Step& step : script) {
            text += std::string{enum_name(step.kind)} + ";";
            for (const std::string& value : {step.text, condition_text(step.condition), step.prompt, step.prints.value_or(""), step.contains.value_or(""), std::string{step.bytes.begin(), step.bytes.end()}})
                field(value);
            for (u64 const value : {step.budget.instructions, step.budget.time_ns, step.value.value_or(0), u64{step.size}, step.offset}) field(std::to_string(value));
            text += std::to_string(step.prints.has_value() * 4 + step.contains.has_value() * 2 + step.value.has_value()) + ";";
        }
    }
    return text;
}

std::optional<Failure> play(Session& session, std::span<const Script> scripts) {
    std::vector<std::unique_ptr<Actor>> actors;
    for (const Script& script : scripts) actors.push_back(std::make_unique<Actor>(session, script));
    for (auto const& actor : actors) actor->start();
    auto const failed = [&actors]() -> std::optional<Failure> {
        for (auto const& actor : actors)
            if (actor->failure()) return actor->failure();
        return std::nullopt;
    };
    for (auto who = waiting(actors); !who.empty() && !failed(); who = waiting(actors)) take_turn(session, who);
    std::size_t read = session.read_so_far(Channel::serial);
    for (auto const& actor : actors) read = std::max(read, actor->watch().read);
    session.set_read(Channel::serial, read);
    return failed();
}

}  // namespace ramet
