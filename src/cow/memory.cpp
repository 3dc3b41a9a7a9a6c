#include "cow/memory.h"

#include <algorithm>
#include <cstring>

namespace ramet {

namespace {

u64 frame_count(const std::vector<RamRange>& ranges) { return ranges.empty() ? 0 : ranges.back().first.value + ranges.back().count; }

void check_ranges(const std::vector<RamRange>& ranges) {
    u64 end = 0;
    for (const RamRange& range : ranges) {
        CHECK(range.count > 0, "a RAM range has frames");
        CHECK(range.first.value >= end, "RAM ranges ascend and do not overlap");
        CHECK(range.first.value < frame_count_max, "RAM begins below 2 TiB");
        CHECK(range.count <= frame_count_max - range.first.value, "RAM ends below 2 TiB");
        end = range.first.value + range.count;
    }
}

bool is_zero(std::span<const u8, page_size> bytes) {
    return bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, page_size - 1) == 0;
}

/// Calls piece(frame, offset in the page, bytes, offset in the range) for each page that a range touches.
void for_each_piece(GuestPhys at, u64 size, auto piece) {
    for (u64 done = 0; done < size;) {
        GuestPhys const here = at + done;
        u64 const offset = here.value % page_size;
        u64 const bytes = std::min(page_size - offset, size - done);
        piece(frame_of(here), offset, bytes, done);
        done += bytes;
    }
}

}  // namespace

Memory::Memory(std::shared_ptr<PagePool> pool, std::vector<RamRange> ranges) : Memory(std::move(pool), std::move(ranges), nullptr) {}

Memory::Memory(std::shared_ptr<PagePool> pool, std::vector<RamRange> ranges, std::shared_ptr<PageSource> source)
    : layout_(std::make_shared<Layout>(Layout{std::move(ranges), std::move(source)})),
      tree_(std::move(pool), frame_count(layout_->ranges)),
      epoch_(tree_.pool().next_epoch()) {
    check_ranges(layout_->ranges);
    complete_ = layout_->source == nullptr;
    if (complete_) return;
    for (const RamRange& range : layout_->ranges)
        CHECK(tree_.set_range(range.first.value, range.count, absent_page), "memory for the first few tree nodes");
}

Memory::Memory(std::shared_ptr<const Layout> layout, PageTree tree, bool complete)
    : layout_(std::move(layout)), tree_(std::move(tree)), epoch_(tree_.pool().next_epoch()), complete_(complete) {}

Memory::~Memory() { quiesce(); }

Memory::Memory(Memory&& other) noexcept = default;

Memory& Memory::operator=(Memory&& other) noexcept {
    if (this == &other) return *this;
    u64 const before = epoch_;
    std::destroy_at(this);
    std::construct_at(this, std::move(other));
    do epoch_ = tree_.pool().next_epoch();
    while (epoch_ == before);  // the old content may have come from another pool, with a count of its own
    return *this;
}

Memory Memory::fork() {
    epoch_ = tree_.pool().next_epoch();
    return Memory{layout_, tree_.fork(), complete_};
}

bool Memory::contains(Frame frame) const {
    for (const RamRange& range : layout_->ranges)
        if (frame.value - range.first.value < range.count) return true;
    return false;
}

u64 Memory::byte_count() const {
    u64 frames = 0;
    for (const RamRange& range : layout_->ranges)
        if (range.first.value < ram_frame_count_max) frames += range.count;  // what lies above is no RAM
    return frames * page_size;
}

const u8* Memory::read_slow(Frame frame) {
    PageIndex const index = present(frame);
    if (index == absent_page) return nullptr;
    u8* const bytes = tree_.pool().page(index);
    cached(frame) = {.frame = frame.value, .write_epoch = 0, .bytes = bytes};
    return bytes;
}

