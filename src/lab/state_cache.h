// The folder of states (state.h) as a cache: what is in it, and how it stays below a limit. The states that were not used for longest go first; each use
// sets the time of the state's log.
//
// Two kinds of locks, of flock(2), keep processes apart. Whoever opens or writes the files of a state holds the folder's lock, shared, and whoever removes
// files holds it exclusively: so a state is there complete, or not at all. Whoever uses a state holds the lock of its log, shared, as long as its machine
// lives; such a state is not removed. A lock ends with its process. Where there are no such locks nothing is removed.
// Files that do not have the name of a state are not touched.
// Tests: tests/lab/state_cache_test.cpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace ramet {

inline constexpr u64 state_bytes_default = u64{8} << 30;  // some hundred warm machines

/// $RAMET_CACHE_LIMIT, as "8G"; state_bytes_default without it.
Expected<u64> state_bytes_limit();

/// A lock on a file or a folder that exists.
class FileLock {
public:
    enum class Kind : u8 { shared, exclusive };
    /// Waits until it is free.
    static std::optional<FileLock> take(const std::string& path, Kind kind);
    static std::optional<FileLock> take_if_free(const std::string& path, Kind kind);

    ~FileLock();
    FileLock(FileLock&& other) noexcept;
    FileLock& operator=(FileLock&& other) noexcept;

    /// What is locked was used now.
    void touch() const;

private:
    explicit FileLock(int fd) : fd_(fd) {}
    static std::optional<FileLock> lock(const std::string& path, int operation);

    int fd_ = -1;
};

/// The files of one state.
struct CachedState {
    std::string key;
    std::vector<std::string> files;  ///< paths; the log, which makes the others count, first
    u64 bytes = 0;
    i64 used_ns = 0;                 ///< Unix time
    bool in_use = false;
};

/// The longest unused first; no folder is an empty one.
Expected<std::vector<CachedState>> cached_states(const std::string& directory);

struct PruneReport {
    std::size_t removed = 0;  ///< states
    u64 bytes_removed = 0;
    u64 bytes_left = 0;
};

/// Removes states until the others take at most `limit` bytes, or are in use. Waits for those who open or write states.
Expected<PruneReport> prune_states(const std::string& directory, u64 limit);
/// The same, or nothing when somebody is writing or opening one now; whoever writes the next one will do it.
Expected<PruneReport> prune_states_if_free(const std::string& directory, u64 limit);

}  // namespace ramet
