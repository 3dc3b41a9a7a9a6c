#include "cli/host.h"

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <thread>

#include <unistd.h>

#include "cli/attach.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/replay_words.h"
#include "remote/control.h"

namespace ramet::cli {

namespace {

volatile std::sig_atomic_t caught_signal = 0;

/// $XDG_RUNTIME_DIR/ramet/PID.logs: of machines that nobody asked to record elsewhere.
Expected<std::string> log_directory() {
    std::string const path = TRY(runtime_directory()) + "/" + std::to_string(getpid()) + ".logs";
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) return Error{path + ": cannot be made: " + error.message()};
    return path;
}

struct ReceiveWords {
    std::string listen, key, place;
};

Expected<int> receive(const ReceiveWords& words) {
    bool const stdio = words.place == "-";
    if (stdio == !words.listen.empty()) return Error{"say where: --listen unix:PATH, --listen tcp:127.0.0.1:PORT, or - for standard input and output"};
    std::signal(SIGPIPE, SIG_IGN);
    for (int const signal : {SIGINT, SIGTERM}) std::signal(signal, [](int s) { caught_signal = s; });
    if (stdio) std::signal(SIGHUP, SIG_IGN);  // the machine outlives the connection that brought it
    Family family{TRY(log_directory())};
    auto const control = TRY(ControlServer::start(family, TRY(runtime_directory())));
    if (stdio) {
        family.receive(make_byte_link(Fd{dup(STDIN_FILENO)}, Fd{dup(STDOUT_FILENO)}));
        family.stop_when_empty();
    } else {
        Address const at = TRY(family.listen(TRY(Address::parse(words.listen)), words.key));
        std::fprintf(stderr, "ramet receive: listening on %s\n", at.text().c_str());
    }
    while (caught_signal == 0 && !family.stopped()) std::this_thread::sleep_for(std::chrono::milliseconds{20});
    family.stop();
    return caught_signal == 0 ? int{done} : signal_status(caught_signal);
}

}  // namespace

Expected<int> host(const std::string& name, Machine machine, const LogHeader& header, const std::string& log) {
    std::signal(SIGPIPE, SIG_IGN);
    std::string const directory = TRY(log_directory());
    Family family{directory};
    TRY(family.add(name, std::move(machine), header, log.empty() ? directory + "/" + name + ".rlog" : log));
    auto const control = TRY(ControlServer::start(family, TRY(runtime_directory())));
    Detached const how = TRY(attach(name, control->path()));
    if (how == Detached::ended) {
        family.stop_when_empty();
        family.wake();
        while (!family.stopped()) std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    return done;
}

void add_receive(CLI::App& app, int& status) {
    CLI::App& command = *app.add_subcommand("receive", "Take machines that are forked or migrated to this host, and run them");
    auto const words = std::make_shared<ReceiveWords>();
    command.add_option("place", words->place, "- for one machine over standard input and output, as ssh carries it")->type_name("-");
    command.add_option("--listen", words->listen, "unix:PATH or tcp:HOST:PORT; beyond loopback only with a key")->type_name("PLACE");
    command.add_option("--key", words->key, "file with the key that both sides know: authenticates and encrypts TCP")->type_name("FILE");
    set_action(command, status, [words] { return receive(*words); });
}

}  // namespace ramet::cli
