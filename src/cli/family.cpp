// ramet ps, pause, resume, stop, fork, migrate and migrations: what a running family can be asked for, over its control socket and nothing else.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

#include "base/quantity.h"
#include "cli/attach.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/replay_words.h"
#include "cli/until.h"
#include "remote/control.h"
#include "remote/control_json.h"

namespace ramet::cli {

namespace {

using Number = unsigned long long;

constexpr auto progress_every = std::chrono::milliseconds{200};

template <class T>
void append(std::vector<T>& all, const std::vector<T>& some) {
    all.insert(all.end(), some.begin(), some.end());
}

Expected<int> list(bool json) {
    std::vector<MemberInfo> members;
    for (const ControlClient& client : TRY(ControlClient::all())) append(members, TRY(client.members()));
    if (json) return std::puts(members_json(members).c_str()), done;
    std::printf("%-16s %-10s %16s %10s %12s  %s\n", "NAME", "STATE", "POSITION", "MEMORY", "LACKS", "DETAIL");
    for (const MemberInfo& m : members)
        std::printf("%-16s %-10s %16llu %7llu MB %6llu pages  %s\n", m.name.c_str(), m.state.c_str(), Number{m.position}, Number{m.memory_bytes >> 20},
                    Number{m.lacking_pages}, m.detail.c_str());
    return done;
}

void print_move(const MoveInfo& move) {
    const ServeStats& pages = move.report.pages;
    Outgoing::Ahead const ahead = Outgoing::ahead(move.report);
    u64 const tenths = ahead.bytes_per_s * 10 >> 20;
    std::printf("%llu %s %s to %s: %s%s%s; paused %llu us, first instruction after %llu us, total %llu ms; pages: %llu of %llu there, %llu by demand, %llu by push, "
                "%llu before a write, %llu known, %llu zeros, %llu left; %llu bytes on the wire, %llu.%llu MiB/s of memory",
                Number{move.number}, move.kind.c_str(), move.machine.c_str(), move.to.c_str(), phase_text(move.report.phase), move.report.error.empty() ? "" : ": ",
                move.report.error.c_str(), Number{move.report.stopped_ns / 1000}, Number{move.report.started_ns / 1000}, Number{move.report.total_ns / 1'000'000},
                Number{pages.confirmed}, Number{pages.total}, Number{pages.demanded}, Number{pages.pushed}, Number{pages.before_write}, Number{pages.named},
                Number{pages.zeros}, Number{ahead.pages}, Number{move.report.bytes}, Number{tenths / 10}, Number{tenths % 10});
    if (ahead.pages != 0 && ahead.ms != 0) std::printf(", %llu.%llu s to go", Number{ahead.ms / 1000}, Number{ahead.ms / 100 % 10});
    std::putchar('\n');
}

Expected<int> list_moves(bool json) {
    std::vector<MoveInfo> moves;
    std::vector<MemberInfo> members;
    for (const ControlClient& client : TRY(ControlClient::all())) {
        append(moves, TRY(client.moves()));
        append(members, TRY(client.members()));
    }
    if (json) return std::puts(moves_json(moves).c_str()), done;
    for (const MoveInfo& move : moves) print_move(move);
    for (const MemberInfo& m : members)
        if (m.lacking_pages != 0)
            std::printf("%s arrives: lacks %llu pages, asked for %llu, stalled %llu ms, at most %llu us at a time\n", m.name.c_str(), Number{m.lacking_pages},
                        Number{m.asked_pages}, Number{m.stalled_ns / 1'000'000}, Number{m.stall_max_ns / 1000});
    return done;
}

/// A line that is written over: pages, demand faults, time left.
void show_progress(const MoveInfo& move) {
    const ServeStats& pages = move.report.pages;
    u64 const left = Outgoing::ahead(move.report).ms;
    u64 const tenths = pages.total == 0 ? 0 : 20 * pages.confirmed / pages.total;
    std::string const bar = std::string(tenths, '#') + std::string(20 - tenths, '.');
    std::fprintf(stderr, "\r[%s] %llu/%llu pages, %llu demand faults, %llu.%llu s left  ", bar.c_str(), Number{pages.confirmed}, Number{pages.total}, Number{pages.demanded},
                 Number{left / 1000}, Number{left / 100 % 10});
}

struct MoveWords {
    std::string machine, to, name, on_write = "keep", push, key;
    bool detach = false;
};

Expected<int> watch(const ControlClient& client, u64 number, bool detach) {
    for (;;) {
        auto const moves = client.moves();
        if (!moves) return done;  // the last machine left, and its process with it
        for (const MoveInfo& move : *moves) {
            if (move.number != number) continue;
            auto const phase = move.report.phase;
            if (phase == Outgoing::Phase::failed) return Error{move.machine + ": " + move.report.error};
            bool const over = phase == Outgoing::Phase::finished || phase == Outgoing::Phase::taken_back;
            if (isatty(STDERR_FILENO)) show_progress(move);
            if (over || (detach && phase != Outgoing::Phase::connecting)) {
                if (isatty(STDERR_FILENO)) std::fputc('\n', stderr);
                print_move(move);
                return done;
            }
        }
        std::this_thread::sleep_for(progress_every);
    }
}

Expected<int> move(const MoveWords& words, MoveKind kind) {
    ControlClient const client = TRY(ControlClient::of(words.machine));
    MoveOptions options{.to = TRY(Address::parse(words.to)), .key_file = words.key, .kind = kind, .name = words.name};
    if (const char* const command = std::getenv("RAMET_SSH")) options.ssh_command = command;  // the process that hosts the machine may not have it
    options.serve.on_write = words.on_write == "send" ? OnWrite::send : OnWrite::keep;
    if (!words.push.empty()) options.serve.push_bytes_per_s = words.push == "off" ? 0 : TRY(parse_count(words.push, "--push")) << 20;
    return watch(client, TRY(client.move(words.machine, options)), words.detach);
}

Expected<int> fork(const MoveWords& words) {
    if (!words.to.empty()) return move(words, MoveKind::fork);
    if (words.name.empty()) return Error{"give the child a name: --name NAME"};
    TRY(TRY(ControlClient::of(words.machine)).fork(words.machine, words.name));
    std::printf("%s: its console is at `ramet attach %s`\n", words.name.c_str(), words.name.c_str());
    return done;
}

void add_list(CLI::App& app, int& status, const char* name, const char* text, Expected<int> (*list)(bool json)) {
    CLI::App& command = *app.add_subcommand(name, text);
    auto const json = std::make_shared<bool>(false);
    command.add_flag("--json", *json, "one JSON array, with the words of docs/openapi.json");
    set_action(command, status, [json, list] { return list(*json); });
}

/// A subcommand that takes a machine's name and calls one function with it.
void add_simple(CLI::App& app, int& status, const char* name, const char* text, Expected<Done> (*action)(const ControlClient&, const std::string&)) {
    CLI::App& command = *app.add_subcommand(name, text);
    auto const machine = std::make_shared<std::string>();
    command.add_option("machine", *machine)->required()->type_name("NAME");
    set_action(command, status, [machine, action]() -> Expected<int> {
        TRY(action(TRY(ControlClient::of(*machine)), *machine));
        return done;
    });
}

void add_move_options(CLI::App& command, MoveWords& words) {
    command.add_option("machine", words.machine)->required()->type_name("NAME");
    command.add_option("--name", words.name, "the child's name (default: the machine's)")->type_name("NAME");
    command.add_option("--push", words.push, "MiB a second to send unasked (default: as fast as it goes), or off")->type_name("MiB/s");
    command.add_option("--key", words.key, "file with the key that both sides know, for TCP")->type_name("FILE");
    command.add_flag("--detach", words.detach, "do not wait until all memory is there");
}

}  // namespace

void add_family(CLI::App& app, int& status) {
    add_list(app, status, "ps", "List the machines of all processes of yours", list);
    add_list(app, status, "migrations", "Forks and migrations to other hosts: pages there, by demand, by push and left, pauses, stalls, rates", list_moves);
    add_simple(app, status, "pause", "Let a machine stand still", [](const ControlClient& client, const std::string& name) { return client.pause(name); });
    add_simple(app, status, "stop", "Stop a machine; its log remains", [](const ControlClient& client, const std::string& name) { return client.stop(name); });

    CLI::App& resume = *app.add_subcommand("resume", "Let a machine go on");
    auto const machine = std::make_shared<std::string>();
    auto const back = std::make_shared<bool>(false), over = std::make_shared<bool>(false);
    resume.add_option("machine", *machine)->required()->type_name("NAME");
    auto* const take_back = resume.add_flag("--take-back", *back, "it was migrated and has not arrived completely: it stops there and goes on here");
    resume.add_flag("--take-over", *over, "its source is gone for good (you answer for that): what is missing is made from its log")->excludes(take_back);
    set_action(resume, status, [machine, back, over]() -> Expected<int> {
        ControlClient const client = TRY(ControlClient::of(*machine));
        if (*over && isatty(STDERR_FILENO)) std::fprintf(stderr, "making what is missing from the log, which takes about as long as the machine has run\n");
        TRY(client.resume(*machine, *back ? "take-back" : *over ? "take-over" : ""));
        return done;
    });

    auto const words = std::make_shared<MoveWords>();
    CLI::App& fork_command = *app.add_subcommand("fork", "Fork a machine, here or to another host");
    add_move_options(fork_command, *words);
    fork_command.add_option("--to", words->to, "another host: unix:PATH, tcp:HOST:PORT or ssh:HOST, where `ramet receive` listens")->type_name("PLACE");
    fork_command.add_option("--on-write", words->on_write, "before the parent writes a page that has not gone: keep the old one (default), or send it first")
        ->check(CLI::IsMember({"keep", "send"}))->type_name("POLICY");
    set_action(fork_command, status, [words] { return fork(*words); });
    CLI::App& migrate = *app.add_subcommand("migrate", "Move a machine to another host; it runs there about a millisecond later");
    add_move_options(migrate, *words);
    migrate.add_option("--to", words->to, "unix:PATH, tcp:HOST:PORT or ssh:HOST, where `ramet receive` listens")->required()->type_name("PLACE");
    set_action(migrate, status, [words] { return move(*words, MoveKind::migrate); });
}

}  // namespace ramet::cli
