// Outgoing: one machine on its way to another host, seen from its source: proposes it, stops the parent for a moment, sends all but the memory, and then
// serves the memory until the child has it all. A fork lets the parent run on; a migration suspends it, gives its memory back as the child
// confirms it (or at the end, when nothing could rebuild it), and can take the machine back until the child has everything.
//
// Threads: a thread of its own talks to the peer; the parent's thread comes in through Departing. docs/migration.md has the states.
// Tests: tests/remote/migration_test.cpp, fault_test.cpp.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "remote/address.h"
#include "remote/handshake.h"
#include "remote/ownership.h"
#include "remote/page_server.h"
#include "replay/recorder.h"

namespace ramet {

struct MoveOptions {
    Address to;
    std::string key_file = {};
    std::string ssh_command = {};  // empty: ssh
    MoveKind kind = MoveKind::fork;
    std::string name = {};  // of the child
    ServeOptions serve = {};
    Packing packing = Packing::never;
    u32 lease_ms = 5000;   // how long a migrated child may run without a word from us
};

/// Whoever runs the machine. Calls come from Outgoing's thread, if not said otherwise.
class Departing {
public:
    virtual ~Departing() = default;
    /// Calls `step` on the machine's thread, between two instructions, and returns afterwards. False: there is no such machine any more.
    virtual bool at_boundary(std::function<void(Machine&, Recorder&)> step) = 0;
    /// Why the machine cannot leave, though it could when it was asked to: it has left already, or has ended. Empty if it can. Within a step.
    virtual std::string obstacle() = 0;
    /// The machine may not run here any more; what was typed and it has not read goes with it. On the machine's thread, within a step.
    virtual std::vector<u8> away() = 0;
    /// The machine was taken back, as of the fork; this is what it did elsewhere. `typed` is what had gone with it.
    virtual Expected<Done> returned(Machine machine, std::vector<LogEntry> entries, Moment last, std::span<const u8> typed) = 0;
    /// The machine lives elsewhere.
    virtual void left() = 0;
};

class Outgoing {
public:
    enum class Phase : u8 { connecting, serving, no_link, finished, taken_back, failed };
    struct Report {
        Phase phase = Phase::connecting;
        std::string error = {};     // why there is no link, or why it failed
        u64 departed_at_ns = 0;  // by this host's clock
        u64 stopped_ns = 0;    // the parent stood for so long
        u64 started_ns = 0;    // from the parent's stop until the child said that it runs
        u64 total_ns = 0;
        u64 bytes = 0;         // on the wire
        ServeStats pages = {};
    };

    /// What a move has ahead of it, if it goes on as it went so far.
    struct Ahead {
        u64 pages = 0;
        u64 ms = 0;           // 0 before the first page
        u64 bytes_per_s = 0;  // of memory, so far
    };
    static Ahead ahead(const Report& report);

    /// `wakeup`: of the parent's thread.
    Outgoing(MoveOptions options, std::shared_ptr<Departing> parent, std::shared_ptr<Wakeup> wakeup, u64 epoch);
    ~Outgoing();

    /// The child stops, and the parent goes on from where it was. Returns at once; a later report says how it went.
    void take_back();
    /// The child gets what it lacks as fast as it goes, because this process wants to end.
    void hurry();
    /// The child goes on as far as it comes with what it has.
    void abandon();
    bool over() const;
    Report report() const;
    const MoveOptions& options() const { return options_; }
    /// Nothing before the proposal was accepted.
    std::shared_ptr<PageServer> server() const;

private:
    void run();
    Expected<Done> move();
    Expected<Done> propose();
    Expected<Done> send_logs();
    Expected<Done> go();
    void depart(Machine& machine, Recorder& recorder);
    Expected<Done> serve();
    Expected<Done> reconnect();
    Expected<Done> finish();
    Expected<Done> bring_back();
    Expected<bool> handle(const WireFrame& message);
    u64 lease_ns() const { return u64{options_.lease_ms} * 1'000'000; }
    void set_phase(Phase phase, const std::string& error = {});
    bool wanted_back() const { return take_back_.load(); }

    MoveOptions const options_;
    std::shared_ptr<Departing> const parent_;
    std::shared_ptr<Wakeup> const wakeup_;
    SessionName session_;
    std::optional<Link> link_;
    std::shared_ptr<PageServer> server_;
    SourceRight right_;
    LogHeader header_;
    std::string log_path_;
    u64 log_bytes_ = 0;
    std::vector<LogEntry> tail_;     // of the parent's log, since its pieces were sent
    std::vector<u8> typed_;          // went with the machine
    std::optional<std::size_t> tap_;
    u64 entries_sent_ = 0;
    std::optional<MachineState> state_;  // as of the fork
    Disks disks_;
    Moment at_;
    std::vector<LogEntry> child_entries_;
    Moment child_at_;
    bool fenced_ = false;
    bool done_ = false;
    u64 lease_until_ns_ = 0;
    u64 begun_ns_ = 0;
    u64 departed_ns_ = 0;
    std::atomic<bool> take_back_ = false;
    std::atomic<bool> abandon_ = false;
    std::atomic<bool> hurry_ = false;

    mutable std::mutex mutex_;  // of what follows
    Report report_;
    std::thread thread_;
};

const char* phase_text(Outgoing::Phase phase);

}  // namespace ramet
