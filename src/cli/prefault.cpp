#include "cli/prefault.h"

#include <cstdint>
#include <cstdlib>

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

// Where the linker put the program.
extern "C" char __executable_start, etext, __bss_start, end;

namespace ramet::cli {

namespace {

constexpr int heap_bytes = 512 << 10;             // what a command takes before it has a machine
constexpr std::size_t below_mmap_threshold = 120 << 10;

/// Whatever fails here comes by faults.
void populate(const void* from, const void* to, int how) {
    constexpr std::uintptr_t page = 4096;
    auto const begin = reinterpret_cast<std::uintptr_t>(from) / page * page, end = (reinterpret_cast<std::uintptr_t>(to) + page - 1) / page * page;
    madvise(reinterpret_cast<void*>(begin), end - begin, how);
}

}  // namespace

void prefault() {
    populate(&__executable_start, &etext, MADV_POPULATE_READ);
    populate(&__bss_start, &end, MADV_POPULATE_WRITE);
    mallopt(M_TOP_PAD, heap_bytes);
    std::free(std::malloc(below_mmap_threshold));  // makes the heap grow by that much, unless there is room already
    populate(static_cast<char*>(sbrk(0)) - heap_bytes, sbrk(0), MADV_POPULATE_WRITE);
}

}  // namespace ramet::cli
