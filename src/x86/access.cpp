#include "x86/access.h"

#include "x86/block.h"
#include "x86/debug.h"

namespace ramet {

namespace {

constexpr u64 page_mask = ~(page_size - 1);

/// One piece of an access, within a page.
struct Piece {
    u64 linear;
    unsigned size;
};

/// What the TLB still has of a piece, or nullptr.
u8* recalled(Core& core, Piece piece, bool write, Context context) {
    Tlb& tlb = core.caches->tlb;
    return tlb.recall(context, piece.linear, write) ? reinterpret_cast<u8*>(piece.linear + tlb.at(context, piece.linear).addend) : nullptr;
}

Fault read_piece(Core& core, Piece piece, u8* to, Context context) {
    if (const u8* const at = recalled(core, piece, false, context)) {
        std::memcpy(to, at, piece.size);
        return no_fault;
    }
    auto const t = TRY(translate(core, piece.linear, AccessType::read, context));
    Frame const frame = frame_of(t.physical);
    if (const u8* const page = core.memory->read(frame)) {
        if (!core.watches_data) core.caches->tlb.fill_read(context, piece.linear, frame, page);
        std::memcpy(to, page + (t.physical.value & (page_size - 1)), piece.size);
        return no_fault;
    }
    if (core.memory->contains(frame)) return no_page(core);
    core.bus_touched = core.leave = true;
    for (unsigned done = 0; done < piece.size;) {
        unsigned const left = piece.size - done;
        unsigned const step = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
        u64 const value = core.bus->mmio_read(t.physical + done, step, core.now());
        std::memcpy(to + done, &value, step);
        done += step;
    }
    return no_fault;
}

void write_mmio(Core& core, GuestPhys at, const u8* from, unsigned size) {
    core.bus_touched = core.leave = true;
    for (unsigned done = 0; done < size;) {
        unsigned const left = size - done;
        unsigned const step = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
        u64 value = 0;
        std::memcpy(&value, from + done, step);
        core.bus->mmio_write(at + done, step, value, core.now());
        done += step;
    }
}

/// Decoded code hangs on the page: drop it if the bytes are code. False: keep it, and keep the page without a write tag.
bool code_gone(Core& core, Frame frame, PageAttachment* attachment, unsigned offset, unsigned size) {
    if (attachment == nullptr) return true;
    if (!static_cast<CodePage*>(attachment)->covers(offset, size)) return false;
    core.memory->detach(frame);
    core.caches->jumps.forget();
    core.leave = true;
    return true;
}

Fault write_piece(Core& core, Piece piece, const u8* from, Context context) {
    if (u8* const at = recalled(core, piece, true, context)) {
        std::memcpy(at, from, piece.size);
        return no_fault;
    }
    auto const t = TRY(translate(core, piece.linear, AccessType::write, context));
    Frame const frame = frame_of(t.physical);
    if (!core.memory->contains(frame)) {
        write_mmio(core, t.physical, from, piece.size);
        return no_fault;
    }
    bool const had_code = core.memory->attachment(frame) != nullptr;
    auto const grant = core.memory->write(frame);
    if (grant.bytes == nullptr) return no_page(core);
    if (grant.moved) {
        core.caches->tlb.drop_frame(frame);
        if (had_code) {
            core.caches->jumps.forget();
            core.leave = true;
        }
    }
    unsigned const offset = t.physical.value & (page_size - 1);
    bool const taggable = code_gone(core, frame, grant.attachment, offset, piece.size);
    u8* const at = grant.bytes + offset;
    if (core.caches->paging.watched(frame) != nullptr) {
        std::array<u8, 16> before;
        std::memcpy(before.data(), at, piece.size);
        table_written(core, frame, offset, piece.size, before.data(), from);
        std::memcpy(at, from, piece.size);
        return no_fault;
    }
    std::memcpy(at, from, piece.size);
    if (taggable && !core.watches_data) core.caches->tlb.fill_write(context, piece.linear, frame, grant.bytes);
    return no_fault;
}

/// A page that may be written without the slow path from now on: its bytes, or nullptr.
u8* plain_page(Core& core, Frame frame) {
    if (!core.memory->contains(frame) || core.memory->attachment(frame) != nullptr || core.caches->paging.watched(frame) != nullptr) return nullptr;
    auto const grant = core.memory->write(frame);
    if (grant.bytes != nullptr && grant.moved) core.caches->tlb.drop_frame(frame);
    return grant.bytes;
}

unsigned first_part(u64 linear, unsigned size) {
    u64 const room = page_size - (linear & (page_size - 1));
    return room < size ? static_cast<unsigned>(room) : size;
}

/// The page after this one; 32-bit linear addresses wrap.
u64 next_page(const Core& core, u64 linear) {
    u64 const next = (linear & page_mask) + page_size;
    return core.long_mode() ? next : next & 0xffffffff;
}

}  // namespace

u64 effective_address(const Core& core, const Insn& insn) {
    u64 sum = static_cast<u64>(static_cast<i64>(insn.displacement));
    if (insn.base < no_register) sum += core.cpu.gpr[insn.base];
    if (insn.base == rip_register) sum += core.next_rip;
    if (insn.index < no_register) sum += core.cpu.gpr[insn.index] << insn.scale;
    return within_address_size(insn, sum);
}

bool alignment_checked(const Core& core) { return core.cpu.cpl == 3 && (core.cpu.cr0 & cr0::AM) && (core.cpu.rflags & rflags::AC); }

Result<u64> linear_in(const Core& core, Segment const& s, unsigned segment, u64 offset, unsigned size, AccessType type) {
    auto const violation = [&] { return segment == SS ? fault::ss() : fault::gp(); };
    u64 linear = 0;
    if (core.code64()) {
        linear = segment >= FS ? s.base + offset : offset;
        // AMD's processors look at the offset, too, even where a base makes it canonical.
        if (!is_canonical(offset) || !is_canonical(linear) || !is_canonical(linear + size - 1)) return violation();
    } else {
        u64 const last = offset + size - 1;
        if (core.protected_mode() && !core.v86()) {
            bool const code = s.type() & 8;
            if (!s.present()) return violation();
            if (type == AccessType::write && (code || !(s.type() & 2))) return violation();
            if (type == AccessType::read && code && !(s.type() & 2)) return violation();
            if (!code && (s.type() & 4)) {
                u64 const top = s.big() ? 0xffffffff : 0xffff;
                if (offset <= s.limit || last > top) return violation();
            } else if (last > s.limit) return violation();
        } else if (last > s.limit) return violation();
        linear = (s.base + offset) & 0xffffffff;
    }
    return linear;
}

Fault no_page(Core& core) {
    core.report = core.memory->trouble_text();
    return fault::unsupported();
}

Result<u64> linear_address(Core& core, unsigned segment, u64 offset, unsigned size, AccessType type) {
    u64 const linear = TRY(linear_in(core, core.cpu.seg[segment], segment, offset, size, type));
    if ((linear & (size - 1)) != 0 && size <= 8 && alignment_checked(core)) return fault::ac();
    return linear;
}

Fault read_linear(Core& core, u64 linear, void* to, unsigned size, Context context) {
    u8* const bytes = static_cast<u8*>(to);
    unsigned const first = first_part(linear, size);
    if (first < size) {
        // Both pages must allow the access before a device on either could see it.
        TRY(translate(core, linear, AccessType::read, context));
        TRY(translate(core, next_page(core, linear), AccessType::read, context));
    }
    TRY(read_piece(core, {linear, first}, bytes, context));
    if (first < size) TRY(read_piece(core, {next_page(core, linear), size - first}, bytes + first, context));
    if (core.watches_data) debug::note_memory(core.cpu, linear, size, false);
    return no_fault;
}

Fault probe_write(Core& core, u64 linear, unsigned size, Context context) {
    TRY(translate(core, linear, AccessType::write, context));
    if (first_part(linear, size) < size) TRY(translate(core, next_page(core, linear), AccessType::write, context));
    return no_fault;
}

Fault write_linear(Core& core, u64 linear, const void* from, unsigned size, Context context) {
    const u8* const bytes = static_cast<const u8*>(from);
    unsigned const first = first_part(linear, size);
    if (first < size) TRY(probe_write(core, linear, size, context));
    TRY(write_piece(core, {linear, first}, bytes, context));
    if (first < size) TRY(write_piece(core, {next_page(core, linear), size - first}, bytes + first, context));
    if (core.watches_data) debug::note_memory(core.cpu, linear, size, true);
    return no_fault;
}

bool refill(Core& core, u64 linear, AccessType type) {
    if ((core.mode_word & mode::slow) || (core.code64() && !is_canonical(linear))) return false;
    if (core.caches->tlb.recall(core.context, linear, type == AccessType::write)) return true;
    auto const t = translate(core, linear, type, core.context);
    if (t.fault.raised()) return false;
    Frame const frame = frame_of(t.value.physical);
    if (type == AccessType::write) {
        u8* const page = plain_page(core, frame);
        if (page != nullptr) core.caches->tlb.fill_write(core.context, linear, frame, page);
        return page != nullptr;
    }
    const u8* const page = core.memory->read(frame);
    if (page != nullptr) core.caches->tlb.fill_read(core.context, linear, frame, page);
    return page != nullptr;
}

Result<Frame> fetch_frame(Core& core, u64 linear) {
    auto& f = core.caches->paging.fetch(linear);
    u64 const page = linear & page_mask;
    Context const context = core.cpu.cpl == 3 ? Context::user : Context::system;
    if (f.page == page && f.context == context) return f.frame;
    auto const t = TRY(translate(core, linear, AccessType::fetch, context));
    f = {page, context, frame_of(t.physical)};
    core.caches->paging.mark_code(page);
    return f.frame;
}

void flush_translations(Core& core) {
    core.caches->tlb.flush();
    core.caches->paging.forget_directory();
    core.caches->paging.forget_fetch();
    core.caches->jumps.forget();
}

}  // namespace ramet
