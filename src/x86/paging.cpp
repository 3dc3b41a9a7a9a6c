#include "x86/paging.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "x86/access.h"

namespace ramet {

namespace {

constexpr u64 P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80, NX = u64{1} << 63;
constexpr u64 address_bits = ((u64{1} << physical_address_bits) - 1) & ~(page_size - 1);
constexpr u64 reserved_high = ((u64{1} << 52) - 1) & ~((u64{1} << physical_address_bits) - 1);

namespace pf {
constexpr u32 P = 1, W = 2, U = 4, RSVD = 8, I = 16;
}

/// Bits 52 to 62 are the system's own in long mode, and reserved in PAE paging.
u64 reserved_address(const Core& core) {
    constexpr u64 beyond = (NX - 1) & ~((u64{1} << 52) - 1);
    return core.long_mode() ? reserved_high : reserved_high | beyond;
}

struct Request {
    u64 linear;
    AccessType type;
    Context context;
};

Fault page_fault(Core& core, Request const& r, u32 cause) {
    bool const instruction = r.type == AccessType::fetch && ((core.cpu.efer & efer::NXE) || (core.cpu.cr4 & cr4::SMEP));
    core.cpu.cr2 = r.linear;
    return raise(Vector::PF, cause | (r.type == AccessType::write ? pf::W : 0) | (r.context == Context::user ? pf::U : 0) | (instruction ? pf::I : 0));
}

/// rights: W, U and NX accumulated over the levels.
bool permitted(const Core& core, Request const& r, u64 rights) {
    if (r.context == Context::user) {
        if (!(rights & U)) return false;
    } else if (rights & U) {
        if (r.type == AccessType::fetch && (core.cpu.cr4 & cr4::SMEP)) return false;
        if (r.type != AccessType::fetch && r.context == Context::system && (core.cpu.cr4 & cr4::SMAP)) return false;
    }
    if (r.type == AccessType::write && !(rights & W) && (r.context == Context::user || (core.cpu.cr0 & cr0::WP))) return false;
    return r.type != AccessType::fetch || !(rights & NX);
}

/// One table format: how many levels are in memory, how wide the entries, which address bits each level consumes.
struct Format {
    unsigned levels;
    unsigned entry_size;
    unsigned index_bits;
};

Format format_of(const Cpu& cpu) {
    if (cpu.efer & efer::LMA) return {4, 8, 9};
    if (cpu.cr4 & cr4::PAE) return {2, 8, 9};
    return {2, 4, 10};
}

/// The first table; nullopt: PAE's directory pointer for this address is absent.
std::optional<u64> top_table(const Cpu& cpu, Format f, u64 linear) {
    if (f.entry_size == 4) return cpu.cr3 & 0xfffff000;
    if (f.levels == 4) return cpu.cr3 & address_bits;
    u64 const pointer = cpu.pdpte[linear >> 30 & 3];
    return pointer & P ? std::optional<u64>(pointer & address_bits) : std::nullopt;
}

unsigned shift_of(Format f, unsigned level) { return page_shift + (level - 1) * f.index_bits; }

GuestPhys entry_address(Format f, u64 table, unsigned level, u64 linear) {
    u64 const index = linear >> shift_of(f, level) & ((u64{1} << f.index_bits) - 1);
    return GuestPhys{table + index * f.entry_size};
}

u64 table_of(Format f, u64 entry) { return f.entry_size == 8 ? entry & address_bits : entry & 0xfffff000; }

/// Without RAM all bits are set; nullopt: there is RAM, but its page cannot be had. A call of its own cost guests that switch tables a tenth.
[[gnu::always_inline]] inline std::optional<u64> read_entry(Memory& memory, GuestPhys at, unsigned size) {
    const u8* const page = memory.read(frame_of(at));
    if (page == nullptr) return memory.contains(frame_of(at)) ? std::nullopt : std::optional{~u64{0}};
    const u8* const p = page + (at.value & (page_size - 1));
    return size == 8 ? load_le<u64>(p) : load_le<u32>(p);
}

/// Setting A and D changes nothing that is cached, so it needs no invalidation.
Fault write_entry(Core& core, GuestPhys at, unsigned size, u64 value) {
    auto const grant = core.memory->write(frame_of(at));
    if (grant.bytes == nullptr) return core.memory->contains(frame_of(at)) ? no_page(core) : no_fault;
    if (grant.moved) core.caches->tlb.drop_frame(frame_of(at));
    u8* const p = grant.bytes + (at.value & (page_size - 1));
    if (size == 8) store_le<u64>(p, value);
    else store_le<u32>(p, static_cast<u32>(value));
    return no_fault;
}

void watch_table(Core& core, GuestPhys table, unsigned level, u64 linear_base) {
    bool full = false;
    if (core.caches->paging.watch(frame_of(table), static_cast<u8>(level), linear_base, full)) core.caches->tlb.revoke_write(frame_of(table));
    if (full) {
        flush_translations(core);
        core.caches->paging.forget_watches();
        core.caches->paging.watch(frame_of(table), static_cast<u8>(level), linear_base, full);
        core.caches->tlb.revoke_all_writes();
    }
}

bool reserved_bits(const Core& core, Format f, unsigned level, u64 entry) {
    if (f.entry_size == 4) return level == 2 && (entry & PS) && (core.cpu.cr4 & cr4::PSE) && (entry & 0x200000);
    if (entry & reserved_address(core)) return true;
    if ((entry & NX) && !(core.cpu.efer & efer::NXE)) return true;
    if (level == 4) return entry & PS;
    if ((level == 2 || level == 3) && (entry & PS)) return entry & (((u64{1} << shift_of(f, level)) - 1) & ~u64{0x1fff});
    return false;
}

bool is_large(const Cpu& cpu, Format f, unsigned level, u64 entry) {
    if (!(entry & PS)) return level == 1;
    if (f.entry_size == 4) return level == 1 || (cpu.cr4 & cr4::PSE);
    return level <= 3;
}

u64 page_base(Format f, unsigned level, u64 entry) {
    u64 const offset_mask = (u64{1} << shift_of(f, level)) - 1;
    if (f.entry_size == 4 && level == 2) return (entry & 0xffc00000) | (entry >> 13 & 0xff) << 32;  // PSE-36
    if (f.entry_size == 4) return entry & 0xfffff000;
    return entry & address_bits & ~offset_mask;
}

/// Two top-level tables of long mode that map the upper half of the addresses by the same entries, A bits and all.
bool upper_halves_alike(Memory& memory, u64 cr3, u64 other_cr3) {
    Frame const table = frame_of(GuestPhys{cr3 & address_bits}), other = frame_of(GuestPhys{other_cr3 & address_bits});
    if (memory.read(table) == nullptr || memory.read(other) == nullptr) return false;
    // Both are here: no page is fetched while these pointers are held.
    return std::memcmp(memory.read(table) + page_size / 2, memory.read(other) + page_size / 2, page_size / 2) == 0;
}

/// The path of one walk, so that accessed bits are set only when all checks have passed.
struct Step {
    GuestPhys at;
    u64 entry = 0;
};

Result<Translation> walk(Core& core, Request const& r) {
    Format const f = format_of(core.cpu);
    std::optional<u64> const top = top_table(core.cpu, f, r.linear);
    if (!top) return page_fault(core, r, 0);
    u64 table = *top;
    u64 rights = W | U;
    u64 directory = 0;  // what the level above the last one gave
    std::array<Step, 4> steps;
    for (unsigned level = f.levels;; --level) {
        unsigned const shift = shift_of(f, level);
        Step& step = steps[level - 1];
        step.at = entry_address(f, table, level, r.linear);
        u64 const span_mask = level == f.levels ? ~u64{0} : (u64{1} << shift_of(f, level + 1)) - 1;
        watch_table(core, step.at, level, level == f.levels ? 0 : r.linear & ~span_mask);
        auto const entry = read_entry(*core.memory, step.at, f.entry_size);
        if (!entry) return no_page(core);
        step.entry = *entry;
        if (!(step.entry & P)) return page_fault(core, r, 0);
        if (reserved_bits(core, f, level, step.entry)) return page_fault(core, r, pf::P | pf::RSVD);
        rights &= step.entry | ~(W | U);
        rights |= f.entry_size == 8 ? step.entry & NX : 0;
        if (!is_large(core.cpu, f, level, step.entry)) {
            table = table_of(f, step.entry);
            directory = table | (rights & (W | U | NX)) | P;
            continue;
        }
        if (!permitted(core, r, rights)) return page_fault(core, r, pf::P);
        u64 const dirty = r.type == AccessType::write ? D : 0;
        for (unsigned l = f.levels; l >= level; --l) {
            u64 const want = steps[l - 1].entry | A | (l == level ? dirty : 0);
            if (want != steps[l - 1].entry) TRY(write_entry(core, steps[l - 1].at, f.entry_size, want));
            steps[l - 1].entry = want;
        }
        u64 const leaf = steps[level - 1].entry;
        if (level == 2) directory = page_base(f, 2, leaf) | (rights & (W | U | NX)) | (leaf & D) | PS | P;
        if (level <= 2 && f.entry_size == 8) core.caches->paging.directory(r.linear) = {r.linear >> 21, core.cpu.cr3, directory};
        u64 const physical = page_base(f, level, leaf) | (r.linear & ((u64{1} << shift) - 1));
        bool const writable = (leaf & D) && permitted(core, {r.linear, AccessType::write, r.context}, rights);
        return Translation{GuestPhys{physical}, writable};
    }
}

/// The last level only, when the directory entry is remembered. nullopt: walk.
std::optional<Result<Translation>> walk_last(Core& core, Request const& r) {
    auto const& d = core.caches->paging.directory(r.linear);
    if (d.key != r.linear >> 21 || d.cr3 != core.cpu.cr3) return std::nullopt;
    u64 entry = d.entry, rights = d.entry & (W | U | NX);
    u64 physical = 0;
    if (d.entry & PS) {
        physical = (entry & address_bits) | (r.linear & 0x1fffff);
    } else {
        GuestPhys const at{(d.entry & address_bits) + (r.linear >> page_shift & 511) * 8};
        auto const last = read_entry(*core.memory, at, 8);
        if (!last) return no_page(core);
        entry = *last;
        if (!(entry & P) || !(entry & A) || (entry & (reserved_address(core) | NX)) != 0) return std::nullopt;
        rights &= entry | NX;
        physical = (entry & address_bits) | (r.linear & (page_size - 1));
    }
    if (!permitted(core, r, rights) || (r.type == AccessType::write && !(entry & D))) return std::nullopt;
    bool const writable = (entry & D) && permitted(core, {r.linear, AccessType::write, r.context}, rights);
    return Translation{GuestPhys{physical}, writable};
}

}  // namespace

Fault load_directory_pointers(Core& core, u64 cr3) {
    constexpr u64 reserved = 0x1e6 | ~(address_bits | (page_size - 1));
    std::array<u64, 4> pointers;
    for (u64 i = 0; i < pointers.size(); ++i) {
        auto const pointer = read_entry(*core.memory, GuestPhys{(cr3 & 0xffffffe0) + i * 8}, 8);
        if (!pointer) return no_page(core);
        pointers[i] = *pointer;
        if ((pointers[i] & P) && (pointers[i] & reserved)) return fault::gp();
    }
    core.cpu.pdpte = pointers;
    flush_translations(core);
    return no_fault;
}

void switch_tables(Core& core, u64 cr3) {
    bool const alike = core.long_mode() && (core.cpu.cr0 & cr0::PG) && upper_halves_alike(*core.memory, core.cpu.cr3, cr3);
    core.cpu.cr3 = cr3;
    core.caches->tlb.flush(alike);
    core.caches->paging.forget_fetch(alike);
    core.caches->jumps.forget(alike);
    // What stays hangs on entries of a table that nobody has walked yet.
    if (alike) watch_table(core, GuestPhys{cr3 & address_bits}, 4, 0);
}

Result<Translation> translate(Core& core, u64 linear, AccessType type, Context context) {
    if (!(core.cpu.cr0 & cr0::PG)) return Translation{GuestPhys{linear & 0xffffffff}, true};
    Request const r{linear, type, context};
    if (auto const quick = walk_last(core, r)) return *quick;
    return walk(core, r);
}

std::optional<GuestPhys> look_up(const Cpu& cpu, Memory& memory, u64 linear) {
    if (!(cpu.cr0 & cr0::PG)) return GuestPhys{linear & 0xffffffff};
    Format const f = format_of(cpu);
    std::optional<u64> const top = top_table(cpu, f, linear);
    if (!top) return std::nullopt;
    u64 table = *top;
    for (unsigned level = f.levels; level > 0; --level) {
        u64 const entry = read_entry(memory, entry_address(f, table, level, linear), f.entry_size).value_or(0);
        if (!(entry & P) || entry == ~u64{0}) return std::nullopt;
        if (is_large(cpu, f, level, entry)) return GuestPhys{page_base(f, level, entry) | (linear & ((u64{1} << shift_of(f, level)) - 1))};
        table = table_of(f, entry);
    }
    return std::nullopt;
}

void table_written(Core& core, Frame frame, unsigned offset, unsigned size, const u8* before, const u8* after) {
    auto const* const w = core.caches->paging.watched(frame);
    if (w == nullptr) return;
    unsigned const entry_size = format_of(core.cpu).entry_size;
    unsigned const first = offset / entry_size * entry_size, last = (offset + size - 1) / entry_size * entry_size;
    for (unsigned at = first; at <= last; at += entry_size) {
        unsigned const from = std::max(at, offset), to = std::min(at + entry_size, offset + size);
        bool const changed = !std::equal(before + (from - offset), before + (to - offset), after + (from - offset));
        bool const present = core.memory->read(frame)[at] & P;
        if (!changed || !present) continue;
        if (w->level != 1 || w->ambiguous) {
            flush_translations(core);
            core.caches->paging.forget_watches();  // nothing is derived from any table now; those that kernels have given back are no tables any more
            core.leave = true;
            return;
        }
        u64 const page = w->linear_base + u64{at / entry_size} * page_size;
        core.caches->tlb.flush_page(page);
        if (core.caches->paging.may_hold_code(page)) {
            flush_translations(core);
            core.leave = true;
        }
    }
}

}  // namespace ramet
