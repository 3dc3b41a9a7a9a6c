// Ownership: which side may run a machine that migrates. Two small automata, one at each end, that see messages, the end of a lease and commands; they
// do no I/O and know no clock, so that a test can walk through all that can happen (tests/remote/ownership_test.cpp, docs/migration.md).
//
// The right to run carries an epoch. The source gives it away with `go` and has it back only when the target has said that it stopped (`fenced`), or
// when the target's lease has surely ended and every later word from it will be refused because its epoch is old. The target runs while it has a
// lease, which the source renews; without one it stands still, keeps everything, and goes on when the source renews it. When it has all
// memory and the source has let go (`complete`), it needs no lease any more.
#pragma once

#include "base/types.h"

namespace ramet {

class SourceRight {
public:
    enum class State : u8 {
        owner,       ///< runs, or may
        given,       ///< `go` was sent: the target may run, we may not
        fencing,     ///< we want it back and wait for `fenced` or for the end of the lease
        completing,  ///< the target has all memory and was told so: only it can give the right back
        gone,        ///< the target has confirmed: nothing is left here
    };

    explicit SourceRight(u64 epoch) : epoch_(epoch) {}

    State state() const { return state_; }
    u64 epoch() const { return epoch_; }
    bool may_run() const { return state_ == State::owner; }
    /// Whether the target's lease is renewed when it asks.
    bool renews(u64 epoch) const { return epoch == epoch_ && (state_ == State::given || state_ == State::completing); }
    /// The target may connect again.
    bool admits(u64 epoch) const { return epoch == epoch_ && state_ != State::owner; }

    void give() { state_ = State::given, ++epoch_; }
    /// Everything was confirmed. False while the right is being taken back.
    bool complete() { return state_ == State::given && (state_ = State::completing, true); }
    void done() { if (state_ == State::completing) state_ = State::gone; }
    /// False when it is too late, or nothing was given.
    bool take_back() { return state_ == State::given && (state_ = State::fencing, true); }
    void fenced(u64 epoch) { if (epoch == epoch_ && state_ == State::fencing) own(); }
    void lease_ended() { if (state_ == State::fencing) own(); }

private:
    void own() { state_ = State::owner, ++epoch_; }  // fences the old epoch for good

    State state_ = State::owner;
    u64 epoch_;
};

class TargetRight {
public:
    enum class State : u8 {
        waiting,  ///< for `go`
        leased,   ///< may run while the lease lasts
        owner,    ///< may run
        fenced,   ///< may never run
    };

    State state() const { return state_; }
    u64 epoch() const { return epoch_; }
    bool may_run() const { return state_ == State::owner || (state_ == State::leased && lease_); }

    void go(u64 epoch) { if (state_ == State::waiting) state_ = State::leased, epoch_ = epoch; }
    void renewed() { lease_ = true; }
    void lease_ended() { lease_ = false; }
    /// True: answer `done`.
    bool complete(u64 epoch) { return epoch == epoch_ && (state_ == State::leased || state_ == State::owner) && (state_ = State::owner, true); }
    /// True: answer `fenced`.
    bool fence(u64 epoch) { return epoch == epoch_ && (state_ == State::leased || state_ == State::fenced) && (state_ = State::fenced, true); }
    /// The source is known to be gone for good: somebody says so, and answers for it.
    void take_over() { if (state_ == State::leased) state_ = State::owner; }
    /// A fork owns itself from the beginning.
    void own() { state_ = State::owner; }

private:
    State state_ = State::waiting;
    u64 epoch_ = 0;
    bool lease_ = false;
};

}  // namespace ramet
