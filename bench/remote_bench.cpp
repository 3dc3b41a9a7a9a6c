// What moving a machine to another host costs, over loopback: prints one JSON object per figure.
//
//     remote_bench [pause|fault|push|working_set|fanout …]        (default: all)
//
// Source and target are two families in this process, joined by TCP on 127.0.0.1. A pause lasts from the parent's stop to the child's first
// instruction. A demand fault is timed at the child: from the access until it goes on. Each figure is the median of several rounds, because the host has other things to do as well.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <list>
#include <thread>

#include "base/bytes.h"
#include "remote/family.h"

namespace {

using namespace ramet;

constexpr u64 MiB = u64{1} << 20;

template <class T>
T must(Expected<T> result) {
    if (result) return *std::move(result);
    std::fprintf(stderr, "remote_bench: %s\n", result.error().text.c_str());
    std::exit(1);
}

void print(const std::string& name, double value) { std::printf("{\"name\":\"remote.%s\",\"value\":%.3f}\n", name.c_str(), value), std::fflush(stdout); }

double now_us() { return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double quantile(std::vector<double> values, double part) {
    std::sort(values.begin(), values.end());
    return values[std::min(values.size() - 1, static_cast<std::size_t>(part * static_cast<double>(values.size())))];
}

void wait_until(auto holds) {
    while (!holds()) std::this_thread::sleep_for(std::chrono::microseconds{200});
}

enum class Sweeps : u8 { for_ever, once };

/// Adds one to a word in each of `pages` pages from 2 MiB on; after one sweep it may halt for good.
std::vector<u8> kernel(u32 pages, Sweeps sweeps) {
    std::vector<u8> code = {0xbf, 0, 0, 0x20, 0,           // mov edi, 200000h
                            0xff, 0x07,                    // inc dword [edi]
                            0x81, 0xc7, 0, 0x10, 0, 0,     // add edi, 4096
                            0x81, 0xff, 0, 0, 0, 0,        // cmp edi, end
                            0x72, 0xf0, 0xeb, 0xe9};       // jb to the inc; jmp to the start
    store_le(&code[15], u32{0x200000} + pages * u32{page_size});
    if (sweeps == Sweeps::once) code[21] = 0xfb, code.insert(code.begin() + 22, {0xf4, 0xeb, 0xfd});  // sti; hlt; jmp to the hlt
    std::vector<u8> image;
    constexpr u32 magic = 0x1badb002, flags = 0x10000, load = 0x100000;
    for (u32 const value : {magic, flags, 0 - magic - flags, load, load, u32{0}, u32{0}, load + 32})
        for (unsigned i = 0; i < 4; ++i) image.push_back(static_cast<u8>(value >> 8 * i));
    image.insert(image.end(), code.begin(), code.end());
    return image;
}

struct Host {
    explicit Host(const std::string& name) : directory((std::filesystem::temp_directory_path() / ("ramet-remote-bench-" + name)).string()) {
        static int number = 0;
        directory += std::to_string(number++);
        std::filesystem::create_directories(directory);
        family.emplace(directory);
    }
    ~Host() {
        family.reset();
        std::filesystem::remove_all(directory);
    }
    MemberInfo member(const std::string& name) {
        for (const MemberInfo& info : family->members())
            if (info.name == name) return info;
        return {};
    }
    std::string directory;
    std::optional<Family> family;
};

/// A machine whose sweep has touched all of its pages, at a source, and a target that listens.
struct Pair {
    Pair(u64 memory_mib, u32 pages, Sweeps sweeps = Sweeps::for_ever) {
        Configuration configuration;
        configuration.kernel = source.directory + "/kernel";
        configuration.memory_bytes = memory_mib * MiB;
        std::vector<u8> const bytes = kernel(pages, sweeps);
        std::ofstream{configuration.kernel, std::ios::binary}.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        Images const images = must(read_images(configuration));
        Machine machine = must(Machine::create(configuration, images, std::make_shared<PagePool>()));
        LogHeader const header = header_of(configuration, images, machine);
        must(source.family->add("parent", std::move(machine), header, source.directory + "/parent.rlog"));
        wait_until([&] { return source.member("parent").position >= 4 * u64{pages}; });
        address = must(target.family->listen(must(Address::parse("tcp:127.0.0.1:0"))));
    }
    Outgoing::Report fork(const std::string& name, ServeOptions serve) {
        u64 const number = must(source.family->move("parent", {.to = address, .name = name, .serve = std::move(serve)}));
        Outgoing::Report report;
        wait_until([&] {
            report = find(number);
            return report.started_ns != 0;
        });
        return report;
    }
    Outgoing::Report find(u64 number) {
        for (const MoveInfo& move : source.family->moves()) {
            if (move.number != number) continue;
            if (move.report.phase == Outgoing::Phase::failed) must(Expected<Done>{Error{move.report.error}});
            return move.report;
        }
        return {};
    }

    /// Asks once for all, because the source has other things to do.
    bool have_started(const std::vector<u64>& numbers) {
        std::size_t started = 0;
        for (const MoveInfo& move : source.family->moves()) {
            if (std::find(numbers.begin(), numbers.end(), move.number) == numbers.end()) continue;
            if (move.report.phase == Outgoing::Phase::failed) must(Expected<Done>{Error{move.report.error}});
            if (move.report.started_ns != 0) ++started;
        }
        return started == numbers.size();
    }

    Host source{"source"};
    Host target{"target"};
    Address address;
};

/// Of machines of three sizes in turn, so that what the host does meanwhile falls on all of them, and enough of each that one or two that the host
/// disturbed are not yet the 99th percentile.
struct Pauses {
    Pauses(std::string size_text, u64 mib) : size(std::move(size_text)), pair(mib, 2000) { must(pair.source.family->pause("parent")); }
    void measure(int count) {
        must(pair.source.family->resume("parent"));
        for (int i = 0; i < count; ++i) {
            std::string const name = "child" + std::to_string(pauses.size());
            Outgoing::Report const report = pair.fork(name, {.push_bytes_per_s = 0});
            u64 const first = pair.target.member(name).first_run_at_ns;
            pauses.push_back(static_cast<double>(first - report.departed_at_ns) / 1e3);
            stops.push_back(static_cast<double>(report.stopped_ns) / 1e3);
            must(pair.target.family->remove(name));
        }
        must(pair.source.family->pause("parent"));
    }
    std::string size;
    Pair pair;
    std::vector<double> pauses = {}, stops = {};
};

void bench_pause() {
    constexpr int rounds = 10, at_once = 20;
    std::list<Pauses> all;
    for (auto const& [size, mib] : {std::pair{"64M", 64}, std::pair{"1G", 1024}, std::pair{"8G", 8192}}) all.emplace_back(size, static_cast<u64>(mib));
    for (int round = 0; round < rounds; ++round)
        for (Pauses& one : all) one.measure(at_once);
    for (const Pauses& one : all) {
        print(one.size + ".pause_p50_us", quantile(one.pauses, 0.5));
        print(one.size + ".pause_p99_us", quantile(one.pauses, 0.99));
        print(one.size + ".parent_stops_p50_us", quantile(one.stops, 0.5));
    }
}

void bench_fault() {
    Pair pair{256, 20'000};
    must(pair.source.family->pause("parent"));
    pair.fork("child", {.push_bytes_per_s = 0});
    wait_until([&] { return pair.target.member("child").asked_pages >= 5000; });
    MemberInfo const child = pair.target.member("child");
    print("fault_mean_us", static_cast<double>(child.stalled_ns) / 1e3 / static_cast<double>(child.asked_pages));
    print("fault_p50_us", static_cast<double>(child.stall_p50_ns) / 1e3);
}

/// All of a machine's memory, to a child that sleeps. The first time the target has to get as much from its operating system, which clears it; then the
/// pages of earlier children are there to be used again.
void bench_push() {
    constexpr u64 uncounted = 1000;  // pages, until it runs
    Pair pair{2048, 200'000, Sweeps::once};
    must(pair.source.family->pause("parent"));
    std::vector<double> rates;
    for (int i = 0; i < 6; ++i) {
        u64 const number = must(pair.source.family->move("parent", {.to = pair.address, .name = "child"}));
        double begun = 0;
        wait_until([&] { begun = begun == 0 && pair.find(number).pages.pushed > uncounted ? now_us() : begun; return pair.find(number).phase == Outgoing::Phase::finished; });
        Outgoing::Report const report = pair.find(number);
        rates.push_back(static_cast<double>(report.pages.pushed + report.pages.demanded - uncounted) * page_size / (now_us() - begun) * 1e6 / (1024.0 * MiB));
        must(pair.target.family->remove("child"));
    }
    print("push_first_gib_s", rates[0]);
    print("push_gib_s", quantile({rates.begin() + 1, rates.end()}, 0.5));
}

/// A child that touches 5 % of its memory, and a second one that is given what the first one touched.
void bench_working_set() {
    constexpr u32 mib = 128, pages = mib * 256 / 20;
    Pair pair{mib, pages};
    must(pair.source.family->pause("parent"));
    auto const faults = [&](const char* name, ServeOptions serve) {
        pair.fork(name, std::move(serve));
        u64 const from = pair.target.member(name).position;
        wait_until([&] { return pair.target.member(name).position > from + 8 * u64{pages}; });
        return pair.target.member(name);
    };
    MemberInfo const first = faults("first", {.push_bytes_per_s = 0});
    print("touched_share_received", static_cast<double>(first.received_pages) / (mib * 256));
    MemberInfo const second = faults("second", {.push_bytes_per_s = 0});
    print("second_child_fault_ratio", static_cast<double>(second.asked_pages) / static_cast<double>(first.asked_pages));
}

/// One frozen parent, twenty receivers.
void bench_fanout() {
    Pair pair{64, 2000};
    must(pair.source.family->pause("parent"));
    std::vector<double> last;
    for (int round = 0; round < 11; ++round) {
        double const from = now_us();
        std::vector<u64> numbers;
        for (int i = 0; i < 20; ++i) {
            std::string const name = "child" + std::to_string(round) + "-" + std::to_string(i);
            numbers.push_back(must(pair.source.family->move("parent", {.to = pair.address, .name = name, .serve = {.push_bytes_per_s = 0}})));
        }
        wait_until([&] { return pair.have_started(numbers); });
        last.push_back((now_us() - from) / 1e3);
        for (int i = 0; i < 20; ++i) must(pair.target.family->remove("child" + std::to_string(round) + "-" + std::to_string(i)));
    }
    print("fanout20_ms", quantile(last, 0.5));
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::pair<std::string, std::function<void()>>> const benches = {
        {"pause", bench_pause},
        {"fault", bench_fault},
        {"push", bench_push},
        {"working_set", bench_working_set},
        {"fanout", bench_fanout},
    };
    std::vector<std::string> const wanted{argv + 1, argv + argc};
    for (const auto& [name, bench] : benches)
        if (wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end()) bench();
    return 0;
}
