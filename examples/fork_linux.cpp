// Boots Linux to a shell prompt, forks it at one Position into eight children, types something different into each and the same
// into two, and shows what became of them. Uses the library's public header and nothing else of Ramet.
//
//     fork_linux KERNEL INITRD          tools/demo fetches both
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <ramet/ramet.hpp>
#include <thread>

namespace {

using ramet::Machine;
using ramet::Position;
using ramet::u64;
using ramet::u8;

constexpr const char* prompt = "/ # ";
constexpr u64 child_instructions = 30'000'000;
constexpr std::array<const char*, 8> commands = {"uname -sr",   "echo $((6*7))",          "wc -c /init", "echo twins | md5sum", "echo twins | md5sum",
                                                 "cat /proc/1/comm", "grep -c . /proc/cpuinfo", "expr 2 + 2"};
constexpr std::size_t twin_a = 3, twin_b = 4;

/// Collects the console and stops at the prompt.
class Console final : public ramet::Ports {
public:
    bool output(ramet::Channel channel, u8 byte) override {
        if (channel == ramet::Channel::serial) text.push_back(static_cast<char>(byte));
        return channel == ramet::Channel::serial && prompt_.feed(byte);
    }
    /// The last line that is not empty.
    std::string last_line() const {
        auto const end = text.find_last_not_of("\r\n");
        if (end == std::string::npos) return "";
        auto const start = text.find_last_of('\n', end);
        return text.substr(start + 1, end - start);
    }
    /// The line after the echo of what was typed.
    std::string answer() const {
        auto const start = std::min(text.find('\n'), text.size() - 1) + 1;
        return text.substr(start, text.find_first_of("\r\n", start) - start);
    }
    std::string text;

private:
    ramet::TextMatcher prompt_{prompt};
};

struct Child {
    std::unique_ptr<Machine> machine;
    Console console = {};
    double fork_us = 0;
    u64 idle_kib = 0;
};

u64 kib(u64 bytes) { return bytes / 1024; }

/// On a terminal one line that is written over again; elsewhere a line now and then, so that a log shows that it lives.
void show_progress(const Machine& machine, const Console& console) {
    constexpr u64 million = 1'000'000, line_every = 200;
    u64 const millions = machine.position().value / million;
    bool const terminal = isatty(STDERR_FILENO);
    if (!terminal && millions % line_every != 0) return;
    std::fprintf(stderr, terminal ? "\r\033[Kbooting: %5llu M instructions  %.60s" : "booting: %5llu M instructions  %.60s\n",
                 static_cast<unsigned long long>(millions), console.last_line().c_str());
}

/// Runs to the prompt; false if it does not come.
bool boot(Machine& machine) {
    constexpr u64 step = 20'000'000, most = 20'000'000'000;
    Console console;
    while (machine.position() < Position{most}) {
        auto const stop = machine.run({.position = machine.position() + step}, console);
        show_progress(machine, console);
        if (stop.reason == ramet::StopReason::position) continue;
        if (isatty(STDERR_FILENO)) std::fputs("\r\033[K", stderr);
        if (stop.reason == ramet::StopReason::output) return true;
        std::printf("%s\nthe guest ended: %s %s\n", console.text.c_str(), ramet::reason_text(stop.reason), stop.report.c_str());
        return false;
    }
    std::fprintf(stderr, "fork_linux: no prompt \"%s\" within %llu instructions; the console so far:\n%s\n", prompt, static_cast<unsigned long long>(most),
                 console.text.c_str());
    return false;
}

Child fork_child(Machine& parent) {
    auto const before = std::chrono::steady_clock::now();
    Machine forked = parent.fork();
    std::chrono::duration<double, std::micro> const pause = std::chrono::steady_clock::now() - before;
    Child child{.machine = std::make_unique<Machine>(std::move(forked)), .fork_us = pause.count()};
    child.idle_kib = kib(child.machine->private_bytes());
    return child;
}

void type(Machine& machine, const char* command) {
    ramet::Input input;
    for (const char* c = command; *c; ++c) input.bytes.push_back(static_cast<u8>(*c));
    input.bytes.push_back('\r');
    machine.apply(input);
}

void run_to(Machine& machine, Position end, ramet::Ports& ports) {
    while (machine.position() < end) {
        auto const stop = machine.run({.position = end}, ports);
        if (stop.reason != ramet::StopReason::output && stop.reason != ramet::StopReason::position) return;
    }
}

bool same_registers(const Machine& a, const Machine& b) { return a.cpu().gpr == b.cpu().gpr && a.cpu().rip == b.cpu().rip; }

/// The first Position after which the registers of two machines differ, found by forking ahead and halving the step: every look ahead is
/// a pair of forks, and going back is dropping them.
Position first_difference(Machine& start_a, Machine& start_b, Position end) {
    auto a = std::make_unique<Machine>(start_a.fork());
    auto b = std::make_unique<Machine>(start_b.fork());
    ramet::BufferPorts ports;
    for (u64 step = u64{1} << 20; step > 0 && a->position() < end;) {
        auto next_a = std::make_unique<Machine>(a->fork());
        auto next_b = std::make_unique<Machine>(b->fork());
        run_to(*next_a, a->position() + step, ports);
        run_to(*next_b, b->position() + step, ports);
        if (same_registers(*next_a, *next_b)) {
            a = std::move(next_a);
            b = std::move(next_b);
        } else {
            step /= 2;
        }
    }
    return a->position() + 1;
}

void report(const std::array<Child, commands.size()>& children) {
    std::printf("\n  child  fork      idle      now         typed                     answered\n");
    for (std::size_t i = 0; i < children.size(); ++i)
        std::printf("  %zu      %5.1f µs  %4llu KiB  %6llu KiB  %-24s  %s\n", i + 1, children[i].fork_us, static_cast<unsigned long long>(children[i].idle_kib),
                    static_cast<unsigned long long>(kib(children[i].machine->private_bytes())), commands[i], children[i].console.answer().c_str());
}

int demonstrate(Machine& parent) {
    Position const fork_at = parent.position();
    Position const end = fork_at + child_instructions;
    std::printf("booted to the prompt: Position %llu, %.2f s of guest time\n", static_cast<unsigned long long>(fork_at.value),
                static_cast<double>(parent.cycles().value) / 1e9);

    std::array<Child, commands.size()> children;
    for (Child& child : children) child = fork_child(parent);
    for (std::size_t i = 0; i < children.size(); ++i) type(*children[i].machine, commands[i]);
    // Taken before they run: where each parts from the first twin.
    std::array<Position, commands.size()> parts;
    for (std::size_t i = 0; i < children.size(); ++i)
        if (i != twin_a && i != twin_b) parts[i] = first_difference(*children[twin_a].machine, *children[i].machine, end);

    std::vector<std::thread> threads;
    for (Child& child : children) threads.emplace_back([&child, end] { run_to(*child.machine, end, child.console); });
    for (std::thread& thread : threads) thread.join();
    report(children);

    std::printf("\nat Position %llu:\n", static_cast<unsigned long long>(end.value));
    for (std::size_t i = 0; i < children.size(); ++i) {
        std::printf("  child %zu  digest %s", i + 1, children[i].machine->digest().hex().c_str());
        if (i == twin_a || i == twin_b)
            std::printf("  same input as child %zu\n", (i == twin_a ? twin_b : twin_a) + 1);
        else
            std::printf("  registers differ from child %zu's from Position %llu on\n", twin_a + 1, static_cast<unsigned long long>(parts[i].value));
    }
    bool const equal = children[twin_a].machine->digest() == children[twin_b].machine->digest();
    std::printf("\nchildren %zu and %zu had the same input, and their digests are %s.\n", twin_a + 1, twin_b + 1, equal ? "equal" : "NOT EQUAL");
    return equal ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return std::fputs("usage: fork_linux KERNEL INITRD\n", stderr), 2;
    ramet::Configuration configuration;
    configuration.kernel = argv[1];
    configuration.initrd = argv[2];
    configuration.append = "console=ttyS0";
    auto made = Machine::create(configuration, std::make_shared<ramet::PagePool>());
    if (!made) return std::fprintf(stderr, "fork_linux: %s\n", made.error().text.c_str()), 2;
    Machine parent = *std::move(made);
    return boot(parent) ? demonstrate(parent) : 1;
}
