// ramet log: what is in a recorded run.
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/replay_words.h"
#include "replay/log_text.h"

namespace ramet::cli {

namespace {

Expected<int> dump(const std::string& path, bool json) {
    auto const log = TRY(InputLog::open(path));
    std::fputs((json ? header_json(*log) : header_text(*log)).c_str(), stdout);
    LogCursor cursor{log};
    while (const LogEntry* const entry = TRY(cursor.peek())) {
        std::fputs((json ? entry_json(*entry) : entry_text(*entry)).c_str(), stdout);
        cursor.advance();
    }
    return done;
}

}  // namespace

void add_log(CLI::App& app, int& status) {
    CLI::App& command = *app.add_subcommand("log", "Show a recorded run");
    command.require_subcommand(1);
    CLI::App& show = *command.add_subcommand("dump", "Print header and entries of a log");
    auto const path = std::make_shared<std::string>();
    auto const json = std::make_shared<bool>(false);
    show.add_option("log", *path)->required()->type_name("LOG");
    show.add_flag("--json", *json, "one JSON object per line: the header, then each entry");
    set_action(show, status, [path, json] { return dump(*path, *json); });
}

}  // namespace ramet::cli
