// What a fork costs, inside one process: `fork_bench fork` and `fork_bench digest` print one JSON object each, for tools/bench.
//
// The guest dirties its working set over and over, one word in each page, so that after each fork it takes its pages back one by one.
// Times are of the host's steady clock, of this thread alone; memory is the resident set of the process.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <unistd.h>

#include "base/bytes.h"
#include "machine/machine.h"

namespace ramet {
namespace {

constexpr u64 MiB = u64{1} << 20;
constexpr u32 load_address = 0x100000;
constexpr u32 first_dirty = 0x200000;
constexpr u64 dirty_bytes = 64 * MiB;

using Figures = std::map<std::string, double>;

double now_us() { return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

u64 resident_bytes() {
    std::ifstream file{"/proc/self/statm"};
    u64 total = 0, resident = 0;
    file >> total >> resident;
    return resident * page_size;
}

/// The dirty set, as far as the memory has room for it.
u64 dirty_pages(u64 memory_bytes) { return std::min(dirty_bytes, memory_bytes - first_dirty - MiB) / page_size; }

/// A multiboot kernel by the a.out kludge: a header, then code in 32-bit protected mode.
std::vector<u8> kernel(const std::vector<u8>& code) {
    constexpr u32 magic = 0x1badb002, flags = 0x10000;
    std::vector<u8> image;
    for (u32 const value : {magic, flags, 0 - magic - flags, load_address, load_address, 0u, 0u, load_address + 32}) {
        image.resize(image.size() + 4);
        store_le(&image[image.size() - 4], value);
    }
    image.insert(image.end(), code.begin(), code.end());
    return image;
}

constexpr u64 sweep_instructions_per_page = 4;

/// Adds one to a word in each page, and starts again.
std::vector<u8> sweep(u64 pages) {
    std::vector<u8> code = {0xbf, 0, 0, 0, 0,              // mov edi, first_dirty
                            0xff, 0x07,                    // inc dword [edi]
                            0x81, 0xc7, 0, 0x10, 0, 0,     // add edi, 4096
                            0x81, 0xff, 0, 0, 0, 0,        // cmp edi, end
                            0x72, 0xf0,                    // jb to the inc
                            0xeb, 0xe9};                   // jmp to the start
    store_le(&code[1], first_dirty);
    store_le(&code[15], static_cast<u32>(first_dirty + pages * page_size));
    return code;
}

/// Mixes registers and sixteen pages of memory; no end.
std::vector<u8> compute() {
    std::vector<u8> code = {0xbf, 0, 0, 0, 0,                    // mov edi, first_dirty
                            0x01, 0xc3,                          // add ebx, eax
                            0x69, 0xc0, 0x0d, 0x66, 0x19, 0,     // imul eax, eax, 1664525
                            0x05, 0x5f, 0xf3, 0x6e, 0x3c,        // add eax, 1013904223
                            0x89, 0xc1,                          // mov ecx, eax
                            0x81, 0xe1, 0xfc, 0xff, 0, 0,        // and ecx, 0fffch
                            0x31, 0x1c, 0x0f,                    // xor [edi + ecx], ebx
                            0x03, 0x04, 0x0f,                    // add eax, [edi + ecx]
                            0xeb, 0xe3};                         // jmp to the add
    store_le(&code[1], first_dirty);
    return code;
}

Machine machine_of(const std::vector<u8>& code, u64 memory_bytes) {
    Configuration configuration;
    configuration.kernel = "kernel";
    configuration.memory_bytes = memory_bytes;
    auto made = Machine::create(configuration, {.kernel = {"kernel", "", kernel(code)}, .modules = {}}, std::make_shared<PagePool>());
    if (!made) {
        std::fprintf(stderr, "fork_bench: %s\n", made.error().text.c_str());
        std::exit(1);
    }
    return *std::move(made);
}

void go_on(Machine& machine, u64 instructions) {
    BufferPorts ports;
    machine.run({.position = Position{machine.position() + instructions}}, ports);
}

/// The machine that dirties its working set, after two rounds of it.
Machine sweeping(u64 memory_bytes) {
    u64 const pages = dirty_pages(memory_bytes);
    Machine machine = machine_of(sweep(pages), memory_bytes);
    go_on(machine, 2 * sweep_instructions_per_page * pages);
    return machine;
}

double percentile(std::vector<double>& sorted, double part) { return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))]; }

