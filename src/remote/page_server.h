// PageServer: gives a child on another host the memory of the machine it was forked from, as it was at the fork. The memory is frozen: a fork of
// the parent's that nobody runs. Pages that the child asks for go out ahead of all else; the others are pushed, if wanted, nearest to recent faults
// first. Zeros are told in runs, and pages that the child may know by their hash.
//
// When the parent is about to write a page that has not gone: `keep` lets it have a copy and keeps the old page here; `send` sends the page first,
// and the write waits until the child has it: then the old page is given up and the write needs no copy. While the link is broken, `send` keeps.
//
// Threads: serve() runs on one thread; everything else may be called on others. The parent's thread waits in about_to_write(), on its fiber if it
// has one. Bounded: a window of bytes that the child has not confirmed, which shrinks while the child is asking.
// Tests: tests/remote/page_server_test.cpp, migration_test.cpp.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>

#include "remote/link.h"
#include "remote/messages.h"
#include "remote/page_ledger.h"
#include "remote/push_order.h"

namespace ramet {

enum class OnWrite : u8 { keep, send };

struct ServeOptions {
    static constexpr u64 unlimited = ~u64{0};
    OnWrite on_write = OnWrite::keep;
    u64 push_bytes_per_s = unlimited;    // 0: only what is asked for
    std::vector<Frame> first = {};       // to push before all else
    bool names = false;                  // the child knows pages by their hash
    bool release = false;                // give pages back as the child confirms them
};

struct ServeStats {
    u64 total = 0;      // frames of RAM
    u64 confirmed = 0;  // frames that the child has
    u64 demanded = 0;   // pages sent because the child asked
    u64 pushed = 0;     // pages sent unasked
    u64 before_write = 0;
    u64 named = 0;      // pages told by hash alone
    u64 zeros = 0;
};

class PageServer final : public WriteWatch {
public:
    PageServer(const std::vector<RamRange>& ranges, ServeOptions options, std::shared_ptr<Wakeup> parent = nullptr);

    /// The child knows pages by their hash. Before start().
    void name_pages() { options_.names = true; }
    /// From here on pages can be served, and writes may wait for serve(), which has to follow. Pushing takes a processor for some milliseconds, which
    /// on a small host is the one that the child is being made on: it can wait for child_runs().
    enum class Push : u8 { at_once, when_child_runs };
    void start(Memory frozen, Push push = Push::at_once);
    void child_runs();
    /// Whatever the options said: everything goes out as fast as it can.
    void push_all();

    /// What a message means that the server does not know itself: false, and it is not the server's either.
    using Other = std::function<Expected<bool>(const WireFrame&)>;
    /// Serves until the child has everything, stop() was called, or the link breaks (an error); then serve() may be called again, after restart().
    Expected<Done> serve(Link& link, const Other& other);
    /// What the child lacks, at the beginning of a new link.
    Expected<Done> restart(const std::vector<RamRange>& lacks);
    void stop();
    bool complete() const;

    void about_to_write(Frame frame) override;

    /// Frames that the child asks for and the parent itself lacks; supply() when `from` has more. False before start(): ask again.
    std::vector<Frame> lacking() const;
    bool supply(Memory& from);
    /// What the child asked for so far, in order.
    std::vector<Frame> asked() const;
    ServeStats stats() const;
    /// Wakes serve(), and is signalled by nobody else.
    Wakeup& wakeup() { return wakeup_; }
    /// The frozen memory back, for a machine that is taken back. serve() must have returned.
    Memory take();

private:
    using Lock = std::unique_lock<std::mutex>;
    Expected<Done> handle(const WireFrame& message, const Other& other);
    void wanted(Frame frame);
    void confirmed(u64 sequence);
    /// Queues what may go out now; the time of the next push if that is limited by its rate.
    Expected<u64> fill(Link& link);
    bool send_asked(Link& link);
    bool push(Link& link, std::size_t room);
    bool push_zeros(Link& link);
    void tell_zeros(Link& link, Runs message);
    void send_frames(Link& link, const std::vector<Frame>& frames, PageLedger::Fate as);
    void broken();

    ServeOptions options_;
    std::shared_ptr<Wakeup> const parent_;  // signalled when a write that waits may go on
    Wakeup wakeup_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Memory> frozen_;
    PageLedger ledger_;
    PushOrder order_;
    std::deque<Frame> asked_;         // to be sent next
    std::deque<Frame> before_write_;  // the same, because a write waits for them
    u64 writes_waiting_ = 0;
    std::vector<bool> queued_;        // by frame: in asked_
    std::set<Frame> lacking_;
    std::vector<Frame> history_;
    Frame zeros_next_;
    bool lacks_ = false;  // the parent's own memory may be incomplete
    bool serving_ = false;
    bool stop_ = false;
    bool pushes_ = false;
    u64 last_ask_ns_ = 0;
    u64 push_from_ns_ = 0;
    u64 push_bytes_ = 0;
    ServeStats stats_;
};

}  // namespace ramet
