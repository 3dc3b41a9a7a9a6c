#include "cli/prefault.h"

#include <bit>
#include <cstdint>
#include <cstdlib>

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

// Where the linker put the program.
extern "C" char __executable_start, etext, __bss_start, end;

namespace ramet::cli {

namespace {

constexpr int heap_bytes = 1 << 20;           // what a command takes until its machine runs
constexpr std::size_t heap_step = 120 << 10;  // two of them are more than the heap begins with
constexpr int mmap_from = 32 << 20;           // the limits that the allocator would come to by itself, were it not told anything
constexpr int trim_from = 64 << 20;

/// Whatever fails here comes by faults.
void populate(const void* from, const void* to, int how) {
    constexpr std::uintptr_t page = 4096;
    auto const begin = std::bit_cast<std::uintptr_t>(from) / page * page, end = (std::bit_cast<std::uintptr_t>(to) + page - 1) / page * page;
    madvise(std::bit_cast<void*>(begin), end - begin, how);
}

}  // namespace

void prefault() {
    populate(&__executable_start, &etext, MADV_POPULATE_READ);
    populate(&__bss_start, &end, MADV_POPULATE_WRITE);
    mallopt(M_TOP_PAD, heap_bytes);
    mallopt(M_MMAP_THRESHOLD, mmap_from);
    mallopt(M_TRIM_THRESHOLD, trim_from);
    const void* const heap_end = sbrk(0);
    void* volatile const first = std::malloc(heap_step);  // volatile: or the compiler leaves them out
    void* volatile const second = std::malloc(heap_step);
    std::free(first);
    std::free(second);
    populate(heap_end, sbrk(0), MADV_POPULATE_WRITE);
}

}  // namespace ramet::cli
