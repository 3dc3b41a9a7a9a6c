#include "lab/state_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <string_view>
#include <utility>

#include "base/hex.h"
#include "lab/state.h"
#include "machine/configuration.h"

namespace ramet {

namespace {

constexpr std::string_view log_suffix = ".ramet";
constexpr std::array<std::string_view, 3> suffixes = {log_suffix, ".rsnap", ".txt"};

/// The key of the state that a file belongs to, complete or left over from an interrupted write; empty for any other file.
std::string key_of(const std::string& name) {
    std::string key = name.substr(0, State::key_digits);
    bool const hex = key.size() == State::key_digits && key.find_first_not_of(hex_digits) == std::string::npos;
    std::string_view const rest = std::string_view{name}.substr(key.size());
    bool const known = std::ranges::any_of(suffixes, [&](std::string_view suffix) {
        return rest == suffix || (rest.starts_with(suffix) && AtomicFile::is_leftover(name));
    });
    return hex && known ? key : "";
}

void add_file(CachedState& state, const std::string& path) {
    struct stat status = {};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;  // somebody else has removed it
    constexpr i64 second_ns = 1'000'000'000;
    state.bytes += static_cast<u64>(status.st_size);
    state.used_ns = std::max(state.used_ns, i64{status.st_mtim.tv_sec} * second_ns + status.st_mtim.tv_nsec);
    state.files.insert(path.ends_with(log_suffix) ? state.files.begin() : state.files.end(), path);
}

bool is_in_use(const CachedState& state) {
    const std::string& log = state.files.front();
    return log.ends_with(log_suffix) && !FileLock::take_if_free(log, FileLock::Kind::exclusive) && errno == EWOULDBLOCK;
}

/// The caller holds the folder's lock, so nobody begins to use a state now.
Expected<PruneReport> prune(const std::string& directory, u64 limit) {
    std::vector<CachedState> const states = TRY(cached_states(directory));
    PruneReport report;
    for (const CachedState& state : states) report.bytes_left += state.bytes;
    for (const CachedState& state : states) {
        if (report.bytes_left <= limit) break;
        if (state.in_use) continue;
        for (const std::string& path : state.files)
            if (::unlink(path.c_str()) != 0 && errno != ENOENT) return Error{path + ": cannot remove: " + std::strerror(errno)};
        report.removed += 1;
        report.bytes_removed += state.bytes;
        report.bytes_left -= state.bytes;
    }
    return report;
}

}  // namespace

Expected<u64> state_bytes_limit() {
    const char* const text = std::getenv("RAMET_CACHE_LIMIT");
    return text == nullptr ? Expected<u64>{state_bytes_default} : parse_size(text, "RAMET_CACHE_LIMIT");
}

std::optional<FileLock> FileLock::lock(const std::string& path, int operation) {
    int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return std::nullopt;
    FileLock made{fd};
    int result = -1;
    do result = ::flock(fd, operation);
    while (result != 0 && errno == EINTR);
    if (result != 0) return std::nullopt;
    return made;
}

std::optional<FileLock> FileLock::take(const std::string& path, Kind kind) { return lock(path, kind == Kind::shared ? LOCK_SH : LOCK_EX); }
std::optional<FileLock> FileLock::take_if_free(const std::string& path, Kind kind) { return lock(path, (kind == Kind::shared ? LOCK_SH : LOCK_EX) | LOCK_NB); }

FileLock::~FileLock() {
    int const reason = errno;  // of the attempt that failed
    if (fd_ >= 0) ::close(fd_);
    errno = reason;
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

void FileLock::touch() const { ::futimens(fd_, nullptr); }

Expected<std::vector<CachedState>> cached_states(const std::string& directory) {
    namespace fs = std::filesystem;
    std::error_code error;
    if (!fs::exists(directory, error)) return std::vector<CachedState>{};
    std::map<std::string, CachedState> by_key;
    fs::directory_iterator entries{directory, error};
    for (; !error && entries != fs::directory_iterator{}; entries.increment(error)) {
        std::string const key = key_of(entries->path().filename().string());
        if (!key.empty()) add_file(by_key[key], entries->path().string());
    }
    if (error) return Error{directory + ": cannot list: " + error.message()};
    std::vector<CachedState> states;
    for (auto& [key, state] : by_key) {
        if (state.files.empty()) continue;
        state.key = key;
        state.in_use = is_in_use(state);
        states.push_back(std::move(state));
    }
    std::ranges::stable_sort(states, {}, &CachedState::used_ns);
    return states;
}

Expected<PruneReport> prune_states(const std::string& directory, u64 limit) {
    auto const folder = FileLock::take(directory, FileLock::Kind::exclusive);
    if (!folder && errno == ENOENT) return PruneReport{};
    if (!folder) return Error{directory + ": cannot lock the folder: " + std::strerror(errno)};
    return prune(directory, limit);
}

Expected<PruneReport> prune_states_if_free(const std::string& directory, u64 limit) {
    auto const folder = FileLock::take_if_free(directory, FileLock::Kind::exclusive);
    return folder ? prune(directory, limit) : PruneReport{};
}

}  // namespace ramet
