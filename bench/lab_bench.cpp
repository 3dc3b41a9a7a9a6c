// What a small test case costs: `lab_bench` prints one JSON object a line for tools/bench.
//
//     lab.cases_per_s         fork a warm machine, inject 64 bytes, run 2,000 instructions, check memory, drop; one core
//     lab.host_forks_per_s    beside it: fork() of this process with as much memory, whose child writes the same and leaves
//     lab.first_case_ms       from nothing to the end of the first case of a suite, the warm state of a 1 GiB machine on disk
//     lab.case_overhead_us    what a case of a suite costs beyond its guest's instructions
//
// Times are of the host's steady clock.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/bytes.h"
#include "lab/suite_run.h"

namespace ramet {
namespace {

constexpr u64 MiB = u64{1} << 20;
constexpr u32 load_address = 0x100000, counter = 0x180000, first_dirty = 0x200000;

u64 now_ns() {
    return static_cast<u64>(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

void print(const char* name, double value) { std::printf("{\"name\": \"%s\", \"value\": %.4g}\n", name, value); }

/// A multiboot kernel that writes to each page of [first_dirty, first_dirty + dirty_bytes), says "k", and then counts in a word of memory.
std::vector<u8> kernel(u32 dirty_bytes) {
    constexpr u32 magic = 0x1badb002, flags = 0x10000;
    std::vector<u8> code = {0xbf, 0, 0, 0, 0,                          // mov edi, first_dirty
                            0x89, 0x3f,                                // mov [edi], edi
                            0x81, 0xc7, 0, 0x10, 0, 0,                 // add edi, 4096
                            0x81, 0xff, 0, 0, 0, 0,                    // cmp edi, end
                            0x72, 0xf0,                                // jb to the mov
                            0x66, 0xba, 0xf8, 0x03, 0xb0, 'k', 0xee,   // mov dx, 3F8h; mov al, 'k'; out dx, al
                            0xff, 0x05, 0, 0, 0, 0,                    // inc dword [counter]
                            0xeb, 0xf8};                               // jmp to the inc
    store_le(&code[1], first_dirty);
    store_le(&code[15], first_dirty + dirty_bytes);
    store_le(&code[30], counter);
    std::vector<u8> image;
    for (u32 const value : {magic, flags, 0 - magic - flags, load_address, load_address, 0u, 0u, load_address + 32}) {
        image.resize(image.size() + 4);
        store_le(&image[image.size() - 4], value);
    }
    image.insert(image.end(), code.begin(), code.end());
    return image;
}

/// A folder of our own with a kernel, removed at the end.
struct Place {
    Place() : path{std::filesystem::temp_directory_path() / ("lab-bench-" + std::to_string(::getpid()))} { std::filesystem::create_directories(path); }
    ~Place() { std::filesystem::remove_all(path); }
    std::string file(const std::string& name, const std::string& text) const {
        std::ofstream{path / name, std::ios::binary} << text;
        return (path / name).string();
    }
    std::filesystem::path path;
};

std::string kernel_file(const Place& place, u64 dirty_bytes) {
    std::vector<u8> const image = kernel(static_cast<u32>(dirty_bytes));
    return place.file("kernel", {image.begin(), image.end()});
}

template <class T>
T must(Expected<T> result) {
    if (!result) {
        std::fprintf(stderr, "lab_bench: %s\n", result.error().text.c_str());
        std::exit(1);
    }
    return *std::move(result);
}

void bench_cases(u64 memory_bytes) {
    Place const place;
    Configuration configuration;
    configuration.kernel = kernel_file(place, memory_bytes - 8 * MiB);
    configuration.memory_bytes = memory_bytes;
    auto const warm = must(State::power_on(configuration, std::make_shared<StateStore>("")))->after("warm", {{expect(serial("k"))}});
    must(warm->fork());
    std::string const bytes(64, 'x');
    constexpr u64 cases = 20'000;
    u64 const begun = now_ns();
    for (u64 i = 0; i < cases; ++i) {
        Session child = must(warm->fork());
        child.type(bytes);
        child.run(instructions(2000));
        if (must(child.read<u32>(GuestVirt{counter})) != 1000) must(Expected<Done>{Error{"the guest counted wrong"}});
    }
    print("lab.cases_per_s", double(cases) * 1e9 / double(now_ns() - begun));
}

/// What the operating system's fork() makes of the same work.
void bench_host_forks(u64 memory_bytes) {
    void* const area = ::mmap(nullptr, memory_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED) return;
    auto* const bytes = static_cast<volatile char*>(area);
    for (u64 at = 0; at < memory_bytes; at += page_size) bytes[at] = 1;
    u64 const begun = now_ns();
    u64 forks = 0;
    for (; now_ns() - begun < 1'000'000'000; ++forks) {
        pid_t const child = ::fork();
        if (child == 0) {
            for (u64 i = 0; i < 10; ++i) bytes[i * page_size] = 2;
            ::_exit(0);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
    }
    print("lab.host_forks_per_s", double(forks) * 1e9 / double(now_ns() - begun));
    ::munmap(area, memory_bytes);
}

void bench_suite() {
    constexpr u64 cases = 2000;
    Place const place;
    place.file("machine.toml", "kernel = \"" + kernel_file(place, 64 * MiB) + "\"\nmemory = \"1G\"\n");
    std::string text = "machine = \"machine.toml\"\n[warm]\nscript = [{ expect = \"k\" }]\n";
    for (u64 i = 0; i < cases; ++i) text += "[[case]]\nname = \"" + std::to_string(i) + "\"\nscript = [{ wait = \"1\" }]\n";
    std::string const path = place.file("suite.toml", text);
    auto const run = [&](const std::string& filter, const std::string& file) {
        Suite const suite = must(read_suite(file));
        SuiteOptions options{.filter = filter};
        SuiteReport const report = must(run_suite(suite, file, options, std::make_shared<StateStore>((place.path / "states").string())));
        if (report.failed() != 0) must(Expected<Done>{Error{report.results[0].what}});
    };
    std::string const short_path = place.file("short.toml", text.substr(0, text.find("[[case]]", text.find("[[case]]") + 1)));
    run("0", short_path);
    u64 const begun = now_ns();
    run("0", short_path);
    u64 const first = now_ns();
    run("*", path);
    u64 const all = now_ns();
    print("lab.first_case_ms", double(first - begun) / 1e6);
    print("lab.case_overhead_us", double(all - first - (first - begun)) / 1e3 / double(cases - 1));
}

}  // namespace
}  // namespace ramet

int main() {
    ramet::bench_cases(512 * ramet::MiB);
    ramet::bench_host_forks(512 * ramet::MiB);
    ramet::bench_suite();
}
