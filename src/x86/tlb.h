// Tlb: linear page → host address, per access context. A droppable cache; entries are filled by x86/access.cpp only.
//
// A read tag is given when the mapping allows the read; a write tag only when the mapping is writable and dirty, the page is ours alone,
// holds no decoded code and no live page-table entry. Everything else takes the slow path, which knows why. Tags are page
// addresses; ~0 matches nothing. An access is inside the page when the page of its LAST byte equals the tag of its first
// byte's slot, so unaligned accesses within a page stay fast.
//
// Each page has one slot. What another page displaces from there stays among the victims for a while: pages a large power of two apart, as of two
// arrays that are walked together, would otherwise displace each other at every access. Only a miss looks there.
#pragma once

#include <array>
#include <cstring>

#include "base/types.h"

namespace ramet {

/// Whose rights an access has. `system` is also used for the CPU's own accesses to tables.
enum class Context : u8 {
    system,         ///< supervisor; with SMAP, user pages fault
    system_on_user, ///< supervisor with SMAP overridden by EFLAGS.AC
    user,
};
inline constexpr std::size_t context_count = 3;

struct TlbEntry {
    u64 read_tag = ~u64{0};
    u64 write_tag = ~u64{0};
    u64 addend = 0;  ///< host address = linear address + addend
    u64 spare = 0;
};

class Tlb {
public:
    static constexpr u64 entry_count = 256;
    static constexpr u64 no_tag = ~u64{0};

    static u64 slot(u64 linear) { return linear >> page_shift & (entry_count - 1); }
    TlbEntry* table(Context c) { return entries_.data() + static_cast<std::size_t>(c) * entry_count; }
    TlbEntry& at(Context c, u64 linear) { return table(c)[slot(linear)]; }

    void fill_read(Context c, u64 linear, Frame frame, const u8* bytes) {
        TlbEntry& e = slot_for(c, linear);
        e.read_tag = linear & ~(page_size - 1);
        set(c, linear, e, frame, bytes);
    }
    void fill_write(Context c, u64 linear, Frame frame, const u8* bytes) {
        TlbEntry& e = slot_for(c, linear);
        e.read_tag = e.write_tag = linear & ~(page_size - 1);
        set(c, linear, e, frame, bytes);
    }
    /// After a miss: whether the page was displaced a short while ago. It is in its slot again.
    bool recall(Context c, u64 linear, bool write);

    void flush();
    /// Forget one linear page in every context.
    void flush_page(u64 linear);
    /// Forget every pointer into a frame: it moved on the host.
    void drop_frame(Frame frame);
    /// Take the write rights to a frame, or all.
    void revoke_write(Frame frame);
    void revoke_all_writes();

private:
    static constexpr std::size_t victim_count = 8;  // for each context; they follow the slots of all
    static constexpr std::size_t first_victim = context_count * entry_count, total = first_victim + context_count * victim_count;

    static std::size_t index(Context c, u64 linear) { return static_cast<std::size_t>(c) * entry_count + slot(linear); }
    static std::size_t victims(Context c) { return first_victim + static_cast<std::size_t>(c) * victim_count; }
    /// The slot of a page, without what it held of another one.
    TlbEntry& slot_for(Context c, u64 linear);
    void set(Context c, u64 linear, TlbEntry& e, Frame frame, const u8* bytes);

    std::array<TlbEntry, total> entries_ = {};
    std::array<u32, total> frames_ = {};  // low bits of the frame, for drop_frame's search
    std::array<u8, context_count> oldest_victim_ = {};
};

}  // namespace ramet
