// ramet run: boots a machine and puts its serial port on the terminal.
#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/quantity.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/host.h"
#include "cli/runner.h"
#include "replay/image_hashes.h"
#include "replay/snapshot.h"

namespace ramet::cli {

namespace {

constexpr const char* examples =
    "Examples:\n"
    "  ramet run machine.toml\n"
    "  ramet run --kernel vmlinuz --initrd initramfs.cpio.gz --append 'console=ttyS0' --memory 512M\n"
    "  ramet run --kernel bench.elf\n"
    "  ramet run --bios test386.bin --console debug\n"
    "  ramet run --kernel vmlinuz --initrd initramfs.cpio.gz --append 'console=ttyS0 root=/dev/sda' --disk root.ext4\n"
    "  ramet run machine.toml --until 'serial:login: ' --until position:2000000000 --timeout 60s\n"
    "  ramet run machine.toml --record run.rlog\n"
    "  ramet run machine.toml --until 'serial:login: ' --save ready.rsnap; ramet run --from ready.rsnap\n"
    "\n"
    "The guest's output goes to standard output, everything else to standard error.\n"
    "On a terminal, Ctrl-A x leaves and Ctrl-A h helps.\n"
    "\n";

/// The words of the command line, before they are understood. Empty: not given.
struct Words {
    std::string file, kernel, bios, initrd, append, memory, cpu, unpack, rtc, seed, console, timeout, digest_every, record, snapshot_every, from, save, name;
    std::vector<std::string> until, disks, read_only_disks;
    bool has_append = false;
    bool realtime = false;
    bool quiet = false;
    bool verbose = false;
};

/// As any process finds it: the log of a machine with a name goes to wherever its children are, and their processes have directories of their own.
std::string from_anywhere(const std::string& path) {
    std::error_code error;  // a path may be anything, as one that is too long
    return std::filesystem::exists(path, error) ? std::filesystem::absolute(path).lexically_normal().string() : path;
}

Expected<Configuration> configuration_of(const Words& words) {
    Configuration c;
    if (!words.file.empty()) c = TRY(read_configuration(words.file));
    if (!words.kernel.empty() && !words.bios.empty()) return Error{"--bios: a machine has a kernel or a BIOS, not both"};
    if (!words.kernel.empty()) c.boot = Boot::kernel, c.kernel = words.kernel;
    if (!words.bios.empty()) c.boot = Boot::bios, c.kernel = words.bios;
    if (!words.initrd.empty()) c.initrd = words.initrd;
    if (words.has_append) c.append = words.append;
    if (!words.memory.empty()) c.memory_bytes = TRY(parse_size(words.memory, "--memory"));
    if (!words.cpu.empty()) c.cpu = TRY(parse_cpu(words.cpu, "--cpu"));
    if (!words.unpack.empty()) c.unpack = TRY(parse_unpack(words.unpack, "--unpack"));
    if (!words.rtc.empty()) c.rtc = TRY(parse_date(words.rtc, "--rtc"));
    if (!words.seed.empty()) c.seed = TRY(parse_count(words.seed, "--seed"));
    if (!words.console.empty()) c.console = TRY(parse_console(words.console, "--console"));
    auto const add_disks = [&c](const std::vector<std::string>& files, bool read_only) {
        for (const std::string& file : files) c.disks.push_back({.file = file, .read_only = read_only, .place = c.free_disk_place(), .bytes = 0});
    };
    add_disks(words.disks, false);
    add_disks(words.read_only_disks, true);
    TRY(check_disks(c.disks, "--disk"));
    if (!words.name.empty())
        for (std::string* const path : {&c.kernel, &c.initrd}) *path = from_anywhere(*path);
    return c;
}

/// Where the images of a snapshot's disks are now.
ImagePaths paths_of(const Words& words) {
    ImagePaths paths;
    paths.disks = words.disks;
    return paths;
}

Expected<RunOptions> options_of(const Words& words) {
    RunOptions options;
    options.configuration = TRY(configuration_of(words));
    for (const std::string& text : words.until) TRY(add_condition(options.until, text));
    if (!words.timeout.empty()) options.timeout_ns = TRY(parse_duration(words.timeout, "--timeout"));
    if (!words.digest_every.empty()) options.digest_every = TRY(parse_count(words.digest_every, "--digest-every"));
    options.realtime = words.realtime;
    options.quiet = words.quiet;
    options.verbose = words.verbose;
    return options;
}

void print_summary(Machine& machine, const End& end, bool verbose) {
    std::fprintf(stderr, "ramet: %s at position %llu, %.3f s of guest time, digest %s\n", end.text.c_str(),
                 static_cast<unsigned long long>(machine.position().value), static_cast<double>(machine.cycles().value) / 1e9, digest_text(machine).c_str());
    if (verbose && !machine.missed().empty()) std::fprintf(stderr, "ramet: nothing answered these accesses:\n%s", machine.missed().text().c_str());
}

/// A machine, and what a log or a snapshot of it begins with.
struct Start {
    Machine machine;
    LogHeader header;
};

Expected<Start> boot(const Configuration& configuration) {
    HashCache known = HashCache::of_user();
    Images const images = TRY(read_images(configuration, &known));
    Machine machine = TRY(Machine::create(configuration, images, std::make_shared<PagePool>()));
    LogHeader header = header_of(configuration, images, machine);
    return Start{std::move(machine), std::move(header)};
}

Expected<Start> restore(const Words& words) {
    auto const snapshot = TRY(Snapshot::open(words.from));
    Machine machine = TRY(restore_machine(snapshot, std::make_shared<PagePool>(), paths_of(words)));
    LogHeader header = snapshot->header();
    if (!words.record.empty() || !words.name.empty()) header.origin = snapshot_origin(*snapshot, machine, words.record);
    if (!words.name.empty()) header.origin.path = from_anywhere(words.from);
    return Start{std::move(machine), std::move(header)};
}

Expected<std::optional<Recorder>> recorder_of(const Words& words, const LogHeader& header) {
    if (words.record.empty()) return std::optional<Recorder>{};
    RecorderOptions options;
    if (!words.snapshot_every.empty()) options.snapshot_every = TRY(parse_count(words.snapshot_every, "--snapshot-every"));
    return std::optional<Recorder>{TRY(Recorder::create(words.record, header, options))};
}

Expected<int> run(const Words& words) {
    RunOptions const options = TRY(options_of(words));
    Start start = TRY(words.from.empty() ? boot(options.configuration) : restore(words));
    if (!words.name.empty()) return host(words.name, std::move(start.machine), start.header, words.record);
    Machine& machine = start.machine;
    std::optional<Recorder> recorder = TRY(recorder_of(words, start.header));
    End end;
    {
        Terminal terminal;
        Runner runner{machine, options, terminal, recorder ? &*recorder : nullptr};
        end = runner.run();
        if (recorder) TRY(recorder->finish(machine, runner.last_result()));
    }
    if (!words.save.empty()) TRY(save_snapshot(machine, start.header, words.save));
    if (!options.quiet) print_summary(machine, end, options.verbose);
    return end.status;
}

void add_options(CLI::App& command, Words& words) {
    command.add_option("machine", words.file, "machine.toml: the same keys as the options of the first group")->type_name("FILE");
    auto& machine = *command.add_option_group("Machine");
    machine.add_option("-k,--kernel", words.kernel, "Linux bzImage, ELF vmlinux or multiboot 1 image")->type_name("FILE");
    machine.add_option("--bios", words.bios, "firmware image in place of a kernel; the processor begins at its reset vector")->type_name("FILE");
    machine.add_option("-i,--initrd", words.initrd, "initial RAM disk; multiboot modules, separated by commas")->type_name("FILE");
    machine.add_option_function<std::string>("-a,--append", [&words](const std::string& text) { words.append = text; words.has_append = true; },
                                             "kernel command line")->type_name("TEXT");
    machine.add_option("-d,--disk,--hda", words.disks, "disk image; changes stay in the machine. Twice for two disks. With --from: where the image is now")->type_name("FILE")->allow_extra_args(false);
    machine.add_option("--disk-read-only", words.read_only_disks, "a disk that the guest cannot write")->type_name("FILE")->allow_extra_args(false);
    machine.add_option("-m,--memory", words.memory, "RAM, as 512M or 2G (default 256M)")->type_name("SIZE");
    machine.add_option("--cpu", words.cpu, "ramet-v1 (default) or ramet-v2")->type_name("MODEL");
    machine.add_option("--unpack", words.unpack, "who unpacks a bzImage: guest (default), or host, which boots faster")->type_name("WHO");
    machine.add_option("--rtc", words.rtc, "the clock's date at power-on (default 2024-01-01T00:00:00Z)")->type_name("DATE");
    machine.add_option("--seed", words.seed, "seed of the guest's random numbers (default 0)")->type_name("N");
    auto& run = *command.add_option_group("Run");
    run.add_option("--console", words.console, "what to show: serial, debug (port E9h), both (default) or none")->type_name("WHAT");
    run.add_option("--until", words.until, "end when this happens; may be repeated: serial:TEXT, debug:TEXT, position:N, time:T (guest time), exit")
        ->type_name("CONDITION")->allow_extra_args(false);
    run.add_option("--timeout", words.timeout, "end after this much host time, as 60s; where that is depends on the host")->type_name("T");
    run.add_option("--digest-every", words.digest_every, "print Position and digest of the machine every N instructions")->type_name("N");
    run.add_option("--record", words.record, "write the run to a log: ramet replay repeats it")->type_name("FILE");
    run.add_option("--name", words.name, "host the machine under this name: ramet ps, attach, fork and migrate know it; it is recorded and by the wall clock")
        ->type_name("NAME");
    run.add_option("--snapshot-every", words.snapshot_every, "with --record: a snapshot every N instructions, for ramet verify --jobs")->type_name("N");
    run.add_option("--from", words.from, "go on from a snapshot instead of booting")->type_name("FILE");
    run.add_option("--save", words.save, "save a snapshot at the end")->type_name("FILE");
    run.add_flag("--realtime", words.realtime, "an idle guest waits by the wall clock, as it always does on a terminal");
    run.add_flag("-q,--quiet", words.quiet, "no summary at the end");
    run.add_flag("-v,--verbose", words.verbose, "list accesses that no device answered");
}

}  // namespace

void add_run(CLI::App& app, int& status) {
    CLI::App& command = *app.add_subcommand("run", "Boot a machine; its serial port is the terminal");
    auto const words = std::make_shared<Words>();
    add_options(command, *words);
    command.footer(std::string{examples} + exit_status_help);
    command.callback([words, &status] {
        auto const result = run(*words);
        if (!result) std::fprintf(stderr, "ramet run: %s\n", result.error().text.c_str());
        status = result ? *result : int{bad_usage};
    });
}

}  // namespace ramet::cli
