// Memory: the guest's RAM as a value that forks in O(1).
//
// It joins the persistent tree (page_tree.h) with the shadow permissions: which host pointers have been handed out, and
// with what right. A write right is good until the next revoke: fork(), digest() and assignment advance the epoch, and a write
// that moves a frame to another page says so in its grant. Read pointers survive a revoke, but not a move, nor an assignment.
// Whoever caches pointers (the CPU's TLB) compares epochs and obeys grants. Nothing is held across a page fetch.
//
// Threads: one Memory belongs to one thread at a time; relatives on different threads share pages safely.
// Cost: fork() is one reference, a cached read or write a compare, a first write to a shared page one page copy and at most one
// node copy per level. Measured by bench/fork_bench.cpp.
// Tests: tests/cow/memory_test.cpp, memory_model_test.cpp, memory_threads_test.cpp.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "base/digest.h"
#include "base/types.h"
#include "cow/page_pool.h"
#include "cow/page_source.h"
#include "cow/page_tree.h"

namespace ramet {

/// Frames [first, first + count) are RAM.
struct RamRange {
    Frame first;
    u64 count = 0;
};

/// Right to write one page. `moved`: the frame now lives elsewhere on the host than any pointer given out before for it
/// (first write to a shared or zero page): drop cached pointers of this frame. `attachment`: decoded code hangs on the page
/// (only possible when not copied); the writer must drop or bypass it. `exhausted`: bytes is nullptr because the host has no page left.
struct WriteGrant {
    u8* bytes = nullptr;
    bool moved = false;
    bool exhausted = false;
    PageAttachment* attachment = nullptr;
};

/// Why the last access to RAM gave nullptr.
enum class MemoryTrouble : u8 {
    none,       ///< it did not, or there is no RAM at that frame
    exhausted,  ///< the pool's limit or the host's memory is used up; it may work later
    lost,       ///< the page source can never deliver this page
};

class Memory {
public:
    /// Zeros everywhere. Ranges ascend, do not overlap and end below frame_count_max.
    Memory(std::shared_ptr<PagePool> pool, std::vector<RamRange> ranges);
    /// The content is with `source` and comes page by page on demand, or earlier by install().
    Memory(std::shared_ptr<PagePool> pool, std::vector<RamRange> ranges, std::shared_ptr<PageSource> source);
    ~Memory();
    Memory(Memory&& other) noexcept;
    /// The content becomes another one; every pointer given out before is void.
    Memory& operator=(Memory&& other) noexcept;

    /// A second machine's memory with equal content. Revokes every write right given out by either. Watches stay with this one.
    Memory fork();

    bool contains(Frame frame) const;
    u64 byte_count() const;
    const std::vector<RamRange>& ranges() const { return layout_->ranges; }

    /// The page's 4096 bytes, or nullptr where there is no RAM.
    const u8* read(Frame frame) {
        const CachedPage& cached = cache_[frame.value % cache_size];
        return cached.frame == frame.value ? cached.bytes : read_slow(frame);
    }
    /// Makes the page private and its digest stale. bytes == nullptr where there is no RAM.
    WriteGrant write(Frame frame) {
        const CachedPage& cached = cache_[frame.value % cache_size];
        if (cached.frame == frame.value && cached.write_epoch == epoch_) return {.bytes = cached.bytes};
        return write_slow(frame);
    }
    /// After read() or write() gave nullptr.
    MemoryTrouble trouble() const { return trouble_; }
    /// The same in words, for a person.
    std::string trouble_text() const;

    /// Copies across pages; false (and nothing written) when any byte of the range is not RAM or cannot be had. copy_in() takes decoded code
    /// off the pages it writes, as detach() does.
    bool copy_out(GuestPhys from, std::span<u8> to);
    bool copy_in(GuestPhys to, std::span<const u8> from);

    /// Decoded code of a page: shared by every relative that shares the page. attach() returns the winner when two
    /// threads attach at once (the loser is destroyed), or nullptr when there is no page to attach to. Attaching to an unbacked (zero) page
    /// first gives it a page of its own; the next write() to that frame says `moved`. Attaching does not revoke write rights
    /// that were given for the frame: the caller forgets its own.
    PageAttachment* attachment(Frame frame);
    PageAttachment* attach(Frame frame, std::unique_ptr<PageAttachment> made);
    /// Takes the attachment off a page that is exclusively ours (nothing happens otherwise); destroyed at the next quiesce().
    void detach(Frame frame);