/// Pauses of single forks: the whole working set is written again between two of them, while the child lives.
void measure_pauses(const std::string& key, u64 memory_bytes, Figures& figures) {
    constexpr int forks = 400;
    Machine machine = sweeping(memory_bytes);
    std::vector<double> pauses;
    for (int i = 0; i < forks; ++i) {
        double const before = now_us();
        Machine child = machine.fork();
        pauses.push_back(now_us() - before);
        go_on(machine, sweep_instructions_per_page * dirty_pages(memory_bytes));
    }
    std::ranges::sort(pauses);
    figures[key + "p50_us"] = percentile(pauses, 0.5);
    figures[key + "p99_us"] = percentile(pauses, 0.99);
}

/// Many children at once: time, and what each of them holds that its parent does not.
double measure_children(const std::string& key, u64 memory_bytes, Figures& figures) {
    constexpr std::size_t children_count = 1000;
    Machine machine = sweeping(memory_bytes);
    std::vector<Machine> children;
    children.reserve(children_count);
    u64 const resident = resident_bytes();
    double const before = now_us();
    for (std::size_t i = 0; i < children_count; ++i) children.push_back(machine.fork());
    double const took_ms = (now_us() - before) / 1000;
    figures[key + "idle_child_kib"] = static_cast<double>(resident_bytes() - resident) / 1024 / children_count;
    return took_ms;
}

/// Fork, let the child write ten pages, drop it.
double churn_per_s() {
    constexpr int rounds = 20'000;
    constexpr u64 pages = 10;
    Machine machine = sweeping(1024 * MiB);
    double const before = now_us();
    for (int i = 0; i < rounds; ++i) {
        Machine child = machine.fork();
        go_on(child, sweep_instructions_per_page * pages);
    }
    return rounds / (now_us() - before) * 1e6;
}

/// A child that runs 10,000 instructions of code its parent ran, over those instructions alone.
double short_child_ratio() {
    constexpr int rounds = 5'000;
    constexpr u64 instructions = 10'000;
    Machine machine = machine_of(compute(), 64 * MiB);
    go_on(machine, 100 * instructions);
    double best = 1e9;
    for (int repeat = 0; repeat < 5; ++repeat) {  // the quietest of five: both halves suffer alike from a busy host
        double const start = now_us();
        for (int i = 0; i < rounds; ++i) go_on(machine, instructions);
        double const alone = now_us() - start;
        for (int i = 0; i < rounds; ++i) {
            Machine child = machine.fork();
            go_on(child, instructions);
        }
        best = std::min(best, (now_us() - start - alone) / alone);
    }
    return best;
}

double dirty_1000_ms(u64 memory_bytes) {
    constexpr u64 written = 1000;
    Machine machine = sweeping(memory_bytes);
    std::vector<double> times;
    for (int i = 0; i < 50; ++i) {
        machine.digest();
        go_on(machine, sweep_instructions_per_page * written);
        double const before = now_us();
        machine.digest();
        times.push_back((now_us() - before) / 1000);
    }
    std::ranges::sort(times);
    return percentile(times, 0.5);
}

Figures fork_figures() {
    Figures figures;
    for (auto const& [name, bytes] : std::initializer_list<std::pair<const char*, u64>>{{"64M", 64 * MiB}, {"1G", 1024 * MiB}, {"8G", 8192 * MiB}, {"64G", 65536 * MiB}}) {
        std::string const key = std::string{"fork."} + name + ".";
        measure_pauses(key, bytes, figures);
        double const took = measure_children(key, bytes, figures);
        if (bytes == 1024 * MiB) figures["fork.thousand_ms"] = took;
    }
    figures["fork.churn_per_s"] = churn_per_s();
    figures["fork.short_child_ratio"] = short_child_ratio();
    return figures;
}

Figures digest_figures() {
    double const small = dirty_1000_ms(64 * MiB);
    double const large = dirty_1000_ms(65536 * MiB);
    return {{"digest.dirty_1000_ms", std::max(small, large)}, {"digest.64M.dirty_1000_ms", small}, {"digest.64G.dirty_1000_ms", large}};
}

int main_of(std::string name) {
    if (name != "fork" && name != "digest") {
        std::fprintf(stderr, "usage: fork_bench fork|digest\n");
        return 2;
    }
    std::string text;
    for (const auto& [key, value] : name == "fork" ? fork_figures() : digest_figures()) {
        char line[128];
        std::snprintf(line, sizeof line, "%s  \"%s\": %.3f", text.empty() ? "" : ",\n", key.c_str(), value);
        text += line;
    }
    std::printf("{\n%s\n}\n", text.c_str());
    return 0;
}

}  // namespace
}  // namespace ramet

int main(int argc, char** argv) { return ramet::main_of(argc == 2 ? argv[1] : ""); }
