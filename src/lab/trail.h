// Trail: a session that remembers. Doing the same thing to the same machine gives the same machine, so what was done once is not run again: each run
// starts at a fork of the longest known path, and a step that is known costs a look-up. A shrinking test case shares its beginning with the case before; it
// pays for what changed.
//
// type() and run_until() are a session's; `trail->read<u32>("count")` looks at the session where the trail stands.
//
// The forest keeps a bounded number of machines; those that were not used for longest go first.
// Tests: tests/lab/trail_test.cpp.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "lab/state.h"

namespace ramet {

/// All paths that were walked from one state. One thread at a time.
class Forest {
public:
    explicit Forest(std::shared_ptr<State> root, std::size_t machines_max = 256) : root_state_(std::move(root)), machines_max_(machines_max) {}

    struct Counts {
        u64 steps = 0;             ///< all
        u64 steps_run = 0;         ///< those that were not known
        u64 instructions_run = 0;  ///< by them
    };
    const Counts& counts() const { return counts_; }

private:
    friend class Trail;
    struct Node {
        std::unique_ptr<Session> session;
        Outcome outcome;
        std::string output;  // of the step; the session passes its own on when it is forked
        u64 used = 0;
        std::map<std::string, std::shared_ptr<Node>> next;
    };
    Expected<std::shared_ptr<Node>> root();
    void thin();

    std::shared_ptr<State> root_state_;
    std::size_t machines_max_;
    std::shared_ptr<Node> root_;
    std::size_t machines_ = 0;
    u64 clock_ = 0;
    Counts counts_;
};

class Trail {
public:
    static Expected<Trail> begin(std::shared_ptr<Forest> forest, std::shared_ptr<Witness> witness = nullptr);

    /// Takes effect with the next run.
    void type(std::string_view text) { typed_ += text; }
    Outcome run_until(const Condition& condition, const Budget& budget = Session::default_budget);
    Outcome run(const Budget& budget) { return run_until(never(), budget); }
    /// What came out of the serial port during the last run.
    std::string_view output() const { return output_; }

    Session& operator*() const { return *node_->session; }
    Session* operator->() const { return node_->session.get(); }

private:
    Trail(std::shared_ptr<Forest> forest, std::shared_ptr<Forest::Node> node, std::shared_ptr<Witness> witness)
        : forest_(std::move(forest)), node_(std::move(node)), witness_(std::move(witness)) {}

    std::shared_ptr<Forest> forest_;
    std::shared_ptr<Forest::Node> node_;
    std::shared_ptr<Witness> witness_;
    std::string typed_;
    std::string output_;
};

}  // namespace ramet
