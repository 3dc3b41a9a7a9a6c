#include "cli/host.h"

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "cli/attach.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/replay_words.h"
#include "remote/control.h"

namespace ramet::cli {

namespace {

volatile std::sig_atomic_t caught_signal = 0;

/// $XDG_RUNTIME_DIR/ramet/PID.logs, or PID.2.logs and so on if an earlier process of that number has left logs: of machines that nobody asked to record
/// elsewhere.
Expected<std::string> log_directory() {
    std::string const own = TRY(runtime_directory()) + "/" + std::to_string(getpid());
    std::string path = own + ".logs";
    for (u64 number = 2;; ++number) {
        std::error_code error;
        if (std::filesystem::create_directory(path, error)) return path;
        if (error) return Error{path + ": cannot be made: " + error.message()};
        path = own + "." + std::to_string(number) + ".logs";
    }
}

/// Standard input and output as a link, which alone holds them: their other ends see when it is closed.
std::unique_ptr<ByteLink> take_standard_streams() {
    Fd input{dup(STDIN_FILENO)}, output{dup(STDOUT_FILENO)};
    Fd const nothing{open("/dev/null", O_RDWR | O_CLOEXEC)};
    for (int const fd : {STDIN_FILENO, STDOUT_FILENO}) dup2(nothing.get(), fd);
    return make_byte_link(std::move(input), std::move(output));
}

struct ReceiveWords {
    std::string listen, key, place;
    std::vector<std::string> knows;
};

Expected<int> receive(const ReceiveWords& words) {
    bool const stdio = words.place == "-";
    if (stdio == !words.listen.empty()) return Error{"say where: --listen unix:PATH, --listen tcp:127.0.0.1:PORT, or - for standard input and output"};
    std::signal(SIGPIPE, SIG_IGN);
    for (int const signal : {SIGINT, SIGTERM}) std::signal(signal, [](int s) { caught_signal = s; });
    if (stdio) std::signal(SIGHUP, SIG_IGN);  // the machine outlives the connection that brought it
    Family family{TRY(log_directory())};
    for (const std::string& path : words.knows) TRY(family.know(TRY(Snapshot::open(path))));
    auto const control = TRY(ControlServer::start(family, TRY(runtime_directory())));
    if (stdio) {
        TRY(family.join_siblings(TRY(runtime_directory()) + "/" + std::to_string(getpid())));
        family.receive(take_standard_streams());
        family.stop_when_empty();
    } else {
        Address const at = TRY(family.listen(TRY(Address::parse(words.listen)), words.key));
        std::fprintf(stderr, "ramet receive: listening on %s\n", at.text().c_str());
    }
    while (caught_signal == 0 && !family.stopped()) std::this_thread::sleep_for(std::chrono::milliseconds{20});
    family.stop();
    return caught_signal == 0 ? int{done} : signal_status(caught_signal);
}

/// Children elsewhere get the rest of their memory from here, and others of this process may live longer than its first machine.
void wait_for_children(Family& family) {
    constexpr auto look = std::chrono::milliseconds{20};
    constexpr unsigned silent_looks = 100;
    for (unsigned looks = 0; caught_signal == 0 && !family.stopped(); ++looks) {
        std::this_thread::sleep_for(look);
        if (looks == silent_looks) std::fprintf(stderr, "ramet run: this process goes on until its other machines have ended, and those elsewhere have their memory (ramet ps, ramet migrations). Ctrl-C ends it\n");
    }
}

}  // namespace

Expected<int> host(const std::string& name, Machine machine, const LogHeader& header, const std::string& log) {
    std::signal(SIGPIPE, SIG_IGN);
    std::string const directory = TRY(log_directory());
    Family family{directory};
    TRY(family.add(name, std::move(machine), header, log.empty() ? directory + "/" + name + ".rlog" : log));
    auto const control = TRY(ControlServer::start(family, TRY(runtime_directory())));
    Attached const attached = TRY(attach(name, control->path()));
    if (attached.how == Detached::signalled) return signal_status(attached.signal);
    if (attached.how == Detached::left)
        for (const MemberInfo& member : family.members()) static_cast<void>(family.remove(member.name));  // refused by what is on its way, which has to arrive
    for (int const signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, [](int s) { caught_signal = s; });
    family.stop_when_empty();
    family.wake();
    wait_for_children(family);
    return caught_signal == 0 ? int{done} : signal_status(caught_signal);
}

void add_receive(CLI::App& app, int& status) {
    CLI::App& command = *app.add_subcommand("receive", "Take machines that are forked or migrated to this host, and run them");
    auto const words = std::make_shared<ReceiveWords>();
    command.add_option("place", words->place, "- for one machine over standard input and output, as ssh carries it")->type_name("-");
    command.add_option("--listen", words->listen, "unix:PATH or tcp:HOST:PORT; beyond loopback only with a key")->type_name("PLACE");
    command.add_option("--key", words->key, "file with the key that both sides know: authenticates and encrypts TCP")->type_name("FILE");
    command.add_option("--knows", words->knows, "a snapshot: what it has of a machine's memory is not sent here")->type_name("FILE.rsnap");
    set_action(command, status, [words] { return receive(*words); });
}

}  // namespace ramet::cli
