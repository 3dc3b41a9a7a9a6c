// ramet bisect: where two runs of one machine part, and what differs there.
#include "replay/bisect.h"

#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/replay_words.h"

namespace ramet::cli {

namespace {

struct Words {
    std::string a, b, symbols;
    ImagePaths images;
};

Expected<int> run(const Words& words) {
    Symbols symbols;
    if (!words.symbols.empty()) symbols = TRY(Symbols::parse(TRY(read_file(words.symbols, "ELF file")), words.symbols));
    auto const pool = std::make_shared<PagePool>();
    Player a = TRY(Player::open(words.a, words.images, pool));
    Player b = TRY(Player::open(words.b, words.images, pool));
    BisectReport const report = TRY(bisect(std::move(a), std::move(b), symbols));
    std::fputs(bisect_text(report).c_str(), stdout);
    return report.equal ? done : diverged;
}

}  // namespace

void add_bisect(CLI::App& app, int& status) {
    CLI::App& command = *app.add_subcommand("bisect", "Find the first Position at which two runs differ, and what differs");
    auto const words = std::make_shared<Words>();
    command.add_option("a", words->a, "one log")->required()->type_name("LOG");
    command.add_option("b", words->b, "another log of the same machine")->required()->type_name("LOG");
    command.add_option("--symbols", words->symbols, "ELF file whose symbols name code and memory")->type_name("FILE");
    add_image_options(command, words->images);
    command.footer("Ends with status 0 when the runs are equal up to the end of the shorter one, with 16 when they differ.");
    set_action(command, status, [words] { return run(*words); });
}

}  // namespace ramet::cli
