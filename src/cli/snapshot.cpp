// ramet snapshot: machines in files.
#include "replay/snapshot.h"

#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/replay_words.h"

namespace ramet::cli {

namespace {

using Number = unsigned long long;

struct SaveWords {
    std::string log, at, to, base;
    ImagePaths images;
};

Expected<int> save(const SaveWords& words) {
    Player player = TRY(Player::open(words.log, words.images, std::make_shared<PagePool>()));
    NullPorts ports;
    Position const target = TRY(parse_position(words.at, "--at"));
    Progress const progress = TRY(player.run_to(target, ports));
    if (progress.divergence) return report_divergence(*progress.divergence);
    if (progress.kind == Progress::Kind::ended) player.run_beyond(target, ports);
    SnapshotBase base;
    if (!words.base.empty()) base.snapshot = TRY(Snapshot::open(words.base));
    SaveReport const report = TRY(save_snapshot(player.machine(), player.cursor().lineage().root().header(), words.to, base));
    std::printf("%s: %llu pages written, %llu reused, %llu bytes, id %s\n", words.to.c_str(), Number{report.pages_written}, Number{report.pages_reused},
                Number{report.bytes_written}, report.id.hex().c_str());
    return done;
}

Expected<int> info(const std::string& path) {
    auto const snapshot = TRY(Snapshot::open(path));
    const MachineState& state = snapshot->state();
    const Configuration& configuration = snapshot->header().configuration;
    std::printf("id        %s\nposition  %llu\ncycles    %llu\nmemory    %llu MiB\nkernel    %s\nappend    %s\nmachine   %s\nfile      %llu bytes\n",
                snapshot->id().hex().c_str(), Number{state.clock.position.value}, Number{state.clock.cycles.value}, Number{configuration.memory_bytes >> 20},
                configuration.kernel.c_str(), configuration.append.c_str(), state.identity.hex().c_str(), Number{snapshot->file_bytes()});
    for (const Snapshot::FileName& file : snapshot->files()) std::printf("needs     %s  %s\n", file.path.c_str(), file.id.hex().c_str());
    return done;
}

/// Restores, runs a little if asked, and shows that the machine is whole: its digest needs every page.
Expected<int> restore(const std::string& path, const std::string& instructions) {
    auto const snapshot = TRY(Snapshot::open(path));
    Machine machine = TRY(restore_machine(snapshot, std::make_shared<PagePool>()));
    NullPorts ports;
    if (!instructions.empty()) {
        u64 const count = TRY(parse_position(instructions, "--run")).value;
        RunResult const result = machine.run({.position = machine.position() + count}, ports);
        if (result.reason == StopReason::lost) return Error{result.report};
        std::printf("%s: at position %llu\n", path.c_str(), Number{machine.position().value});
        return done;
    }
    Digest const digest = TRY(machine.whole_digest());
    std::printf("%s: position %llu, digest %s\n", path.c_str(), Number{machine.position().value}, digest.hex().c_str());
    return done;
}

struct CollectWords {
    std::string directory;
    std::vector<std::string> keep;
    bool dry_run = false;
};

Expected<int> collect(const CollectWords& words) {
    CollectReport const report = TRY(collect_snapshots(words.directory, words.keep, words.dry_run));
    for (const std::string& path : report.removed) std::printf("%s\n", path.c_str());
    std::printf("%zu files, %llu bytes %s\n", report.removed.size(), Number{report.bytes}, words.dry_run ? "would be removed" : "removed");
    return done;
}

void add_save(CLI::App& parent, int& status) {
    CLI::App& command = *parent.add_subcommand("save", "Replay a log to a Position and save the machine there");
    auto const words = std::make_shared<SaveWords>();
    command.add_option("log", words->log, "log of ramet run --record")->required()->type_name("LOG");
    command.add_option("--at", words->at, "where")->required()->type_name("position:N");
    command.add_option("--to", words->to, "the new file")->required()->type_name("FILE");
    command.add_option("--base", words->base, "store only what this snapshot has not")->type_name("FILE");
    add_image_options(command, words->images);
    set_action(command, status, [words] { return save(*words); });
}

void add_restore(CLI::App& parent, int& status) {
    CLI::App& command = *parent.add_subcommand("restore", "Restore a machine, check every page and print its digest");
    auto const path = std::make_shared<std::string>();
    auto const instructions = std::make_shared<std::string>();
    command.add_option("snapshot", *path)->required()->type_name("FILE");
    command.add_option("--run", *instructions, "only run this many instructions, on the pages they need")->type_name("N");
    command.footer("To go on with the machine: ramet run --from FILE.");
    set_action(command, status, [path, instructions] { return restore(*path, *instructions); });
}

void add_collect(CLI::App& parent, int& status) {
    CLI::App& command = *parent.add_subcommand("gc", "Remove snapshots that nobody needs, and leftovers of interrupted saves");
    auto const words = std::make_shared<CollectWords>();
    command.add_option("directory", words->directory)->required()->type_name("DIR");
    command.add_option("--keep", words->keep, "a snapshot to keep, with all that it refers to; may be repeated")->required()->allow_extra_args(false)->type_name("FILE");
    command.add_flag("-n,--dry-run", words->dry_run, "only list what would go");
    set_action(command, status, [words] { return collect(*words); });
}

}  // namespace

void add_snapshot(CLI::App& app, int& status) {
    CLI::App& command = *app.add_subcommand("snapshot", "Save, inspect, restore and collect machines in files");
    command.require_subcommand(1);
    add_save(command, status);
    CLI::App& inspect = *command.add_subcommand("info", "What is in a snapshot");
    auto const path = std::make_shared<std::string>();
    inspect.add_option("snapshot", *path)->required()->type_name("FILE");
    set_action(inspect, status, [path] { return info(*path); });
    add_restore(command, status);
    add_collect(command, status);
}

}  // namespace ramet::cli