WriteGrant Memory::write_slow(Frame frame) {
    trouble_ = MemoryTrouble::none;
    bool const here = complete_ ? contains(frame) : present(frame) != absent_page;  // where nothing is absent, the tree is gone through once
    if (!here) return {.exhausted = trouble_ == MemoryTrouble::exhausted};
    if (!watches_.empty()) tell_watches(frame);
    PagePool& pool = tree_.pool();
    PageIndex* const slot = tree_.writable_slot(frame.value);
    WriteGrant grant;
    if (slot != nullptr && is_counted(*slot) && pool.page_references(*slot).load(std::memory_order_acquire) == 1) {
        pool.page_digest(*slot).forget();
        grant = {.bytes = pool.page(*slot), .attachment = pool.attachment(*slot)};
        grant.moved = !moved_silently_.empty() && std::erase(moved_silently_, frame) != 0;
    } else if (slot != nullptr && move_to_new_page(*slot) != zero_page) {
        grant = {.bytes = pool.page(*slot), .moved = true};
        if (!moved_silently_.empty()) std::erase(moved_silently_, frame);
    } else {
        trouble_ = MemoryTrouble::exhausted;
        return {.exhausted = true};
    }
    // A page with decoded code is granted each time anew, so that the writer hears of the attachment.
    cached(frame) = {.frame = frame.value, .write_epoch = grant.attachment == nullptr ? epoch_ : 0, .bytes = grant.bytes};
    return grant;
}

PageIndex Memory::present(Frame frame) {
    trouble_ = MemoryTrouble::none;
    if (!contains(frame)) return absent_page;
    PageIndex const index = tree_.find(frame.value);
    if (index != absent_page) return index;
    std::shared_ptr<PageSource> const source = layout_->source;  // held: the fetch may outlast its last other user
    if (source == nullptr || !source->fetch(frame, *this)) {
        trouble_ = MemoryTrouble::lost;
        return absent_page;
    }
    return tree_.find(frame.value);
}

std::string Memory::trouble_text() const {
    switch (trouble_) {
    case MemoryTrouble::none: break;
    case MemoryTrouble::exhausted: return "the host's memory for guest pages is used up";
    case MemoryTrouble::lost: return "a page of the machine cannot be had: " + (layout_->source ? layout_->source->error() : "its memory was given back");
    }
    return "there is no RAM";
}

void Memory::unwatch_writes(const WriteWatch* watch) {
    std::erase_if(watches_, [watch](const std::shared_ptr<WriteWatch>& each) { return each.get() == watch; });
}

void Memory::tell_watches(Frame frame) {
    if (!is_counted(tree_.find(frame.value)) || tree_.exclusive_slot(frame.value) != nullptr) return;
    std::vector<std::shared_ptr<WriteWatch>> const watches = watches_;  // the list may change while one of them suspends
    for (const auto& watch : watches) watch->about_to_write(frame);
}

PageIndex Memory::move_to_new_page(PageIndex& slot) {
    PageIndex const old = slot;
    PageIndex const made = tree_.take_page();
    if (made == zero_page) return zero_page;
    PagePool const& pool = tree_.pool();
    if (is_counted(old)) {
        std::memcpy(pool.page(made), pool.page(old), page_size);
        if (retired_pages_.capacity() == 0) retired_pages_.reserve(32);
        retired_pages_.push_back(old);
    } else {
        std::memset(pool.page(made), 0, page_size);
    }
    return slot = made;
}

bool Memory::contains_bytes(GuestPhys at, u64 size) const {
    if (size == 0) return true;
    if (at.value + (size - 1) < at.value) return false;
    bool all = true;
    for_each_piece(at, size, [&](Frame frame, u64, u64, u64) { all = all && contains(frame); });
    return all;
}

bool Memory::copy_out(GuestPhys from, std::span<u8> to) {
    if (!contains_bytes(from, to.size())) return false;
    bool all = true;
    for_each_piece(from, to.size(), [&](Frame frame, u64 offset, u64 bytes, u64 done) {
        const u8* const page = all ? read(frame) : nullptr;
        all = page != nullptr;
        if (all) std::memcpy(to.data() + done, page + offset, bytes);
    });
    return all;
}

bool Memory::copy_in(GuestPhys to, std::span<const u8> from) {
    if (!contains_bytes(to, from.size())) return false;
    bool all = true;
    for_each_piece(to, from.size(), [&](Frame frame, u64, u64, u64) { all = all && write(frame).bytes != nullptr; });
    if (!all) return false;
    for_each_piece(to, from.size(), [&](Frame frame, u64 offset, u64 bytes, u64 done) {
        WriteGrant const grant = write(frame);
        if (grant.attachment != nullptr) detach(frame);
        std::memcpy(grant.bytes + offset, from.data() + done, bytes);
    });
    return true;
}

PageAttachment* Memory::attachment(Frame frame) {
    PageIndex const index = present(frame);
    return is_counted(index) ? tree_.pool().attachment(index) : nullptr;
}

