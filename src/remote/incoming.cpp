#include "remote/incoming.h"

#include <algorithm>

#include "base/state.h"
#include "machine/boot/placement.h"
#include "remote/follow.h"
#include "remote/host_time.h"
#include "replay/lineage.h"

namespace ramet {

namespace {

constexpr u64 log_bytes_max = u64{64} << 20;  // of one machine with its ancestors, in memory until it arrives
constexpr std::size_t log_count_max = Lineage::depth_max;
constexpr u64 tell_every_ns = 20 * ns_per_ms;
constexpr std::size_t entries_at_once = 256;
constexpr u64 go_due_ns = 4 * ns_per_ms;  // between `ready`, or a piece of a log, and `go`, of a source that is not slow

}  // namespace

Incoming::Incoming(std::unique_ptr<Link> link, Propose proposal, std::shared_ptr<PagePool> pool, std::shared_ptr<KnownPages> known, DiskImages disks, Arrived arrived)
    : link_(std::move(link)), proposal_(std::move(proposal)), pool_(std::move(pool)), disks_(std::move(disks)), arrived_(std::move(arrived)) {
    bool const knows = known != nullptr && !known->empty();
    pager_ = std::make_shared<Pager>(pool_, memory_ranges(proposal_.header.configuration), std::move(known));
    pager_->connect(link_.get());
    pager_->set_pump([this] {
        if (link_) link_->wait(ns_per_ms);
        pump();
        return !failed_;
    });
    asked_ns_ = host_ns();
    go_due_until_ns_ = asked_ns_ + go_due_ns;
    send(*link_, MessageKind::ready, Ready{knows}.bytes());  // whose answer is `go`: it renews the lease as of now
}

Incoming::~Incoming() {
    pager_->set_pump({});
    pager_->connect(nullptr);
    if (!pager_->complete()) pager_->give_up();
}

void Incoming::pump() {
    if (!link_) return;
    auto const run = [&]() -> Expected<Done> {
        while (auto const message = TRY(link_->receive())) {
            TRY(handle(*message));
            if (!link_ || finished_) return Done{};
        }
        ask_for_lease();
        tell_progress();
        return link_->flush();
    };
    auto const result = run();
    if (!result) lost(result.error().text, arrived_once_ ? Tell::nobody : Tell::source);
}

void Incoming::lost(const std::string& why, Tell tell) {
    if (link_ && tell == Tell::source) refuse(*link_, why);
    error_ = why;
    pager_->connect(nullptr);
    link_.reset();
    if (!arrived_once_) failed_ = true;
}

void Incoming::resume(std::unique_ptr<Link> link, u64 epoch) {
    if (failed_) return refuse(*link, error_);
    if (epoch != right_.epoch() || !arrived_once_ || fenced()) return refuse(*link, "this session has another epoch, or is over");
    link_ = std::move(link);
    told_started_ = false;  // the source may not have heard it
    error_.clear();
    for (const Runs& message : pager_->lacks()) send(*link_, MessageKind::lacks, message.bytes());
    pager_->connect(link_.get());
    asked_ns_ = 0;
    pump();
}

bool Incoming::may_run() const { return right_.state() == TargetRight::State::owner || (right_.state() == TargetRight::State::leased && host_ns() < lease_until_ns_); }

bool Incoming::go_is_due() const { return !arrived_once_ && !failed_ && host_ns() < go_due_until_ns_; }

void Incoming::has_run() {
    if (!link_ || std::exchange(told_started_, true)) return;
    send(*link_, MessageKind::started);
    static_cast<void>(link_->flush());  // a broken link is found by pump()
}

/// The lease counts from when it was asked for, so that it ends here before the source thinks so.
void Incoming::ask_for_lease() {
    if (proposal_.kind != MoveKind::migrate || right_.state() != TargetRight::State::leased || host_ns() - asked_ns_ < lease_ns() / 5) return;
    asked_ns_ = host_ns();
    send(*link_, MessageKind::ping, number_bytes(asked_ns_));
}

/// What came in while the child lacks pages goes back to the source, which could then replay to where the child was.
void Incoming::tell_progress() {
    if (!arrived_once_ || proposal_.kind != MoveKind::migrate || finished_ || fenced()) return;
    if (!entries_.empty() || host_ns() - told_ns_ >= tell_every_ns) tell_progress_now();
}

void Incoming::tell_progress_now() {
    while (!entries_.empty()) {
        std::size_t const count = std::min(entries_.size(), entries_at_once);
        auto const end = entries_.begin() + static_cast<std::ptrdiff_t>(count);
        Moment const at = std::max(progress_, entries_[count - 1].at);
        send(*link_, MessageKind::inputs, Inputs{count == entries_.size() ? at : entries_[count - 1].at, entries_bytes({entries_.begin(), end})}.bytes());
        told_ = at;
        entries_.erase(entries_.begin(), end);
    }
    if (progress_ > told_) send(*link_, MessageKind::inputs, Inputs{told_ = progress_, {}}.bytes());
    told_ns_ = host_ns();
}

Expected<Done> Incoming::handle(const WireFrame& message) {
    if (Pager::is_mine(message.kind) && arrived_once_) return pager_->handle(message);
    switch (static_cast<MessageKind>(message.kind)) {
    case MessageKind::log:
        if (arrived_once_) break;
        return take(TRY(LogPiece::parse(message.bytes)));
    case MessageKind::go:
        if (arrived_once_) break;
        return take(TRY(Go::parse(message.bytes)));
    case MessageKind::pong: {
        u64 const asked = TRY(parse_number(message.bytes));
        if (asked > host_ns()) return Error{"the peer answers what was never asked"};
        lease_until_ns_ = std::max(lease_until_ns_, asked + lease_ns());
        return Done{};
    }
    case MessageKind::fence: {
        u64 const epoch = TRY(parse_number(message.bytes));
        if (!right_.fence(epoch)) return Error{"the peer wants to fence another epoch"};
        tell_progress_now();  // to the last instruction that anybody has seen the output of: the source goes on from there
        send(*link_, MessageKind::fenced, number_bytes(epoch));
        TRY(link_->flush());
        pager_->give_up();
        return Done{};
    }
    case MessageKind::complete: {
        if (!pager_->complete()) return Error{"the peer says that all memory is here, which is not so"};
        u64 const epoch = TRY(parse_number(message.bytes));
        if (!kept_) return Done{};  // not before a log here could make the machine again; the source asks until it is answered
        if (!right_.complete(epoch)) return Error{"the peer lets go of another epoch"};
        send(*link_, MessageKind::done, number_bytes(epoch));
        TRY(link_->flush());
        finished_ = true;
        return Done{};
    }
    case MessageKind::refuse: return Error{"the peer says: " + TRY(Refuse::parse(message.bytes)).text};
    default: break;
    }
    return Error{"the peer sent a message of kind " + std::to_string(message.kind) + ", which has no meaning now"};
}

Expected<Done> Incoming::take(LogPiece piece) {
    if (logs_.empty() || logs_.back().name != piece.log) {
        if (std::any_of(logs_.begin(), logs_.end(), [&](const CarriedLog& log) { return log.name == piece.log; })) return Error{"the peer sends a log twice"};
        logs_.push_back({piece.log, {}});
    }
    std::vector<u8>& log = logs_.back().bytes;
    if (piece.offset != log.size()) return Error{"the peer's log has a gap"};
    log_bytes_ += piece.data.size();
    go_due_until_ns_ = host_ns() + go_due_ns;
    if (log_bytes_ > log_bytes_max || logs_.size() > log_count_max) return Error{"the peer's logs are longer than 64 MiB"};
    log.insert(log.end(), piece.data.begin(), piece.data.end());
    return Done{};
}

Expected<Done> Incoming::take(const Go& go) {
    MachineState state;
    std::size_t const used = TRY(read_state(go.state, state));
    if (used != go.state.size()) return Error{"the peer's machine has a state that is too long"};
    if (state.identity != proposal_.header.identity) return Error{"the peer sends another machine than it proposed"};
    if (go.epoch != proposal_.epoch) return Error{"the peer gives another epoch than it proposed"};
    TRY(parse_entries(go.log_tail));
    at_ = progress_ = told_ = go.at;
    log_tail_ = go.log_tail;
    typed_ = go.typed;
    log_entries_ = go.log_entries;
    right_.go(go.epoch);
    if (proposal_.kind == MoveKind::fork) right_.own();
    lease_until_ns_ = asked_ns_ + lease_ns();
    arrived_once_ = true;
    arrived_(Machine::restore(state, Memory{pool_, pager_->store().ranges(), pager_}, disks_of(proposal_.header.configuration, disks_)));
    return Done{};
}

Expected<LogHeader> Incoming::keep_logs(const std::string& directory) {
    if (!kept_ && !logs_.empty()) {
        std::vector<u8>& own = logs_.back().bytes;
        if (!log_tail_.empty()) {
            auto const log = TRY(InputLog::read(TRY(File::in_memory(own, "the peer's log"))));
            std::vector<u8> const frame = make_frame(log->last_check(), log_tail_).bytes;
            own.insert(own.end(), frame.begin(), frame.end());
            log_tail_.clear();  // so that it is there once, if keeping fails and is tried again
        }
        kept_path_ = TRY(ramet::keep_logs(directory, logs_));
        for (CarriedLog& log : logs_) log.bytes = {};
    }
    kept_ = true;
    LogHeader header = proposal_.header;
    ByteWriter parent;
    if (!logs_.empty()) parent.digest(logs_.back().name);
    header.origin = {LogOrigin::Kind::fork, kept_path_, parent.finish(), log_entries_, at_, {}};
    return header;
}

Expected<Incoming::Missing> Incoming::missing(const std::string& directory) {
    if (fenced()) return Error{"the source has taken the machine back; it runs there"};
    if (logs_.empty()) return Error{"no log came along, so the missing pages cannot be made here"};
    TRY(keep_logs(directory));  // it may wait for its very first page
    return Missing{pager_->complete() ? "" : directory + "/" + kept_path_, at_, pool_};
}

Expected<Done> Incoming::take_over(std::optional<Machine> made) {
    if (fenced()) return Error{"the source has taken the machine back; it runs there"};
    if (made) pager_->supply(made->memory());
    right_.take_over();
    finished_ = true;
    return Done{};
}

}  // namespace ramet
