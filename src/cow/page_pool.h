// PagePool: the 4 KiB pages and tree nodes that a family of machines shares, each with a reference count.
//
// A page with a count of one belongs to whoever holds that reference and may be written; a page with a higher count is read only for all.
// Page 0 is the zero page: always zero, shared by everybody, not counted. `absent_page` marks a frame whose content is elsewhere
// (page_source.h). Indices of nodes work alike: node 0 is a subtree of zeros, `absent_page` a subtree of absent pages.
//
// Each page has room for its cached digest and for one opaque attachment (decoded code), which dies with the page.
//
// Threads: all functions may be called at once for different pages; for one page, `share` and `drop` and the cached digest are safe as well.
// A count of one that its owner sees (acquire) orders all that former owners did before they dropped theirs (release).
// Memory use grows in chunks of 4 MiB and stays; the page limit bounds it. When the limit or the host's memory is reached, taking a
// page fails: no guest can bring the process down by writing.
// Tests: tests/cow/page_pool_test.cpp.
#pragma once

#include <array>
#include <atomic>
#include <memory>

#include "base/types.h"
#include "cow/cached_digest.h"
#include "cow/slab.h"

namespace ramet {

/// What may hang on a page: owned by the page, destroyed when the page is freed.
struct PageAttachment {
    virtual ~PageAttachment() = default;
};

using PageIndex = u32;
using NodeIndex = u32;
inline constexpr PageIndex zero_page = 0;
inline constexpr PageIndex absent_page = ~u32{0};

/// Neither zero_page nor absent_page: has a reference count.
constexpr bool is_counted(u32 index) { return index - 1 < absent_page - 1; }

inline constexpr unsigned node_bits = 4;
inline constexpr u32 node_fan_out = 1 << node_bits;
using NodeSlots = std::array<u32, node_fan_out>;

struct PageChunk {
    static constexpr unsigned bits = 10;
    static std::unique_ptr<PageChunk> create();
    PageChunk() = default;
    ~PageChunk();

    u8* bytes = nullptr;
    std::array<std::atomic<u32>, 1 << bits> references = {};
    std::array<std::atomic<PageAttachment*>, 1 << bits> attachments = {};
    std::array<CachedDigest, 1 << bits> digests = {};
};

struct NodeChunk {
    static constexpr unsigned bits = 12;
    static std::unique_ptr<NodeChunk> create();

    alignas(64) std::array<NodeSlots, 1 << bits> slots;
    std::array<std::atomic<u32>, 1 << bits> references = {};
    std::array<CachedDigest, 1 << bits> digests = {};
};

using PageSlab = Slab<PageChunk, 18>;  // up to 1 TiB of pages
using NodeSlab = Slab<NodeChunk, 16>;  // up to 2^28 nodes

/// Pages and nodes that a machine may keep ready beyond those it uses.
inline constexpr std::size_t batch_size = 32;
using PageBatch = Batch<PageSlab, batch_size>;
using NodeBatch = Batch<NodeSlab, batch_size>;

class PagePool {
public:
    /// page_limit 0: as much as the host has.
    explicit PagePool(u64 page_limit = 0);
    ~PagePool();

    PageSlab& page_slab() { return pages_; }
    NodeSlab& node_slab() { return nodes_; }

    u8* page(PageIndex index) const { return pages_.chunk(index).bytes + std::size_t{PageSlab::slot(index)} * page_size; }
    NodeSlots& node(NodeIndex index) const { return nodes_.chunk(index).slots[NodeSlab::slot(index)]; }
    CachedDigest& page_digest(PageIndex index) const { return pages_.chunk(index).digests[PageSlab::slot(index)]; }
    CachedDigest& node_digest(NodeIndex index) const { return nodes_.chunk(index).digests[NodeSlab::slot(index)]; }
    std::atomic<u32>& page_references(PageIndex index) const { return pages_.chunk(index).references[PageSlab::slot(index)]; }
    std::atomic<u32>& node_references(NodeIndex index) const { return nodes_.chunk(index).references[NodeSlab::slot(index)]; }

    PageAttachment* attachment(PageIndex index) const { return attachment_slot(index).load(std::memory_order_acquire); }
    /// The attachment that the page has afterwards: another thread's if that came first, and then `made` is destroyed.
    PageAttachment* attach(PageIndex index, std::unique_ptr<PageAttachment> made);
    /// For the exclusive owner only.
    std::unique_ptr<PageAttachment> detach(PageIndex index);

    /// Never the same value twice.
    u64 next_epoch() { return epoch_.fetch_add(1, std::memory_order_relaxed) + 1; }

    /// Handed out at present, batches included.
    u64 live_pages() const { return pages_.taken(); }
    u64 live_nodes() const { return nodes_.taken(); }

private:
    std::atomic<PageAttachment*>& attachment_slot(PageIndex index) const { return pages_.chunk(index).attachments[PageSlab::slot(index)]; }

    PageSlab pages_;
    NodeSlab nodes_;
    std::atomic<u64> epoch_ = 0;
};

}  // namespace ramet
