// PageTree: a persistent radix tree from frame number to page. Copying it is copying its root reference, whatever the size.
//
// Nodes have 16 slots of 4 bytes, one cache line: a path copy shares all children of each node on the way, and the reference counts
// it touches are what a write after a fork costs, so a small fan-out wins over a flat one (docs/decisions/0001-tree-fan-out.md).
// A node or page may be changed in place when the counts on the whole path to it are one; else the path is copied first.
// Slots hold 0 for zeros (a page, or a whole subtree) and `absent_page` for content that is elsewhere, so neither costs memory.
//
// digest() is a Merkle hash: a page's digest, then for each level the digest of the slots' digests. Zeros hash alike whether they
// are an allocated page or nothing, so the digest is a function of the content and of the number of levels.
//
// Threads: a tree belongs to one thread at a time; trees that share nodes may live on different threads.
// Tests: tests/cow/page_tree_test.cpp.
#pragma once

#include <memory>
#include <vector>

#include "base/digest.h"
#include "base/types.h"
#include "cow/page_pool.h"

namespace ramet {

inline constexpr u64 ram_frame_count_max = u64{1} << 28;             // 1 TiB: what a CPU can name
inline constexpr u64 frame_count_max = 2 * ram_frame_count_max;  // above lies what has changed on disks (disk.h)

class PageTree {
public:
    /// A tree for frames below `frame_count`, all zero.
    PageTree(std::shared_ptr<PagePool> pool, u64 frame_count);
    ~PageTree();
    PageTree(PageTree&& other) noexcept;
    PageTree& operator=(PageTree&& other) noexcept;

    /// A tree with equal content.
    PageTree fork() const;

    PagePool& pool() const { return *pool_; }
    const std::shared_ptr<PagePool>& shared_pool() const { return pool_; }

    /// The page of a frame: counted, zero_page or absent_page.
    PageIndex find(u64 frame) const;

    /// Makes the path to a frame exclusive and its digests unknown; the frame's slot, or nullptr when there is no memory for nodes.
    /// The caller may put another page in, and then owns the reference that was there.
    PageIndex* writable_slot(u64 frame);

    /// The slot of a frame if its page and all nodes on the path are ours alone, else nullptr.
    const PageIndex* exclusive_slot(u64 frame) const;
    /// Makes frames [first, first + count) all `value`, zero_page or absent_page; false when there is no memory for nodes.
    bool set_range(u64 first, u64 count, PageIndex value);
    /// Shares what is absent here and not in `from`, a tree of the same pool and size; false when there is no memory for nodes.
    bool adopt(const PageTree& from);

    /// An exclusive page with unknown content; zero_page when there is no memory.
    PageIndex take_page();
    void share_page(PageIndex index) const { share(index, 0); }
    /// Gives up one reference; the last one frees the page.
    void drop_page(PageIndex index);

    /// Absent content counts as a value that no present content has.
    Digest digest() const;

    /// Bytes in pages and nodes that no other tree shares.
    u64 private_bytes() const;
    /// Frames, ascending, whose page is another one than in `other`, a tree of the same pool and size.
    std::vector<Frame> differing_frames(const PageTree& other) const;
    /// Frames, ascending, that are absent, from `first` on and at most `limit` of them.
    std::vector<Frame> absent_frames(u64 first, std::size_t limit) const;
    /// The same for frames with a counted page.
    std::vector<Frame> stored_frames(u64 first, std::size_t limit) const;

private:
    struct Root {
        unsigned levels = 1;
        u32 index = zero_page;
    };
    PageTree(std::shared_ptr<PagePool> pool, Root root);

    // `level` is the number of node levels below an index: 0 for a page, 1 for a node that holds pages.
    void share(u32 index, unsigned level) const;
    void drop(u32 index, unsigned level);
    void share_children(const NodeSlots& slots, unsigned level) const;
    void drop_children(const NodeSlots& slots, unsigned level);
    void free_page(PageIndex index);
    void free_node(NodeIndex index, unsigned level);
    bool make_private(u32& slot, unsigned level);
    bool set_range(u32& slot, unsigned level, u64 base, u64 first, u64 end, PageIndex value);
    bool adopt(u32& slot, u32 theirs, unsigned level);
    Digest digest_of(u32 index, unsigned level) const;
    u64 private_bytes(u32 index, unsigned level) const;
    u32 child(u32 index, u32 at) const;
    void compare(u32 a, u32 b, unsigned level, u64 base, std::vector<Frame>& found) const;
    template <class Wanted>
    void collect(u32 index, unsigned level, u64 base, u64 first, std::size_t limit, Wanted wanted, std::vector<Frame>& found) const;

    std::shared_ptr<PagePool> pool_;
    Root root_;
    PageBatch free_pages_;
    NodeBatch free_nodes_;
};

}  // namespace ramet
