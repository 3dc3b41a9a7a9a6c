// Player: runs a log again. Inputs enter where they entered, digests are compared where they were taken, and nothing else comes from
// outside, so the run is the same one; where it is not, a Divergence says so.
//
//     Player player = TRY(Player::open("run.rlog", {}, pool));
//     Progress progress = TRY(player.run_to(Position{1'000'000}, ports));      // stops on arrival, before inputs that enter there
//     Player other = player.fork();                                            // both may go on, on different threads
//
// Tests: tests/replay/player_test.cpp.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "machine/machine.h"
#include "replay/lineage.h"

namespace ramet {

/// A run that does not repeat: what the log says, and what happened.
struct Divergence {
    Moment at;
    std::string what;
    std::string expected;
    std::string actual;
};

std::string divergence_text(const Divergence& divergence);

struct Progress {
    enum class Kind : u8 {
        reached,   ///< the Position asked for
        ended,     ///< the log's last entry
        diverged,  ///< see `divergence`
    };
    Kind kind = Kind::reached;
    std::optional<Divergence> divergence = {};
};

enum class DigestCheck : u8 { compare, skip };

/// Discards output.
class NullPorts final : public Ports {
public:
    bool output(Channel, u8) override { return false; }
};

class Player {
public:
    static Expected<Player> open(const std::string& path, const ImagePaths& images, std::shared_ptr<PagePool> pool);
    /// The same from the last snapshot on the way that still exists, for those to whom the end matters; else from the beginning.
    static Expected<Player> open_late(const std::string& path, const ImagePaths& images, std::shared_ptr<PagePool> pool);
    /// A machine that stands where the cursor does.
    Player(Machine machine, LineageCursor cursor) : machine_(std::move(machine)), cursor_(std::move(cursor)) {}

    Player fork() { return {machine_.fork(), cursor_, check_, digests_}; }

    Expected<Progress> run_to(Position position, Ports& ports);
    Expected<Progress> run_to_end(Ports& ports) { return run_through({Position{~u64{0}}, Cycles::never()}, ports); }
    /// Performs every entry up to and with those of a moment.
    Expected<Progress> run_through(const Moment& last, Ports& ports);
    /// Goes on past the log's end, as the guest would without further input.
    RunResult run_beyond(Position position, Ports& ports);

    void set_digest_check(DigestCheck check) { check_ = check; }
    u64 digests_compared() const { return digests_; }
    Machine& machine() { return machine_; }
    const Machine& machine() const { return machine_; }
    LineageCursor& cursor() { return cursor_; }
    Position position() const { return machine_.position(); }
    Moment moment() const { return {machine_.position(), machine_.cycles()}; }

private:
    Player(Machine machine, LineageCursor cursor, DigestCheck check, u64 digests)
        : machine_(std::move(machine)), cursor_(std::move(cursor)), check_(check), digests_(digests) {}

    std::optional<Divergence> go_to_position(Position position, Ports& ports);
    std::optional<Divergence> go_to(const Moment& moment, Ports& ports);
    std::optional<Divergence> perform(const LogEntry& entry);
    std::optional<Divergence> compare(const LogEntry& entry);
    /// A run that did not repeat; or one that lacks a page, which says nothing about the run.
    Expected<Progress> diverged(Divergence divergence) const;

    Machine machine_;
    LineageCursor cursor_;
    DigestCheck check_ = DigestCheck::compare;
    u64 digests_ = 0;
};

}  // namespace ramet
