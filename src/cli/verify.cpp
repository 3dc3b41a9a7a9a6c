// ramet verify: does a recorded run repeat, to the bit?
#include "replay/verify.h"

#include <cstdio>
#include <memory>

#include "base/quantity.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/replay_words.h"
#include "cli/until.h"

namespace ramet::cli {

namespace {

struct Words {
    std::string log, at, every = "1M";
    ImagePaths images;
    bool twin = false;
    unsigned jobs = 1;
};

Expected<int> verify(const Words& words) {
    if (words.twin && words.at.empty()) return Error{"--twin needs --at position:N"};
    VerifyReport const report = TRY(words.twin ? verify_twin(words.log, words.images, TRY(parse_position(words.at, "--at")), TRY(parse_count(words.every, "--every")))
                                               : verify_log(words.log, words.images, words.jobs));
    if (report.divergence) return report_divergence(*report.divergence);
    std::printf("%s: %llu digests equal up to %s, %llu stretches\n", words.log.c_str(), static_cast<unsigned long long>(report.digests),
                moment_text(report.end).c_str(), static_cast<unsigned long long>(report.stretches));
    return done;
}

}  // namespace

void add_verify(CLI::App& app, int& status) {
    CLI::App& command = *app.add_subcommand("verify", "Replay a run and compare every digest");
    auto const words = std::make_shared<Words>();
    command.add_option("log", words->log, "log of ramet run --record")->required()->type_name("LOG");
    command.add_option("-j,--jobs", words->jobs, "replay the stretches between snapshots in parallel (--snapshot-every of ramet run makes them)")
        ->check(CLI::Range(1U, 1024U))->type_name("N");
    command.add_flag("--twin", words->twin, "fork at a Position and compare parent and child, side by side");
    command.add_option("--at", words->at, "with --twin: where to fork")->type_name("position:N");
    command.add_option("--every", words->every, "with --twin: instructions between comparisons (default 1M)")->type_name("K");
    add_image_options(command, words->images);
    command.footer("Ends with status 16 at the first digest that differs.");
    set_action(command, status, [words] { return verify(*words); });
}

}  // namespace ramet::cli
