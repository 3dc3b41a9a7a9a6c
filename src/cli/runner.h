// Runner: one machine at the console. It runs the machine in slices, shows what comes out, feeds what is typed, and ends when a
// condition is met, when the guest ends, or when the user has enough.
//
// Idle time: with somebody at the terminal (or --realtime) a halted guest waits by the wall clock and costs nothing; otherwise
// virtual time jumps to the next deadline. The host's clock decides how long we sleep and at which cycle a key comes in; both enter
// the machine as inputs, never in any other way.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/terminal.h"
#include "cli/until.h"
#include "machine/machine.h"
#include "replay/recorder.h"

namespace ramet::cli {

struct RunOptions {
    Configuration configuration;
    Conditions until;
    std::optional<u64> timeout_ns;
    u64 digest_every = 0;
    bool realtime = false;
    bool quiet = false;
    bool verbose = false;
};

/// How a run ended.
struct End {
    int status = 0;
    std::string text;
};

/// The machine's digest, or "unknown" if one of its pages cannot be had.
std::string digest_text(Machine& machine);

class Runner final : private Ports {
public:
    /// `recorder`: writes the run down; nullptr for none.
    Runner(Machine& machine, const RunOptions& options, Terminal& terminal, Recorder* recorder);
    End run();
    const RunResult& last_result() const { return last_; }

private:
    bool output(Channel channel, u8 byte) override;

    RunResult advance(const Until& until);
    Until next_slice() const;
    std::optional<End> end_of(const RunResult& result);
    std::optional<End> interrupted() const;
    std::optional<End> serve_keys(const std::vector<u8>& keys);
    End guest_ended(const RunResult& result) const;
    void offer_input();
    void wait();
    void print_due_digest();
    void flush();
    bool by_wall_clock() const { return options_.realtime || terminal_.interactive(); }
    u64 elapsed_ns() const;

    Machine& machine_;
    const RunOptions& options_;
    Terminal& terminal_;
    Recorder* recorder_;
    std::optional<std::string> record_error_;
    RunResult last_;
    EscapeKeys escape_;
    std::vector<TextMatcher> matchers_;
    std::string shown_;               // output not yet written
    std::vector<u8> typed_;           // input the guest has no room for yet
    std::optional<std::string> matched_;
    Position next_digest_{~u64{0}};
    u64 started_ns_;
};

}  // namespace ramet::cli
