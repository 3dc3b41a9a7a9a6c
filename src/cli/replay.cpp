// ramet replay: a recorded run once more.
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/replay_words.h"
#include "replay/snapshot.h"

namespace ramet::cli {

namespace {

struct Words {
    std::string log, until, save;
    ImagePaths images;
    bool from_start = false;
    bool quiet = false;
};

bool is_bundle(const std::string& path) { return path.ends_with(".ramet"); }

/// What notes of the log say, on the way.
Expected<Done> print_notes(const std::string& path) {
    LineageCursor cursor{TRY(Lineage::open(path))};
    while (const LogEntry* const entry = TRY(cursor.peek())) {
        if (entry->kind == LogEntry::Kind::note) std::fprintf(stderr, "ramet: at %s:\n%s\n", moment_text(entry->at).c_str(), printable(entry->path).c_str());
        cursor.advance();
    }
    return Done{};
}

/// What the guest writes to its serial port goes to standard output.
class SerialOutput final : public Ports {
public:
    bool output(Channel channel, u8 byte) override {
        if (channel == Channel::serial) std::fputc(byte, stdout);
        return false;
    }
};

Expected<int> replay(const Words& words) {
    bool const late = is_bundle(words.log) && !words.from_start && words.until.empty();
    auto const open = late ? Player::open_late : Player::open;
    Player player = TRY(open(words.log, words.images, std::make_shared<PagePool>()));
    auto const& torn = player.cursor().lineage().leaf().torn();
    if (torn) std::fprintf(stderr, "ramet replay: %s: offset %llu: the last %llu bytes are torn and left out\n", words.log.c_str(),
                           static_cast<unsigned long long>(torn->offset), static_cast<unsigned long long>(torn->bytes));
    SerialOutput serial;
    Progress progress;
    if (words.until.empty()) {
        progress = TRY(player.run_to_end(serial));
    } else {
        Position const target = TRY(parse_position(words.until, "--until"));
        progress = TRY(player.run_to(target, serial));
        if (progress.kind == Progress::Kind::ended) player.run_beyond(target, serial);
    }
    std::fflush(stdout);
    if (progress.divergence) return report_divergence(*progress.divergence);
    if (!words.save.empty()) TRY(save_snapshot(player.machine(), player.cursor().lineage().root().header(), words.save));
    if (!words.quiet) TRY(print_notes(words.log));
    Digest const digest = TRY(player.machine().whole_digest());
    if (!words.quiet)
        std::fprintf(stderr, "ramet: replayed to %s, %llu digests equal, digest %s\n", moment_text(player.moment()).c_str(),
                     static_cast<unsigned long long>(player.digests_compared()), digest.hex().c_str());
    return done;
}

}  // namespace

void add_replay(CLI::App& app, int& status) {
    CLI::App& command = *app.add_subcommand("replay", "Repeat a recorded run");
    auto const words = std::make_shared<Words>();
    command.add_option("log", words->log, "log of ramet run --record, or the bundle (.ramet) of a failed test")->required()->type_name("LOG");
    command.add_option("--until", words->until, "stop on arrival at this Position; beyond the log's end the guest runs on without input")->type_name("position:N");
    command.add_option("--save", words->save, "save a snapshot where the replay ends")->type_name("FILE");
    command.add_flag("--from-start", words->from_start, "a bundle: from power-on, not from the warm state where it is still kept");
    command.add_flag("-q,--quiet", words->quiet, "no summary at the end");
    add_image_options(command, words->images);
    command.footer("Ends with status 16 where the run does not repeat, and says where and what.");
    set_action(command, status, [words] { return replay(*words); });
}

}  // namespace ramet::cli
