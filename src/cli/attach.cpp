#include "cli/attach.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/replay_words.h"
#include "cli/terminal.h"
#include "remote/control.h"

namespace ramet::cli {

namespace {

constexpr u64 keys_ns = 10'000'000;  // a look at the keyboard
constexpr u64 output_ms = 20;        // a look at the machine
constexpr std::size_t keys_at_once = 512;

volatile std::sig_atomic_t caught_signal = 0;

void catch_signals() {
    struct sigaction action {};
    action.sa_handler = [](int signal) { caught_signal = signal; };
    for (int const signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
}

/// Its process is there, and it is not.
bool was_stopped(const ControlClient& client, const std::string& machine) {
    auto const members = client.members();
    return members && std::none_of(members->begin(), members->end(), [&](const MemberInfo& member) { return member.name == machine; });
}

}  // namespace

Expected<Attached> attach(const std::string& machine, const std::string& socket) {
    catch_signals();
    ControlClient const client{socket};
    Terminal terminal;
    EscapeKeys escape;
    std::vector<u8> keys;
    bool was_there = false;
    for (u64 from = 0; caught_signal == 0;) {
        bool const reads = terminal.interactive() || keys.size() < keys_at_once;  // a file waits until the machine has read; a key may be the escape
        auto const piece = client.console(machine, from, keys.empty() || !reads ? output_ms : 0);
        if (!piece && was_there && was_stopped(client, machine)) return Attached{Detached::ended};
        if (!piece) return piece.error();
        was_there = true;
        terminal.write(piece->bytes);
        from = piece->from + piece->bytes.size();
        if (piece->ended && piece->bytes.empty()) return Attached{Detached::ended};
        for (u8 const key : reads ? terminal.read(keys_ns) : std::vector<u8>{}) {
            Escape const wish = terminal.interactive() ? escape.feed(key, keys) : (keys.push_back(key), Escape::none);
            if (wish == Escape::leave) return Attached{Detached::left};
            if (wish == Escape::help) terminal.write(EscapeKeys::help());
        }
        auto const next = keys.begin() + static_cast<std::ptrdiff_t>(std::min(keys.size(), keys_at_once));
        if (next != keys.begin() && client.type(machine, {keys.begin(), next})) keys.erase(keys.begin(), next);
    }
    return Attached{Detached::signalled, caught_signal};
}

void add_attach(CLI::App& app, int& status) {
    CLI::App& command = *app.add_subcommand("attach", "The console of a running machine; Ctrl-A x leaves it running");
    auto const machine = std::make_shared<std::string>();
    command.add_option("machine", *machine)->required()->type_name("NAME");
    set_action(command, status, [machine]() -> Expected<int> {
        Attached const attached = TRY(attach(*machine, TRY(ControlClient::of(*machine)).socket()));
        return attached.how == Detached::signalled ? signal_status(attached.signal) : int{done};
    });
}

}  // namespace ramet::cli