    /// Called where no pointer into an old page or attachment is live any more: frees what detach() and moves kept alive.
    void quiesce();
    bool has_retired() const { return !retired_pages_.empty() || !retired_attachments_.empty(); }

    /// Advances when all write rights are revoked. No two memories of one pool ever have the same epoch.
    u64 epoch() const { return epoch_; }

    /// Merkle digest of the whole content: O(pages written since the last one). Revokes write rights. Fetches absent pages first;
    /// when one is lost or there is no room for it, trouble() says so and the digest is of no use.
    Digest digest();

    /// Pages that no relative shares with us, and tree nodes, in bytes: what this machine costs on its own.
    u64 private_bytes() const;
    /// Frames whose page is not the same object in both: the pages written since a fork from each other.
    std::vector<Frame> differing_frames(const Memory& other) const;

    /// True while the frame's content has not come from the page source.
    bool is_absent(Frame frame) const;
    /// The first absent frames from `first` on, ascending.
    std::vector<Frame> absent_frames(Frame first, std::size_t limit) const;
    /// Content of an absent frame that came unasked. False when the frame is not absent, or when there is no page left.
    bool install(Frame frame, std::span<const u8, page_size> content);
    /// Absent frames that are zeros. Content that is here is replaced as well.
    bool install_zeros(RamRange range);
    /// Shares the page of an absent frame with a memory of the same pool and ranges. False as with install().
    bool adopt(Frame frame, Memory& from);
    /// Shares whatever is absent here and not there, and forgets the page source when nothing is absent any more.
    bool adopt_all(Memory& from);
    /// Makes frames absent and gives their pages back: they are somebody else's business now. Pointers given out for them are void.
    bool release(RamRange range);
    /// The first frames from `first` on, ascending, that have a page of their own: neither absent nor a zero page that nobody wrote.
    std::vector<Frame> stored_frames(Frame first, std::size_t limit) const;

    /// `watch` hears of writes to pages that are shared with a relative, until unwatch_writes().
    void watch_writes(std::shared_ptr<WriteWatch> watch) { watches_.push_back(std::move(watch)); }
    void unwatch_writes(const WriteWatch* watch);

private:
    struct Layout {
        std::vector<RamRange> ranges;
        std::shared_ptr<PageSource> source;
    };
    /// A pointer given out lately; good for writing as well while write_epoch is the present epoch.
    struct CachedPage {
        u64 frame = ~u64{0};
        u64 write_epoch = 0;
        u8* bytes = nullptr;
    };
    static constexpr std::size_t cache_size = 64;

    Memory(std::shared_ptr<const Layout> layout, PageTree tree, bool complete);

    CachedPage& cached(Frame frame) { return cache_[frame.value % cache_size]; }
    bool contains_bytes(GuestPhys at, u64 size) const;
    const u8* read_slow(Frame frame);
    WriteGrant write_slow(Frame frame);
    /// The frame's page, fetched if it was absent; absent_page where there is no RAM or no way to get the page.
    PageIndex present(Frame frame);
    void fetch_all();
    void tell_watches(Frame frame);
    /// Gives a frame whose content is zeros, or shared, another page. zero_page when there is none.
    PageIndex move_to_new_page(PageIndex& slot);

    std::shared_ptr<const Layout> layout_;
    PageTree tree_;
    u64 epoch_;
    bool complete_ = false;  // no frame is absent any more
    MemoryTrouble trouble_ = MemoryTrouble::none;
    std::array<CachedPage, cache_size> cache_ = {};
    std::vector<PageIndex> retired_pages_;
    std::vector<std::unique_ptr<PageAttachment>> retired_attachments_;
    std::vector<Frame> moved_silently_;  // by attach(): the next write() owes a `moved`
    std::vector<std::shared_ptr<WriteWatch>> watches_;
};

}  // namespace ramet
