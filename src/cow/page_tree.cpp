#include "cow/page_tree.h"

#include <cstring>
#include <utility>

#include "base/bytes.h"

namespace ramet {

namespace {

constexpr unsigned levels_max = 8;  // 16^7 frames are 1 TiB

unsigned levels_for(u64 frame_count) {
    unsigned levels = 1;
    while (levels < levels_max && frame_count > u64{1} << (node_bits * levels)) ++levels;
    return levels;
}

/// Digits of a frame number in base node_fan_out.
constexpr u32 digit(u64 frame, unsigned level) { return static_cast<u32>(frame >> (node_bits * level)) & (node_fan_out - 1); }

Digest digest_of_children(const std::array<Digest, node_fan_out>& children) {
    std::array<u8, 16 * node_fan_out> bytes;
    for (u32 i = 0; i < node_fan_out; ++i) {
        store_le(bytes.data() + std::size_t{16} * i, children[i].lo);
        store_le(bytes.data() + std::size_t{16} * i + 8, children[i].hi);
    }
    return ramet::digest_of(bytes);
}

/// Digests of zeros: a page, and subtrees of each height.
const std::array<Digest, levels_max + 1>& zero_digests() {
    static const std::array<Digest, levels_max + 1> digests = [] {
        std::array<Digest, levels_max + 1> made;
        std::array<u8, page_size> const zeros = {};
        made[0] = ramet::digest_of(zeros);
        for (unsigned level = 1; level <= levels_max; ++level) {
            std::array<Digest, node_fan_out> children;
            children.fill(made[level - 1]);
            made[level] = digest_of_children(children);
        }
        return made;
    }();
    return digests;
}

constexpr Digest absent_digest = {~u64{0}, ~u64{0}};

/// Gives up one of the references; true when it was the last. Then the caller owns the thing alone and sees all that others did to it.
bool was_last(std::atomic<u32>& references) {
    return references.load(std::memory_order_acquire) == 1 || references.fetch_sub(1, std::memory_order_acq_rel) == 1;
}

}  // namespace

PageTree::PageTree(std::shared_ptr<PagePool> pool, u64 frame_count) : PageTree(std::move(pool), Root{.levels = levels_for(frame_count)}) {
    CHECK(frame_count <= frame_count_max, "a tree of at most 2 TiB");
}

PageTree::PageTree(std::shared_ptr<PagePool> pool, Root root)
    : pool_(std::move(pool)), root_(root), free_pages_(pool_->page_slab()), free_nodes_(pool_->node_slab()) {}

PageTree::~PageTree() { drop(root_.index, root_.levels); }

PageTree::PageTree(PageTree&& other) noexcept : PageTree(other.pool_, other.root_) { other.root_.index = zero_page; }

PageTree& PageTree::operator=(PageTree&& other) noexcept {
    if (this != &other) {
        std::destroy_at(this);
        std::construct_at(this, std::move(other));
    }
    return *this;
}

PageTree PageTree::fork() const {
    share(root_.index, root_.levels);
    return PageTree{pool_, root_};
}

PageIndex PageTree::find(u64 frame) const {
    u32 index = root_.index;
    for (unsigned level = root_.levels; level != 0 && is_counted(index); --level) index = pool_->node(index)[digit(frame, level - 1)];
    return index;
}

PageIndex* PageTree::writable_slot(u64 frame) {
    u32* slot = &root_.index;
    for (unsigned level = root_.levels; level != 0; --level) {
        if (!make_private(*slot, level)) return nullptr;
        pool_->node_digest(*slot).forget();
        slot = &pool_->node(*slot)[digit(frame, level - 1)];
    }
    return slot;
}

const PageIndex* PageTree::exclusive_slot(u64 frame) const {
    const u32* slot = &root_.index;
    for (unsigned level = root_.levels; level != 0; --level) {
        if (!is_counted(*slot) || pool_->node_references(*slot).load(std::memory_order_acquire) != 1) return nullptr;
        slot = &pool_->node(*slot)[digit(frame, level - 1)];
    }
    return is_counted(*slot) && pool_->page_references(*slot).load(std::memory_order_acquire) == 1 ? slot : nullptr;
}

bool PageTree::set_range(u64 first, u64 count, PageIndex value) { return set_range(root_.index, root_.levels, 0, first, first + count, value); }

bool PageTree::set_range(u32& slot, unsigned level, u64 base, u64 first, u64 end, PageIndex value) {
    u64 const from = base << (node_bits * level);
    u64 const to = (base + 1) << (node_bits * level);
    if (to <= first || end <= from || slot == value) return true;
    if (first <= from && to <= end) {
        drop(std::exchange(slot, value), level);
        return true;
    }
    if (!make_private(slot, level)) return false;
    pool_->node_digest(slot).forget();
    NodeSlots& slots = pool_->node(slot);
    for (u32 i = 0; i < node_fan_out; ++i)
        if (!set_range(slots[i], level - 1, base << node_bits | i, first, end, value)) return false;
    return true;
}

bool PageTree::adopt(const PageTree& from) {
    CHECK(pool_ == from.pool_, "trees of one pool");
    CHECK(root_.levels == from.root_.levels, "trees of one size");
    return adopt(root_.index, from.root_.index, root_.levels);
}

bool PageTree::adopt(u32& slot, u32 theirs, unsigned level) {
    if (slot == theirs || theirs == absent_page || slot == zero_page || (level == 0 && slot != absent_page)) return true;
    if (slot == absent_page) {
        share(theirs, level);
        slot = theirs;
        return true;
    }
    if (!make_private(slot, level)) return false;
    pool_->node_digest(slot).forget();
    NodeSlots& slots = pool_->node(slot);
    for (u32 i = 0; i < node_fan_out; ++i)
        if (!adopt(slots[i], child(theirs, i), level - 1)) return false;
    return true;
}

PageIndex PageTree::take_page() {
    PageIndex const index = free_pages_.take();
    if (index == 0) return zero_page;
    pool_->page_references(index).store(1, std::memory_order_relaxed);
    pool_->page_digest(index).forget();
    return index;
}

void PageTree::drop_page(PageIndex index) { drop(index, 0); }

void PageTree::share(u32 index, unsigned level) const {
    if (!is_counted(index)) return;
    auto& references = level == 0 ? pool_->page_references(index) : pool_->node_references(index);
    references.fetch_add(1, std::memory_order_relaxed);
}

void PageTree::drop(u32 index, unsigned level) {
    if (!is_counted(index)) return;
    if (level == 0) {
        if (was_last(pool_->page_references(index))) free_page(index);
    } else {
        if (was_last(pool_->node_references(index))) free_node(index, level);
    }
}

void PageTree::free_page(PageIndex index) {
    pool_->detach(index).reset();
    free_pages_.give(index);
}

void PageTree::free_node(NodeIndex index, unsigned level) {
    drop_children(pool_->node(index), level);
    free_nodes_.give(index);
}

/// Calls visit(index, references) for each counted child. Neighbours mostly lie in one chunk, so its address is looked up once for a run of them:
/// these two loops are most of what a write after a fork costs.
template <unsigned bits>
void for_each_counted(const NodeSlots& slots, auto references_of, auto visit) {
    u32 chunk = ~u32{0};
    std::atomic<u32>* references = nullptr;
    for (u32 const index : slots) {
        if (!is_counted(index)) continue;
        if (index >> bits != chunk) {
            chunk = index >> bits;
            references = references_of(index);
        }
        visit(index, references[index & ((u32{1} << bits) - 1)]);
    }
}

void PageTree::share_children(const NodeSlots& slots, unsigned level) const {
    auto const add = [](u32, std::atomic<u32>& references) { references.fetch_add(1, std::memory_order_relaxed); };
    if (level == 1)
        for_each_counted<PageChunk::bits>(slots, [&](u32 i) { return pool_->page_slab().chunk(i).references.data(); }, add);
    else
        for_each_counted<NodeChunk::bits>(slots, [&](u32 i) { return pool_->node_slab().chunk(i).references.data(); }, add);
}

void PageTree::drop_children(const NodeSlots& slots, unsigned level) {
    if (level == 1)
        for_each_counted<PageChunk::bits>(
            slots, [&](u32 i) { return pool_->page_slab().chunk(i).references.data(); },
            [&](u32 index, std::atomic<u32>& references) { if (was_last(references)) free_page(index); });
    else
        for_each_counted<NodeChunk::bits>(
            slots, [&](u32 i) { return pool_->node_slab().chunk(i).references.data(); },
            [&](u32 index, std::atomic<u32>& references) { if (was_last(references)) free_node(index, level - 1); });
}

/// Puts a node in the slot that only this tree refers to, with the same children. False when there is no memory for one.
bool PageTree::make_private(u32& slot, unsigned level) {
    u32 const old = slot;
    bool const counted = is_counted(old);
    if (counted && pool_->node_references(old).load(std::memory_order_acquire) == 1) return true;
    NodeIndex const made = free_nodes_.take();
    if (made == 0) return false;
    pool_->node_references(made).store(1, std::memory_order_relaxed);
    NodeSlots& slots = pool_->node(made);
    if (counted) {
        slots = pool_->node(old);
        share_children(slots, level);
        drop(old, level);
    } else {
        slots.fill(old);
    }
    slot = made;
    return true;
}

u32 PageTree::child(u32 index, u32 at) const { return is_counted(index) ? pool_->node(index)[at] : index; }

Digest PageTree::digest() const { return digest_of(root_.index, root_.levels); }

Digest PageTree::digest_of(u32 index, unsigned level) const {
    if (index == zero_page) return zero_digests()[level];
    if (index == absent_page) return absent_digest;
    CachedDigest& cached = level == 0 ? pool_->page_digest(index) : pool_->node_digest(index);
    if (cached.known()) return cached.get();
    Digest made;
    if (level == 0) {
        made = ramet::digest_of(std::span<const u8>{pool_->page(index), page_size});
    } else {
        std::array<Digest, node_fan_out> children;
        for (u32 i = 0; i < node_fan_out; ++i) children[i] = digest_of(pool_->node(index)[i], level - 1);
        made = digest_of_children(children);
    }
    cached.set(made);
    return made;
}

u64 PageTree::private_bytes() const { return private_bytes(root_.index, root_.levels); }

u64 PageTree::private_bytes(u32 index, unsigned level) const {
    if (!is_counted(index)) return 0;
    if (level == 0) return pool_->page_references(index).load(std::memory_order_relaxed) == 1 ? page_size : 0;
    if (pool_->node_references(index).load(std::memory_order_relaxed) != 1) return 0;
    u64 bytes = sizeof(NodeSlots) + sizeof(CachedDigest) + sizeof(u32);
    for (u32 const below : pool_->node(index)) bytes += private_bytes(below, level - 1);
    return bytes;
}

std::vector<Frame> PageTree::differing_frames(const PageTree& other) const {
    CHECK(pool_ == other.pool_, "trees of one pool");
    CHECK(root_.levels == other.root_.levels, "trees of one size");
    std::vector<Frame> found;
    compare(root_.index, other.root_.index, root_.levels, 0, found);
    return found;
}

void PageTree::compare(u32 a, u32 b, unsigned level, u64 base, std::vector<Frame>& found) const {
    if (a == b) return;
    if (level == 0) return found.push_back(Frame{base});
    for (u32 i = 0; i < node_fan_out; ++i) compare(child(a, i), child(b, i), level - 1, base << node_bits | i, found);
}

std::vector<Frame> PageTree::absent_frames(u64 first, std::size_t limit) const {
    std::vector<Frame> found;
    collect(root_.index, root_.levels, 0, first, limit, [](u32 index, unsigned level) { return level == 0 ? index == absent_page : index != zero_page; }, found);
    return found;
}

std::vector<Frame> PageTree::stored_frames(u64 first, std::size_t limit) const {
    std::vector<Frame> found;
    collect(root_.index, root_.levels, 0, first, limit, [](u32 index, unsigned) { return is_counted(index); }, found);
    return found;
}

/// `wanted` says of a page whether it counts, and of a node whether such a page may be below it.
template <class Wanted>
void PageTree::collect(u32 index, unsigned level, u64 base, u64 first, std::size_t limit, Wanted wanted, std::vector<Frame>& found) const {
    u64 const end = (base + 1) << (node_bits * level);  // of the frames below this index
    if (found.size() >= limit || end <= first || !wanted(index, level)) return;
    if (level == 0) return found.push_back(Frame{base});
    for (u32 i = 0; i < node_fan_out; ++i) collect(child(index, i), level - 1, base << node_bits | i, first, limit, wanted, found);
}

}  // namespace ramet
