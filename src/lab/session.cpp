#include "lab/session.h"

#include <algorithm>

namespace ramet {

namespace {

constexpr u64 room_every_ns = 1'000'000;  // between offers of what the serial port has no room for

/// One watch while the machine runs.
struct Listener {
    std::size_t which;
    Channel channel;
    TextMatcher matcher;
};

/// Writes output into the record and stops the machine where a text is complete.
class Ears final : public Ports {
public:
    Ears(Record& record, std::vector<Listener>& listeners) : record_(record), listeners_(listeners) {}
    bool output(Channel channel, u8 byte) override {
        record_.output[static_cast<std::size_t>(channel)].push_back(static_cast<char>(byte));
        for (Listener& listener : listeners_)
            if (listener.channel == channel && listener.matcher.feed(byte) && !heard_) heard_ = listener.which;
        return heard_.has_value();
    }
    std::optional<std::size_t> heard() const { return heard_; }

private:
    Record& record_;
    std::vector<Listener>& listeners_;
    std::optional<std::size_t> heard_;
};

bool is_text(const Condition& condition) { return condition.kind == Condition::Kind::serial || condition.kind == Condition::Kind::debug; }
Channel channel_of(const Condition& condition) { return condition.kind == Condition::Kind::debug ? Channel::debug : Channel::serial; }

/// The guest stopped for good, or until something comes in.
bool is_end(StopReason reason) {
    switch (reason) {
    case StopReason::exit:
    case StopReason::reset:
    case StopReason::power_off:
    case StopReason::shutdown:
    case StopReason::halted:
    case StopReason::unsupported:
    case StopReason::exhausted:
    case StopReason::lost: return true;
    case StopReason::position:
    case StopReason::cycles:
    case StopReason::output:
    case StopReason::idle:
    case StopReason::interrupted: return false;
    }
    return false;
}

bool meets(const Condition& condition, const RunResult& result) {
    if (condition.kind != Condition::Kind::ended) return false;
    if (condition.status) return result.reason == StopReason::exit && result.value == *condition.status;
    return is_end(result.reason) && result.reason != StopReason::unsupported && result.reason != StopReason::exhausted && result.reason != StopReason::lost;
}

u64 saturated(u64 a, u64 b) { return a > ~u64{0} - b ? ~u64{0} : a + b; }

}  // namespace

std::string condition_text(const Condition& condition) {
    switch (condition.kind) {
    case Condition::Kind::serial: return "serial \"" + condition.text + "\"";
    case Condition::Kind::debug: return "debug \"" + condition.text + "\"";
    case Condition::Kind::idle: return "idle";
    case Condition::Kind::ended: return condition.status ? "exit " + std::to_string(*condition.status) : "end";
    case Condition::Kind::never: return "never";
    }
    return {};
}

std::string outcome_text(const Outcome& outcome) {
    std::string const at = " at position " + std::to_string(outcome.position.value);
    switch (outcome.kind) {
    case Outcome::Kind::met: return "met" + at;
    case Outcome::Kind::exhausted: return "the budget ended first" + at;
    case Outcome::Kind::ended: break;
    }
    std::string text = reason_text(outcome.result.reason);
    if (outcome.result.reason == StopReason::exit) text += " with value " + std::to_string(outcome.result.value);
    if (!outcome.result.report.empty()) text += ": " + outcome.result.report;
    return text + at;
}

Session::Session(Machine machine, std::shared_ptr<const LogHeader> header, std::shared_ptr<const Record> record)
    : machine_(std::move(machine)), header_(std::move(header)), record_(std::make_shared<Record>()) {
    record_->before = std::move(record);
    record_->now = {machine_.position(), machine_.cycles()};
}

Session Session::fork() {
    bool const news = !record_->entries.empty() || std::ranges::any_of(record_->output, [](const std::string& text) { return !text.empty(); });
    if (news) {
        // What was read is the past of both; what was not is before both.
        auto next = std::make_shared<Record>();
        for (std::size_t i = 0; i < read_.size(); ++i) {
            next->output[i] = record_->output[i].substr(read_[i]);
            record_->output[i].resize(read_[i]);
            read_[i] = 0;
        }
        next->before = std::move(record_);
        record_ = std::move(next);
        record_->now = {machine_.position(), machine_.cycles()};
    }
    Session child{machine_.fork(), header_, record_->before};
    child.record_->output = record_->output;
    child.symbols_ = symbols_;
    child.witness_ = witness_;
    child.typed_ = typed_;
    return child;
}

void Session::stamp() {
    record_->now = {machine_.position(), machine_.cycles()};
    if (witness_) witness_->last = record_;
}

void Session::type(std::string_view text) {
    typed_.insert(typed_.end(), text.begin(), text.end());
    offer();
    stamp();
}

void Session::offer() {
    std::size_t const size = std::min({typed_.size(), std::size_t{machine_.input_room()}, LogEntry::input_bytes_max});
    if (size == 0) return;
    auto const end = typed_.begin() + static_cast<std::ptrdiff_t>(size);
    Input const input{.kind = Input::Kind::serial, .bytes = {typed_.begin(), end}};
    record_->entries.push_back(LogEntry::of({machine_.position(), machine_.cycles()}, input));
    CHECK(machine_.apply(input) == size, "the machine takes what it has room for");
    typed_.erase(typed_.begin(), end);
}

Outcome Session::run_until(const Condition& condition, const Budget& budget) {
    Until until;
    until.position = Position{saturated(machine_.position().value, budget.instructions)};
    until.cycles = Cycles{saturated(machine_.cycles().value, budget.time_ns)};
    bool const text = is_text(condition);
    std::size_t const channel = index(channel_of(condition));
    std::array<Watch, 1> watch{Watch{condition, read_[channel]}};
    Outcome outcome = run_until(watch, until);
    if (text && outcome) read_[channel] = watch[0].read;
    return outcome;
}

Outcome Session::run_until(std::span<Watch> watches, const Until& until) {
    Outcome outcome = advance(watches, until);
    outcome.position = machine_.position();
    stamp();
    return outcome;
}

/// Runs in one go, but while input waits for room: then in slices of virtual time.
Outcome Session::advance(std::span<Watch> watches, Until until) {
    std::vector<Listener> listeners;
    for (std::size_t i = 0; i < watches.size(); ++i) {
        Condition const& condition = watches[i].condition;
        until.idle |= condition.kind == Condition::Kind::idle;
        if (!is_text(condition)) continue;
        Channel const channel = channel_of(condition);
        std::string_view const text = output(channel).substr(watches[i].read);
        std::size_t const found = text.find(condition.text);
        if (found != std::string_view::npos) {
            watches[i].read += found + condition.text.size();
            return {.kind = Outcome::Kind::met, .which = i};
        }
        listeners.push_back({i, channel, TextMatcher{condition.text}});
        std::size_t const tail = std::min(text.size(), condition.text.size());  // a text that has begun may be completed
        for (char const c : text.substr(text.size() - tail)) listeners.back().matcher.feed(static_cast<u8>(c));
    }
    Ears ears{*record_, listeners};
    for (;;) {
        offer();
        Until piece = until;
        piece.idle &= machine_.unread_input() == 0 && typed_.empty();  // a guest with input before it does not wait
        bool const hurried = until.idle && !piece.idle;  // looks again when the input has been read
        if (waits_for_room() || hurried) piece.cycles = std::min(until.cycles, Cycles{saturated(machine_.cycles().value, room_every_ns)});
        RunResult const result = machine_.run(piece, ears);
        if (ears.heard()) {
            Watch& watch = watches[*ears.heard()];
            watch.read = output(channel_of(watch.condition)).size();
            return {.kind = Outcome::Kind::met, .which = *ears.heard(), .result = result};
        }
        for (std::size_t i = 0; i < watches.size(); ++i)
            if (meets(watches[i].condition, result)) return {.kind = Outcome::Kind::met, .which = i, .result = result};
        if (is_end(result.reason)) return {.kind = Outcome::Kind::ended, .result = result};
        for (std::size_t i = 0; i < watches.size(); ++i)
            if (result.reason == StopReason::idle && piece.idle && watches[i].condition.kind == Condition::Kind::idle)
                return {.kind = Outcome::Kind::met, .which = i, .result = result};
        bool const limit = machine_.position() >= until.position || machine_.cycles() >= until.cycles;
        if (limit) return {.kind = Outcome::Kind::exhausted, .result = result};
        bool const stuck = result.reason == StopReason::idle && (typed_.empty() || machine_.input_room() == 0);
        if (stuck) return {.kind = Outcome::Kind::ended, .result = result};
    }
}

namespace {

/// Calls use(physical address, offset, bytes) for each part of a linear range that lies in one page.
template <class Use>
Expected<Done> in_pages(Machine& machine, GuestVirt from, std::size_t size, const Use& use) {
    for (std::size_t done = 0; done < size;) {
        GuestVirt const at = from + done;
        std::size_t const part = std::min<std::size_t>(size - done, page_size - (at.value & (page_size - 1)));
        auto const physical = machine.physical(at);
        if (!physical || !use(*physical, done, part))
            return Error{"address " + std::to_string(at.value) + ": " + (physical ? "no RAM there" : "no page is mapped there") + " at position " +
                         std::to_string(machine.position().value)};
        done += part;
    }
    return Done{};
}

}  // namespace

Expected<Done> Session::read(GuestVirt from, std::span<u8> to) {
    return in_pages(machine_, from, to.size(), [&](GuestPhys at, std::size_t offset, std::size_t size) {
        return machine_.memory().copy_out(at, to.subspan(offset, size));
    });
}

Expected<Done> Session::write(GuestVirt to, std::span<const u8> bytes) {
    auto const result = in_pages(machine_, to, bytes.size(), [&](GuestPhys at, std::size_t offset, std::size_t size) {
        std::span<const u8> const part = bytes.subspan(offset, size);
        Input const input{.kind = Input::Kind::memory, .bytes = {part.begin(), part.end()}, .at = at};
        if (machine_.apply(input) != size) return false;
        record_->entries.push_back(LogEntry::of({machine_.position(), machine_.cycles()}, input));
        return true;
    });
    stamp();
    return result;
}

Expected<Done> Session::read_disk(std::size_t place, u64 from, std::span<u8> to) {
    if (from > DiskImage::bytes_max || to.empty()) return Error{"disk " + std::to_string(place) + ": no such bytes"};
    u64 const first = from / Disk::sector_bytes, inside = from % Disk::sector_bytes;
    std::vector<u8> sectors((inside + to.size() + Disk::sector_bytes - 1) / Disk::sector_bytes * Disk::sector_bytes);
    TRY(machine_.read_disk(place, first, sectors));
    std::copy_n(sectors.begin() + static_cast<std::ptrdiff_t>(inside), to.size(), to.begin());
    return Done{};
}

Expected<Done> Session::enter(const Input& input, const std::string& what) {
    if (machine_.apply(input) != std::max<std::size_t>(input.bytes.size(), 1)) return Error{what + " at position " + std::to_string(machine_.position().value)};
    record_->entries.push_back(LogEntry::of({machine_.position(), machine_.cycles()}, input));
    stamp();
    return Done{};
}

Expected<Done> Session::write_disk(std::size_t place, u64 to, std::span<const u8> bytes) {
    for (std::size_t done = 0; done < bytes.size();) {
        auto const part = bytes.subspan(done, std::min(bytes.size() - done, LogEntry::input_bytes_max));
        TRY(enter({.kind = Input::Kind::disk, .bytes = {part.begin(), part.end()}, .at = GuestPhys{to + done}, .value = place},
                  "disk " + std::to_string(place) + ": byte " + std::to_string(to + done) + " does not lie on it"));
        done += part.size();
    }
    return Done{};
}

Expected<Done> Session::delay_disk(u64 cycles) { return enter({.kind = Input::Kind::disk_delay, .value = cycles}, "the machine has no disk to delay"); }

Expected<Done> Session::interrupt(unsigned line) {
    return enter({.kind = Input::Kind::interrupt, .value = line}, "interrupt line " + std::to_string(line) + ": there are 0 to 15, without 2");
}

Expected<GuestVirt> Session::address(const std::string& symbol) const {
    if (!symbols_) return Error{symbol + ": no symbols are loaded; the kernel image has none, so name an ELF file, a System.map or a dump of /proc/kallsyms"};
    if (auto const found = symbols_->address(symbol)) return *found;
    return Error{symbol + ": no such symbol among " + std::to_string(symbols_->size())};
}

namespace {

struct RegisterName {
    std::string_view name;
    u64 (*value)(const Cpu&);
};

template <unsigned N>
u64 general(const Cpu& cpu) {
    return cpu.gpr[N];
}

constexpr std::array register_names = {
    RegisterName{"rax", general<RAX>}, RegisterName{"rcx", general<RCX>}, RegisterName{"rdx", general<RDX>}, RegisterName{"rbx", general<RBX>},
    RegisterName{"rsp", general<RSP>}, RegisterName{"rbp", general<RBP>}, RegisterName{"rsi", general<RSI>}, RegisterName{"rdi", general<RDI>},
    RegisterName{"r8", general<R8>},   RegisterName{"r9", general<R9>},   RegisterName{"r10", general<R10>}, RegisterName{"r11", general<R11>},
    RegisterName{"r12", general<R12>}, RegisterName{"r13", general<R13>}, RegisterName{"r14", general<R14>}, RegisterName{"r15", general<R15>},
    RegisterName{"rip", [](const Cpu& cpu) { return cpu.rip; }},
    RegisterName{"rflags", [](const Cpu& cpu) { return cpu.rflags; }},
    RegisterName{"cr0", [](const Cpu& cpu) { return u64{cpu.cr0}; }},
    RegisterName{"cr2", [](const Cpu& cpu) { return cpu.cr2; }},
    RegisterName{"cr3", [](const Cpu& cpu) { return cpu.cr3; }},
    RegisterName{"cr4", [](const Cpu& cpu) { return u64{cpu.cr4}; }},
};

}  // namespace

std::optional<u64> Session::reg(std::string_view name) const {
    auto const found = std::ranges::find(register_names, name, &RegisterName::name);
    if (found == register_names.end()) return std::nullopt;
    return found->value(machine_.cpu());
}

bool is_register(std::string_view name) { return std::ranges::find(register_names, name, &RegisterName::name) != register_names.end(); }

void Session::note(LogEntry entry) {
    entry.at = {machine_.position(), machine_.cycles()};
    record_->entries.push_back(std::move(entry));
}

}  // namespace ramet
