// Recorder: stands between the host's run loop and a machine, and writes down what the host gives it. Looking does not touch: a recorded run
// is the same run.
//
//     Recorder recorder = TRY(Recorder::create("run.rlog", header_of(configuration, images, machine)));
//     RunResult result = TRY(recorder.run(machine, until, ports));      // as machine.run(until, ports)
//     std::size_t taken = TRY(recorder.apply(machine, input));          // as machine.apply(input), logged first
//     TRY(recorder.finish(machine, result));
//
// run() pauses where a digest is due: every `digest_every` instructions, whatever the host does. At one digest of 47 bytes in a thousand
// million instructions, a computing or idle guest costs less than 100 bytes per second of virtual time.
// Tests: tests/replay/player_test.cpp, lineage_test.cpp.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "machine/machine.h"
#include "replay/log_writer.h"

namespace ramet {

struct RecorderOptions {
    u64 digest_every = 1'000'000'000;  // instructions
    u64 snapshot_every = 0;            // instructions; 0: no snapshots
};

class Recorder {
public:
    static Expected<Recorder> create(const std::string& path, const LogHeader& header, const RecorderOptions& options = {});

    Expected<RunResult> run(Machine& machine, const Until& until, Ports& ports);
    /// Of what is typed, no more than the machine has room for; of everything else all or nothing, which is not logged. As
    /// Machine::apply(); an error when it is longer than a log's entry may be.
    Expected<std::size_t> apply(Machine& machine, const Input& input);
    /// The last entry: how the run ended, and the machine's digest.
    Expected<Done> finish(Machine& machine, const RunResult& result);

    /// The header for the log of a machine that was just forked from the recorded one. What was logged so far is made durable first: the child
    /// needs it.
    Expected<LogHeader> fork_header(Machine& child, const std::string& child_path);

    /// The same without the digest, which needs all of the child's memory: nothing is compared at the fork then.
    LogHeader fork_header_without_digest(const Machine& child, const std::string& child_path) const;

    /// Hears of each entry after it was logged. Returns a number for remove_tap().
    using Tap = std::function<void(const LogEntry&)>;
    std::size_t add_tap(Tap tap);
    void remove_tap(std::size_t number) { taps_.erase(number); }
    /// Makes what was logged so far durable.
    Expected<Done> flush() { return writer_.flush(); }
    /// No digests while memory is elsewhere: taking one would fetch it all.
    void set_digests(bool on) { digests_on_ = on; }

    const LogHeader& header() const { return header_; }
    u64 entries() const { return entries_; }
    const LogWriter& writer() const { return writer_; }

private:
    Recorder(LogWriter writer, const LogHeader& header, const RecorderOptions& options);
    Expected<Done> append(const LogEntry& entry);
    Expected<Done> look(Machine& machine);

    LogWriter writer_;
    LogHeader header_;
    RecorderOptions options_;
    u64 entries_ = 0;
    Position next_digest_;
    Position next_snapshot_;
    bool digests_on_ = true;
    std::map<std::size_t, Tap> taps_;
};

}  // namespace ramet
