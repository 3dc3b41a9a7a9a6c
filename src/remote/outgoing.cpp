#include "remote/outgoing.h"

#include <algorithm>
#include <filesystem>

#include <sys/random.h>

#include "base/state.h"
#include "machine/boot/placement.h"
#include "remote/follow.h"
#include "remote/host_time.h"
#include "replay/lineage.h"

namespace ramet {

namespace {

constexpr u64 retry_ns = 200 * ns_per_ms;
constexpr u64 fork_patience_ns = 60 * ns_per_s;  // a child whose source stays away that long is left to itself
constexpr u64 log_bytes_max = u64{1} << 30;

SessionName random_name() {
    SessionName made = {};
    CHECK(getrandom(made.data(), made.size(), 0) == static_cast<ssize_t>(made.size()), "random bytes from the host");
    return made;
}

}  // namespace

const char* phase_text(Outgoing::Phase phase) {
    switch (phase) {
    case Outgoing::Phase::connecting: return "connecting";
    case Outgoing::Phase::serving: return "sending";
    case Outgoing::Phase::no_link: return "waiting for the other host";
    case Outgoing::Phase::finished: return "finished";
    case Outgoing::Phase::taken_back: return "taken back";
    case Outgoing::Phase::failed: return "failed";
    }
    return "unknown";
}

Outgoing::Outgoing(MoveOptions options, std::shared_ptr<Departing> parent, std::shared_ptr<Wakeup> wakeup, u64 epoch)
    : options_(std::move(options)), parent_(std::move(parent)), wakeup_(std::move(wakeup)), session_(random_name()), right_(epoch), begun_ns_(host_ns()) {
    thread_ = std::thread{[this] { run(); }};
}

Outgoing::~Outgoing() {
    abandon();
    thread_.join();
}

void Outgoing::run() {
    auto const result = move();
    if (tap_) parent_->at_boundary([this](Machine&, Recorder& recorder) { recorder.remove_tap(*tap_); });
    if (!result) set_phase(Phase::failed, result.error().text);
    wakeup_->signal();
}

void Outgoing::set_phase(Phase phase, const std::string& error) {
    std::lock_guard const lock(mutex_);
    report_.phase = phase;
    report_.error = error;
    report_.total_ns = host_ns() - begun_ns_;
    if (server_) report_.pages = server_->stats();
    if (link_) report_.bytes = link_->bytes_sent();
}

Expected<Done> Outgoing::move() {
    link_.emplace(TRY(connect_to(options_.to, options_.key_file, options_.ssh_command)), options_.packing);
    TRY(greet(*link_));
    TRY(propose());
    TRY(go());
    TRY(serve());
    return wanted_back() && !done_ && !server_->complete() ? bring_back() : finish();
}

Expected<Done> Outgoing::propose() {
    Expected<Done> flushed = Done{};
    std::vector<RamRange> ranges;
    bool const there = parent_->at_boundary([&](Machine& machine, Recorder& recorder) {
        flushed = recorder.flush();
        header_ = recorder.header();
        log_path_ = recorder.writer().path();
        log_bytes_ = recorder.writer().bytes_written();
        entries_sent_ = recorder.entries();
        ranges = machine.memory().ranges();
        tap_ = recorder.add_tap([this](const LogEntry& entry) { tail_.push_back(entry); });
    });
    if (!there) return Error{"the machine is gone"};
    TRY(std::move(flushed));
    auto const server = std::make_shared<PageServer>(ranges, options_.serve, wakeup_);  // a byte for each frame, which had better not be written just before the pause
    Propose const proposal{.session = session_, .kind = options_.kind, .epoch = right_.epoch() + 1, .name = options_.name, .lease_ms = options_.lease_ms, .has_log = true, .header = header_};
    send(*link_, MessageKind::propose, proposal.bytes());
    TRY(send_logs());
    auto const ready = TRY(Ready::parse(TRY(await(*link_, MessageKind::ready)).bytes));
    if (ready.knows_pages) server->name_pages();
    {
        std::lock_guard const lock(mutex_);
        server_ = server;
    }
    if (hurry_) server->push_all();
    return Done{};
}

/// The machine's log and its ancestors', oldest first: with them the child's host can make any page, should we die.
Expected<Done> Outgoing::send_logs() {
    auto const lineage = TRY(Lineage::open(log_path_));
    for (const auto& log : lineage->logs) {
        File const file = TRY(File::open(log->path()));
        u64 const size = log == lineage->logs.back() ? log_bytes_ : TRY(file.size());  // what came later goes as the tail
        if (size > log_bytes_max) return Error{log->path() + ": this log is too long to go along"};
        for (u64 at = 0; at < size; at += LogPiece::bytes_max) {
            send(*link_, MessageKind::log, LogPiece{log->name(), at, TRY(file.read(at, std::min(LogPiece::bytes_max, size - at)))}.bytes());
            while (link_->unsent() > LogPiece::bytes_max) {
                TRY(link_->flush());
                link_->wait(patience_ns);
            }
        }
    }
    return Done{};
}

Expected<Done> Outgoing::go() {
    std::string obstacle = "the machine is gone";
    parent_->at_boundary([&](Machine& machine, Recorder& recorder) {
        obstacle = parent_->obstacle();
        if (obstacle.empty()) depart(machine, recorder);
    });
    if (!obstacle.empty()) return Error{obstacle};
    set_phase(Phase::serving);
    return Done{};
}

/// The pause. On the parent's thread: from here until the end nothing depends on the size of the memory.
void Outgoing::depart(Machine& machine, Recorder& recorder) {
    departed_ns_ = host_ns();
    recorder.remove_tap(*std::exchange(tap_, std::nullopt));
    Memory frozen = machine.memory().fork();
    at_ = child_at_ = {machine.position(), machine.cycles()};
    state_ = machine.state();
    disks_ = machine.disks();
    right_.give();
    if (options_.kind == MoveKind::migrate) typed_ = parent_->away();
    Go const message{.epoch = right_.epoch(), .at = at_, .log_entries = recorder.entries(), .log_tail = entries_bytes(tail_), .typed = typed_, .state = state_bytes(*state_)};
    send(*link_, MessageKind::go, message.bytes());
    static_cast<void>(link_->flush());  // serve() finds out
    lease_until_ns_ = host_ns() + lease_ns();
    server_->start(std::move(frozen), PageServer::Push::when_child_runs);
    if (options_.kind == MoveKind::migrate)
        for (const RamRange& range : machine.memory().ranges()) machine.memory().release(range);  // what is left is the frozen memory, which goes page by page
    else
        machine.memory().watch_writes(server_);
    std::lock_guard const lock(mutex_);
    report_.departed_at_ns = departed_ns_;
    report_.stopped_ns = host_ns() - departed_ns_;
}

Expected<Done> Outgoing::serve() {
    for (;;) {
        auto const served = server_->serve(*link_, [this](const WireFrame& message) { return handle(message); });
        if (served || done_ || abandon_ || wanted_back()) return Done{};
        set_phase(Phase::no_link, served.error().text);
        auto const connected = reconnect();
        if (wanted_back()) return Done{};
        TRY(Expected<Done>{connected});
        if (done_) return Done{};
        set_phase(Phase::serving);
    }
}

Expected<Done> Outgoing::reconnect() {
    link_.reset();
    u64 const since = host_ns();
    bool refused = false;
    auto const try_once = [&]() -> Expected<Done> {
        link_.emplace(TRY(connect_to(options_.to, options_.key_file, options_.ssh_command)), options_.packing);
        TRY(greet(*link_));
        send(*link_, MessageKind::resume, Resume{session_, right_.epoch()}.bytes());
        std::vector<RamRange> lacks;
        for (bool more = true; more;) {
            WireFrame const answer = TRY(await(*link_));
            if (is(answer, MessageKind::done)) {  // it has everything since before the link broke
                TRY(handle(answer));
                return Done{};
            }
            if (is(answer, MessageKind::refuse)) {
                refused = true;
                return Error{"the peer says: " + TRY(Refuse::parse(answer.bytes)).text};
            }
            if (!is(answer, MessageKind::lacks)) return Error{"the peer answers something that has no meaning now"};
            Runs const runs = TRY(Runs::parse(answer.bytes));
            lacks.insert(lacks.end(), runs.runs.begin(), runs.runs.end());
            more = runs.more;
        }
        return server_->restart(lacks);
    };
    for (;;) {
        if (abandon_ || wanted_back()) return Error{"given up"};
        auto const connected = try_once();
        if (connected) return Done{};
        link_.reset();
        if (options_.kind == MoveKind::fork && refused) return Error{"the child is gone (" + connected.error().text + ")"};
        if (options_.kind == MoveKind::fork && host_ns() - since > fork_patience_ns) return connected;
        set_phase(Phase::no_link, connected.error().text);
        std::this_thread::sleep_for(std::chrono::nanoseconds{retry_ns});
    }
}

/// What the child says besides asking for pages.
Expected<bool> Outgoing::handle(const WireFrame& message) {
    switch (static_cast<MessageKind>(message.kind)) {
    case MessageKind::started: {
        server_->child_runs();
        std::lock_guard const lock(mutex_);
        if (report_.started_ns == 0) report_.started_ns = host_ns() - departed_ns_;
        return true;
    }
    case MessageKind::ping:
        if (!right_.renews(right_.epoch())) return true;
        lease_until_ns_ = host_ns() + lease_ns();
        send(*link_, MessageKind::pong, message.bytes);
        return true;
    case MessageKind::inputs: {
        Inputs const inputs = TRY(Inputs::parse(message.bytes));
        std::vector<LogEntry> const entries = TRY(parse_entries(inputs.entries));
        for (const LogEntry& entry : entries)
            if (entry.at < child_at_ || entry.at > inputs.at) return Error{"the peer's inputs go back in time"};
        if (inputs.at < child_at_) return Error{"the peer's machine goes back in time"};
        child_entries_.insert(child_entries_.end(), entries.begin(), entries.end());
        child_at_ = inputs.at;
        return true;
    }
    case MessageKind::fenced:
        right_.fenced(TRY(parse_number(message.bytes)));
        fenced_ = true;
        return true;
    case MessageKind::done:
        if (TRY(parse_number(message.bytes)) != right_.epoch()) return Error{"the peer confirms another epoch"};
        right_.complete();
        right_.done();
        done_ = true;
        return true;
    default: return false;
    }
}

/// The child has all: it is told so until it has confirmed.
Expected<Done> Outgoing::finish() {
    if (abandon_ || !(done_ || server_->complete())) {
        set_phase(Phase::failed, "given up");
        return Done{};
    }
    bool const migrates = options_.kind == MoveKind::migrate;
    if (!done_ && !link_) return Error{"the other host has all of the machine and does not answer; it cannot be taken back any more"};
    right_.complete();
    for (u64 const until = host_ns() + patience_ns; !done_ && !abandon_;) {
        auto const told = [&]() -> Expected<Done> {
            send(*link_, MessageKind::complete, number_bytes(right_.epoch()));
            for (u64 const round = host_ns() + ns_per_s; !done_ && host_ns() < round;) {
                auto const message = TRY(await(*link_, ns_per_s));
                if (!TRY(handle(message)) && !is(message, MessageKind::want) && !is(message, MessageKind::got)) return Error{"the peer says something that has no meaning now"};
            }
            return Done{};
        }();
        if (done_ || (!migrates && host_ns() > until)) break;
        if (!told) {
            set_phase(Phase::no_link, told.error().text);
            TRY(reconnect());
        }
    }
    if (migrates && done_) parent_->left();
    if (!migrates) parent_->at_boundary([this](Machine& machine, Recorder&) { machine.memory().unwatch_writes(server_.get()); });
    set_phase(Phase::finished);
    return Done{};
}

/// Fences the child, or waits until its lease is over, and gives the machine back to whoever runs it.
Expected<Done> Outgoing::bring_back() {
    if (!right_.take_back()) return Error{"the machine cannot be taken back any more: the other host has all of it"};
    auto const ask = [&]() -> Expected<Done> {
        send(*link_, MessageKind::fence, number_bytes(right_.epoch()));
        while (!fenced_ && host_ns() < lease_until_ns_) {
            auto const message = TRY(await(*link_, lease_until_ns_ - std::min(lease_until_ns_, host_ns())));
            static_cast<void>(TRY(handle(message)));
        }
        return Done{};
    };
    if (link_) static_cast<void>(ask());  // if that fails, the end of the lease decides
    u64 const margin_ns = lease_ns() / 10;  // two hosts' clocks differ by less than that over a lease
    while (!fenced_ && host_ns() < lease_until_ns_ + margin_ns) std::this_thread::sleep_for(std::chrono::nanoseconds{10 * ns_per_ms});
    right_.lease_ended();
    link_.reset();
    Memory memory = server_->take();
    if (!memory.absent_frames(Frame{}, 1).empty()) {  // given back already: the log makes them again
        Machine made = TRY(rebuild(log_path_, at_, std::make_shared<PagePool>()));
        for (Frame const frame : memory.absent_frames(Frame{}, ~std::size_t{0}))
            memory.install(frame, std::span<const u8, page_size>{made.memory().read(frame), page_size});
    }
    TRY(parent_->returned(Machine::restore(*state_, std::move(memory), disks_), child_entries_, child_at_, typed_));
    set_phase(Phase::taken_back);
    return Done{};
}

void Outgoing::take_back() {
    take_back_ = true;
    if (auto const server = this->server()) server->stop();
}

void Outgoing::hurry() {
    if (hurry_.exchange(true)) return;
    if (auto const server = this->server()) server->push_all();
}

void Outgoing::abandon() {
    abandon_ = true;
    if (auto const server = this->server()) server->stop();
}

bool Outgoing::over() const {
    std::lock_guard const lock(mutex_);
    return report_.phase == Phase::finished || report_.phase == Phase::taken_back || report_.phase == Phase::failed;
}

std::shared_ptr<PageServer> Outgoing::server() const {
    std::lock_guard const lock(mutex_);
    return server_;
}

Outgoing::Ahead Outgoing::ahead(const Report& report) {
    u64 const there = report.pages.confirmed, us = report.total_ns / 1000;
    Ahead ahead{.pages = report.pages.total - there};
    if (there == 0 || us == 0) return ahead;
    ahead.ms = us * ahead.pages / there / 1000;
    ahead.bytes_per_s = there * page_size * 1'000'000 / us;
    return ahead;
}

Outgoing::Report Outgoing::report() const {
    std::lock_guard const lock(mutex_);
    Report report = report_;
    if (report.phase == Phase::serving || report.phase == Phase::no_link) {
        report.total_ns = host_ns() - begun_ns_;
        if (server_) report.pages = server_->stats();
    }
    return report;
}

}  // namespace ramet
