#include "cow/page_pool.h"

#include <new>

#include <sys/mman.h>

namespace ramet {

namespace {

constexpr std::size_t chunk_bytes = page_size << PageChunk::bits;
constexpr std::size_t huge_page = std::size_t{2} << 20;  // chunks are aligned to it, so that the host can back them by huge pages
constexpr int access = PROT_READ | PROT_WRITE;

u8* map(std::size_t bytes) {
    void* const at = mmap(nullptr, bytes, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? nullptr : static_cast<u8*>(at);
}

/// chunk_bytes at a multiple of huge_page: maps more and gives the ends back.
u8* map_aligned() {
    u8* const at = map(chunk_bytes + huge_page);
    if (at == nullptr) return nullptr;
    std::size_t const before = (huge_page - reinterpret_cast<std::uintptr_t>(at) % huge_page) % huge_page;
    if (before != 0) munmap(at, before);
    if (before != huge_page) munmap(at + before + chunk_bytes, huge_page - before);
    madvise(at + before, chunk_bytes, MADV_HUGEPAGE);
    return at + before;
}

}  // namespace

std::unique_ptr<PageChunk> PageChunk::create() {
    std::unique_ptr<PageChunk> made{new (std::nothrow) PageChunk};
    if (made == nullptr) return nullptr;
    made->bytes = map_aligned();
    if (made->bytes == nullptr) return nullptr;
    return made;
}

PageChunk::~PageChunk() {
    if (bytes != nullptr) munmap(bytes, chunk_bytes);
}

std::unique_ptr<NodeChunk> NodeChunk::create() { return std::unique_ptr<NodeChunk>{new (std::nothrow) NodeChunk}; }

PagePool::PagePool(u64 page_limit) : pages_(page_limit == 0 ? ~u64{0} : page_limit), nodes_(~u64{0}) {
    // Takes and returns one page so that the first chunk, with the zero page, exists; then nobody can write to that page.
    std::array<u32, 1> first;
    CHECK(pages_.take(first) == 1, "memory for a first page");
    pages_.give(first);
    mprotect(page(zero_page), page_size, PROT_READ);
}

PagePool::~PagePool() {
    CHECK(live_pages() == 0, "no page outlives its users");
    CHECK(live_nodes() == 0, "no node outlives its users");
}

PageAttachment* PagePool::attach(PageIndex index, std::unique_ptr<PageAttachment> made) {
    PageAttachment* present = nullptr;
    bool const won = attachment_slot(index).compare_exchange_strong(present, made.get(), std::memory_order_acq_rel);
    return won ? made.release() : present;
}

std::unique_ptr<PageAttachment> PagePool::detach(PageIndex index) {
    if (attachment(index) == nullptr) return nullptr;
    return std::unique_ptr<PageAttachment>{attachment_slot(index).exchange(nullptr, std::memory_order_acq_rel)};
}

}  // namespace ramet
