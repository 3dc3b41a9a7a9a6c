// Incoming: one machine on its way to this host. It takes the proposal and the logs, makes the machine when `go` comes, and feeds its pager until
// all memory is here. Nothing blocks: pump() handles what has come. The link may break and come back; the machine runs as far as it comes, and
// for a migration as long as its lease lasts.
//
// Threads: all of it, with its machine, belongs to one thread.
// Tests: tests/remote/migration_test.cpp, fault_test.cpp.
#pragma once

#include <memory>
#include <optional>

#include "remote/handshake.h"
#include "remote/ownership.h"
#include "remote/pager.h"
#include "replay/lineage.h"
#include "replay/recorder.h"

namespace ramet {

class Incoming {
public:
    /// A machine that has just arrived; its pages have not.
    using Arrived = std::function<void(Machine machine)>;

    Incoming(std::unique_ptr<Link> link, Propose proposal, std::shared_ptr<PagePool> pool, std::shared_ptr<KnownPages> known, DiskImages disks, Arrived arrived);
    ~Incoming();

    const Propose& proposal() const { return proposal_; }
    /// Handles what there is; never waits.
    void pump();
    /// A new link of the same session, after the old one broke.
    void resume(std::unique_ptr<Link> link, u64 epoch);

    /// The machine may run now.
    bool may_run() const;
    /// `go` is due at any moment: whoever asks does well not to sleep, because the machine stands still from when it is sent. True for a short time
    /// only, whatever the peer does or does not.
    bool go_is_due() const;
    /// It will never run again here.
    bool fenced() const { return right_.state() == TargetRight::State::fenced; }
    /// Before the machine arrived something went wrong: nothing is here, and nothing will be.
    bool failed() const { return failed_; }
    /// Everything is here and the source has let go.
    bool finished() const { return finished_; }
    bool connected() const { return link_ != nullptr; }
    /// A migration whose source waits for its end.
    bool is_arriving() const { return proposal_.kind == MoveKind::migrate && connected() && !finished_ && !fenced(); }
    /// What was typed at the source and the machine has not read: once.
    std::vector<u8> take_typed() { return std::exchange(typed_, {}); }
    const std::string& error() const { return error_; }
    Link* link() { return link_.get(); }
    Pager& pager() { return *pager_; }
    const std::shared_ptr<Pager>& shared_pager() const { return pager_; }
    u64 epoch() const { return right_.epoch(); }
    const Moment& forked_at() const { return at_; }

    /// Writes the logs that came along into a directory, once; the header for the child's own log there.
    Expected<LogHeader> keep_logs(const std::string& directory);
    /// An input was given to the machine; the source will need it, should this host die.
    void note(const LogEntry& entry) { entries_.push_back(entry); }
    /// Something here keeps the machine from running, for good: its source is told.
    void refuse_for_good(const std::string& why) { lost(why, Tell::source), failed_ = true; }
    /// It has run for the first time, or waits for a page: its source is told, and what the source does then does not come before it.
    void has_run();
    /// How far the machine is, at a boundary.
    void progress(const Moment& at) { progress_ = at; }
    /// The source is gone for good, somebody says. What makes the missing pages: the machine of a log, which is in the directory now, as of a moment.
    struct Missing {
        std::string log;  // empty: no page is missing
        Moment at;
        std::shared_ptr<PagePool> pool;
    };
    Expected<Missing> missing(const std::string& directory);
    /// That machine, if any page was missing.
    Expected<Done> take_over(std::optional<Machine> made);

private:
    Expected<Done> handle(const WireFrame& message);
    Expected<Done> take(LogPiece piece);
    Expected<Done> take(const Go& go);
    enum class Tell : u8 { nobody, source };
    void lost(const std::string& why, Tell tell);
    void tell_progress();
    void tell_progress_now();
    void ask_for_lease();
    u64 lease_ns() const { return u64{proposal_.lease_ms} * 1'000'000; }

    std::unique_ptr<Link> link_;
    Propose proposal_;
    std::shared_ptr<PagePool> pool_;
    std::shared_ptr<Pager> pager_;
    DiskImages disks_;
    Arrived arrived_;
    TargetRight right_;
    std::vector<CarriedLog> logs_;  // the machine's own last; without bytes once they are kept
    u64 log_bytes_ = 0;
    bool kept_ = false;
    std::string kept_path_;  // of the machine's own log, from the directory
    std::vector<u8> log_tail_;
    std::vector<u8> typed_;
    u64 log_entries_ = 0;
    Moment at_;
    std::vector<LogEntry> entries_;
    Moment progress_;
    Moment told_;
    u64 told_ns_ = 0;
    u64 asked_ns_ = 0;
    u64 go_due_until_ns_ = 0;
    u64 lease_until_ns_ = 0;
    bool ready_ = false;
    bool arrived_once_ = false;
    bool told_started_ = false;
    bool failed_ = false;
    bool finished_ = false;
    std::string error_;
};

}  // namespace ramet