PageAttachment* Memory::attach(Frame frame, std::unique_ptr<PageAttachment> made) {
    PageIndex index = present(frame);
    if (index == absent_page) return nullptr;
    if (index == zero_page) {
        PageIndex* const slot = tree_.writable_slot(frame.value);
        index = slot == nullptr ? zero_page : move_to_new_page(*slot);
        if (index == zero_page) {
            trouble_ = MemoryTrouble::exhausted;
            return nullptr;
        }
        moved_silently_.push_back(frame);
    }
    cached(frame) = {.frame = frame.value, .write_epoch = 0, .bytes = tree_.pool().page(index)};
    return tree_.pool().attach(index, std::move(made));
}

void Memory::detach(Frame frame) {
    if (!contains(frame)) return;
    PageIndex const* const slot = tree_.exclusive_slot(frame.value);
    if (slot == nullptr) return;
    if (auto old = tree_.pool().detach(*slot)) retired_attachments_.push_back(std::move(old));
}

void Memory::quiesce() {
    for (PageIndex const index : retired_pages_) tree_.drop_page(index);
    retired_pages_.clear();
    retired_attachments_.clear();
}

void Memory::fetch_all() {
    Frame at;
    trouble_ = MemoryTrouble::none;
    while (!complete_) {
        std::vector<Frame> const absent = absent_frames(at, 1);
        complete_ = absent.empty();
        if (!complete_ && present(absent[0]) == absent_page) return;
        if (!complete_) at = absent[0] + 1;
    }
}

Digest Memory::digest() {
    fetch_all();
    epoch_ = tree_.pool().next_epoch();
    DigestStream stream;
    stream.add(u64{layout_->ranges.size()});
    for (const RamRange& range : layout_->ranges) {
        stream.add(range.first.value);
        stream.add(range.count);
    }
    stream.add(tree_.digest());
    return stream.finish();
}

u64 Memory::private_bytes() const { return sizeof(Memory) + tree_.private_bytes(); }

std::vector<Frame> Memory::differing_frames(const Memory& other) const { return tree_.differing_frames(other.tree_); }

bool Memory::is_absent(Frame frame) const { return contains(frame) && tree_.find(frame.value) == absent_page; }

std::vector<Frame> Memory::absent_frames(Frame first, std::size_t limit) const { return tree_.absent_frames(first.value, limit); }

bool Memory::install(Frame frame, std::span<const u8, page_size> content) {
    if (!is_absent(frame)) return false;
    PageIndex* const slot = tree_.writable_slot(frame.value);
    PageIndex const made = slot == nullptr || is_zero(content) ? zero_page : tree_.take_page();
    if (slot == nullptr || (made == zero_page && !is_zero(content))) {
        trouble_ = MemoryTrouble::exhausted;
        return false;
    }
    if (made != zero_page) std::memcpy(tree_.pool().page(made), content.data(), page_size);
    *slot = made;
    return true;
}

bool Memory::install_zeros(RamRange range) { return tree_.set_range(range.first.value, range.count, zero_page); }

bool Memory::release(RamRange range) {
    cache_ = {};
    complete_ = false;
    return tree_.set_range(range.first.value, range.count, absent_page);
}

bool Memory::adopt(Frame frame, Memory& from) {
    PageIndex const theirs = from.tree_.find(frame.value);
    if (theirs == absent_page || !is_absent(frame)) return false;
    from.epoch_ = tree_.pool().next_epoch();
    PageIndex* const slot = tree_.writable_slot(frame.value);
    if (slot == nullptr) {
        trouble_ = MemoryTrouble::exhausted;
        return false;
    }
    tree_.share_page(theirs);
    *slot = theirs;
    return true;
}

bool Memory::adopt_all(Memory& from) {
    from.epoch_ = tree_.pool().next_epoch();
    if (!tree_.adopt(from.tree_)) {
        trouble_ = MemoryTrouble::exhausted;
        return false;
    }
    complete_ = absent_frames(Frame{}, 1).empty();
    if (complete_) layout_ = std::make_shared<Layout>(Layout{layout_->ranges, nullptr});
    return true;
}

std::vector<Frame> Memory::stored_frames(Frame first, std::size_t limit) const { return tree_.stored_frames(first.value, limit); }

}  // namespace ramet
