// ramet cache: the states that `ramet test` and properties keep on disk.
#include <array>
#include <cstdio>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/replay_words.h"
#include "lab/state.h"
#include "lab/state_cache.h"
#include "machine/configuration.h"
#include "replay/input_log.h"

namespace ramet::cli {

namespace {

using Number = unsigned long long;

struct CacheWords {
    std::string directory, limit;
};

Expected<std::string> directory_of(const CacheWords& words) {
    std::string const directory = words.directory.empty() ? StateStore::default_directory() : words.directory;
    if (directory.empty()) return Error{"no folder: neither XDG_CACHE_HOME nor HOME is set; expected --cache DIR"};
    return directory;
}

std::string date_text(i64 unix_ns) {
    std::time_t const seconds = unix_ns / 1'000'000'000;
    std::tm parts = {};
    std::array<char, 32> text = {};
    ::gmtime_r(&seconds, &parts);
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text.data();
}

Expected<int> list(const CacheWords& words) {
    std::string const directory = TRY(directory_of(words));
    u64 bytes = 0;
    std::vector<CachedState> const states = TRY(cached_states(directory));
    for (const CachedState& state : states) {
        auto const log = InputLog::open(state.files.front());
        bytes += state.bytes;
        std::printf("%s  %s  %12llu  %s%s\n", state.key.c_str(), date_text(state.used_ns).c_str(), Number{state.bytes},
                    log ? printable((*log)->header().configuration.kernel).c_str() : "incomplete", state.in_use ? "  in use" : "");
    }
    std::printf("%s: %zu states, %llu bytes\n", directory.c_str(), states.size(), Number{bytes});
    return done;
}

Expected<int> prune(const CacheWords& words, u64 limit) {
    PruneReport const report = TRY(prune_states(TRY(directory_of(words)), limit));
    std::printf("%zu states, %llu bytes removed; %llu bytes left\n", report.removed, Number{report.bytes_removed}, Number{report.bytes_left});
    return done;
}

CLI::App& add_action(CLI::App& parent, int& status, const char* name, const char* help, const std::shared_ptr<CacheWords>& words,
                     const std::function<Expected<int>(const CacheWords&)>& action) {
    CLI::App& command = *parent.add_subcommand(name, help);
    command.add_option("--cache", words->directory, "folder of the states (default $XDG_CACHE_HOME/ramet/states or ~/.cache/ramet/states)")->type_name("DIR");
    set_action(command, status, [words, action] { return action(*words); });
    return command;
}

}  // namespace

void add_cache(CLI::App& app, int& status) {
    CLI::App& command = *app.add_subcommand("cache", "List and remove the states that tests keep on disk");
    command.require_subcommand(1);
    auto const words = std::make_shared<CacheWords>();
    add_action(command, status, "list", "The states, the longest unused first: key, last use, bytes, kernel", words, list);
    add_action(command, status, "clear", "Remove all states that no running process uses", words, [](const CacheWords& w) { return prune(w, 0); });
    CLI::App& pruning = add_action(command, status, "prune", "Remove the longest unused states beyond a limit", words, [](const CacheWords& w) -> Expected<int> {
        return prune(w, w.limit.empty() ? TRY(state_bytes_limit()) : TRY(parse_size(w.limit, "--limit")));
    });
    pruning.add_option("--limit", words->limit, "what may stay (default $RAMET_CACHE_LIMIT or 8G)")->type_name("SIZE");
}

}  // namespace ramet::cli
