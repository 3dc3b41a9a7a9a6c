// State: a place that a machine can be brought to: power-on, or where scripts lead from another state. It is reached once in a process, when somebody first
// asks for a fork of it, and kept on disk, so that later processes and parallel ones find it there.
//
// power_on(configuration, store) is the root; root->after("booted", scripts) a state behind it; booted->fork() brings the machine there when it must.
//
// On disk a state is three files named by a hash of what leads to it (configuration, image contents, scripts, schema of the machine's state): KEY.rsnap is the
// snapshot, KEY.txt the console up to there, KEY.ramet the log from power-on. The log is written last and names the snapshot; every file appears
// complete or not at all. What is damaged, gone, or of another version, is made anew. The folder is bounded: see state_cache.h.
// Threads: states may be forked from several threads. Tests: tests/lab/state_test.cpp.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "lab/script.h"
#include "lab/state_cache.h"
#include "replay/snapshot.h"

namespace ramet {

/// Where states are kept, and the pages that all of them share.
struct StateStore {
    std::string directory;  ///< empty: nothing is kept on disk
    u64 limit_bytes;        ///< after a state was written, others are removed until no more than this is left
    std::shared_ptr<PagePool> pool = std::make_shared<PagePool>();

    explicit StateStore(std::string where, u64 limit = state_bytes_default) : directory(std::move(where)), limit_bytes(limit) {}
    /// $XDG_CACHE_HOME/ramet/states, or ~/.cache/ramet/states.
    static std::string default_directory();
};

class State : public std::enable_shared_from_this<State> {
public:
    static constexpr std::size_t key_digits = 32;

    /// `symbols`: a file with symbols; empty: those of the kernel image, if it has any.
    static Expected<std::shared_ptr<State>> power_on(const Configuration& configuration, std::shared_ptr<StateStore> store, const std::string& symbols = {});
    std::shared_ptr<State> after(std::string name, std::vector<Script> scripts);

    /// A fork of the machine that stands there. The first call may take as long as the guest needs to get there.
    Expected<Session> fork();

    const std::string& name() const { return name_; }
    const std::shared_ptr<State>& parent() const { return parent_; }
    /// Names what leads here.
    const std::string& key() const { return key_; }
    /// Found on disk instead of being reached by running.
    bool restored() const { return restored_; }
    /// What could not be kept on disk, and why; empty when nothing is wrong.
    const std::string& problem() const { return problem_; }
    /// After fork() gave an error: where the scripts failed, and the machine as it stood there.
    const std::optional<Failure>& failure() const { return failure_; }
    Session* failed() { return failed_ ? &*failed_ : nullptr; }

private:
    /// What all states of one machine share.
    struct Origin {
        Configuration configuration;
        Images images;
        Digest identity;
        std::shared_ptr<const Symbols> symbols;
    };

    State(std::shared_ptr<StateStore> store, std::shared_ptr<const Origin> origin) : store_(std::move(store)), origin_(std::move(origin)) {}
    Expected<Done> reach();
    Expected<Session> boot() const;
    Expected<Session> restore();
    Expected<Done> keep();
    Expected<Done> write_files();
    std::string path(const char* suffix) const { return store_->directory + "/" + key_ + suffix; }
    void warm_up();

    std::shared_ptr<StateStore> store_;
    std::shared_ptr<const Origin> origin_;
    std::shared_ptr<State> parent_;
    std::string name_;
    std::vector<Script> scripts_;
    std::string key_;

    std::mutex mutex_;  // of what follows
    std::optional<Session> session_;
    std::shared_ptr<SnapshotSource> source_;  // of a restored machine's pages
    std::optional<FileLock> use_;             // of the files that it was restored from or written to
    bool restored_ = false;
    std::string problem_;
    std::optional<Error> error_;
    std::optional<Failure> failure_;
    std::optional<Session> failed_;
};

}  // namespace ramet
