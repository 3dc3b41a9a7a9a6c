// What recording, replaying and restoring cost. Prints one JSON object per figure:
//
//     replay_bench
//
// The guest computes and prints (an endless loop of arithmetic and memory accesses), so that recording has digests to take and replay has work
// to do. Ratios are of CPU seconds of all threads and compare the best of several rounds, because the host has other things to do as well.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <ctime>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replay/player.h"
#include "replay/recorder.h"
#include "replay/snapshot.h"

namespace {

using namespace ramet;

constexpr u64 instructions = 1'000'000'000;
constexpr int rounds = 5;

double now_s() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double cpu_s() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

template <class T>
T must(Expected<T> result) {
    if (result) return *std::move(result);
    std::fprintf(stderr, "replay_bench: %s\n", result.error().text.c_str());
    std::exit(1);
}

void print(const char* name, double value) { std::printf("{\"name\":\"%s\",\"value\":%.4f}\n", name, value); }

/// A multiboot kernel: mixes registers and walks over a megabyte, for ever.
std::vector<u8> kernel() {
    static constexpr u8 code[] = {0xbf, 0, 0, 0x20, 0,              // mov edi, 200000h
                                  0x01, 0xc3, 0xc1, 0xc3, 0x05,     // again: add ebx, eax; rol ebx, 5
                                  0x31, 0x1f, 0x83, 0xc7, 0x44,     // xor [edi], ebx; add edi, 44h
                                  0x81, 0xe7, 0xff, 0xff, 0x0f, 0,  // and edi, FFFFFh
                                  0x81, 0xcf, 0, 0, 0x20, 0,        // or edi, 200000h
                                  0x40, 0xeb, 0xe7};                // inc eax; jmp again
    std::vector<u8> image;
    constexpr u32 magic = 0x1badb002, flags = 0x10000, load = 0x100000;
    for (u32 const value : {magic, flags, 0 - magic - flags, load, load, u32{0}, u32{0}, load + 32})
        for (unsigned i = 0; i < 4; ++i) image.push_back(static_cast<u8>(value >> 8 * i));
    image.insert(image.end(), std::begin(code), std::end(code));
    return image;
}

struct Bench {
    std::string directory = (std::filesystem::temp_directory_path() / "ramet-replay-bench").string();
    Configuration configuration;
    Images images;

    Bench() {
        std::filesystem::create_directories(directory);
        std::vector<u8> const bytes = kernel();
        configuration.kernel = directory + "/kernel";
        std::ofstream{configuration.kernel, std::ios::binary}.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        images = must(read_images(configuration));
    }
    ~Bench() { std::filesystem::remove_all(directory); }

    Machine machine() const { return must(Machine::create(configuration, images, std::make_shared<PagePool>())); }
    std::string log() const { return directory + "/run.rlog"; }

    double plain_s() const {
        Machine subject = machine();
        NullPorts ports;
        double const start = cpu_s();
        subject.run({.position = Position{instructions}}, ports);
        return cpu_s() - start;
    }

    /// `bytes_per_s`: of virtual time, without the header.
    double record_s(u64 length, const RecorderOptions& options, double& bytes_per_s) const {
        Machine subject = machine();
        NullPorts ports;
        double const start = cpu_s();
        Recorder recorder = must(Recorder::create(log(), header_of(configuration, images, subject), options));
        u64 const header = recorder.writer().bytes_written();
        RunResult const result = must(recorder.run(subject, {.position = Position{length}}, ports));
        must(recorder.finish(subject, result));
        double const passed = cpu_s() - start;
        bytes_per_s = static_cast<double>(recorder.writer().bytes_written() - header) / (static_cast<double>(subject.cycles().value) / 1e9);
        return passed;
    }

    double replay_s() const {
        Player player = must(Player::open(log(), {}, std::make_shared<PagePool>()));
        NullPorts ports;
        double const start = cpu_s();
        if (must(player.run_to_end(ports)).kind != Progress::Kind::ended) std::exit(1);
        return cpu_s() - start;
    }

    /// A machine with 2 GiB of content in a file.
    std::string large_snapshot() {
        configuration.memory_bytes = u64{2} << 30;
        Machine large = machine();
        for (u64 frame = 0x1000; frame < 0x7f000; ++frame)
            if (u8* const page = large.memory().write(Frame{frame}).bytes) std::fill_n(page, 64, static_cast<u8>(frame));
        std::string path = directory + "/large.rsnap";
        must(save_snapshot(large, header_of(configuration, images, large), path));
        return path;
    }

};

double best_ms(int repeats, const std::function<void()>& work) {
    double best = 1e9;
    for (int i = 0; i < repeats; ++i) {
        double const start = now_s();
        work();
        best = std::min(best, (now_s() - start) * 1e3);
    }
    return best;
}

/// From opening the file to the first instruction.
void restore_inside(const std::string& path) {
    NullPorts ports;
    Machine restored = restore_machine(must(Snapshot::open(path)), std::make_shared<PagePool>());
    restored.run({.position = restored.position() + 1}, ports);
}

/// The same by a process of its own, from its start to its end.
void restore_by_process(const std::string& path) {
    std::string const program = RAMET_PROGRAM;
    const char* const arguments[] = {program.c_str(), "snapshot", "restore", "--run", "1", path.c_str(), nullptr};
    pid_t child = 0;
    int status = 1;
    if (posix_spawn(&child, program.c_str(), nullptr, nullptr, const_cast<char**>(arguments), environ) != 0 || waitpid(child, &status, 0) != child ||
        status != 0) {
        std::fprintf(stderr, "replay_bench: %s does not restore\n", program.c_str());
        std::exit(1);
    }
}

}  // namespace

int main() {
    Bench bench;
    double plain = 1e9, recorded = 1e9, replayed = 1e9, bytes_per_s = 0;
    for (int i = 0; i < rounds; ++i) {
        plain = std::min(plain, bench.plain_s());
        recorded = std::min(recorded, bench.record_s(instructions, {.digest_every = 100'000'000}, bytes_per_s));
        replayed = std::min(replayed, bench.replay_s());
    }
    bench.record_s(3 * instructions, {}, bytes_per_s);
    print("replay.record_ratio", recorded / plain);
    print("replay.idle_bytes_per_s", bytes_per_s);
    print("replay.replay_ratio", replayed / recorded);
    std::string const large = bench.large_snapshot();
    print("replay.restore_2G_ms", best_ms(20, [&] { restore_by_process(large); }));
    print("replay.restore_2G_inside_ms", best_ms(20, [&] { restore_inside(large); }));
    return 0;
}
