// Memory as instructions see it: segment checks, then linear accesses with paging, page crossing, MMIO and alignment checks.
// This is the one slow path; the fast handlers' inline TLB probe (x86/fast/memory.h) falls back to it.
#pragma once

#include <cstring>

#include "base/bytes.h"
#include "x86/core.h"
#include "x86/paging.h"

namespace ramet {

/// Effective address of the memory operand, within the address size.
u64 effective_address(const Core& core, const Insn& insn);

/// An offset computed beyond the effective address wraps around at the address size.
constexpr u64 within_address_size(const Insn& insn, u64 offset) {
    return insn.address_size == 8 ? offset : insn.address_size == 4 ? offset & 0xffffffff : offset & 0xffff;
}

/// Segment and canonical checks for [offset, offset + size): the linear address.
Result<u64> linear_address(Core& core, unsigned segment, u64 offset, unsigned size, AccessType type);

/// The same for a segment that is not loaded yet (the new stack of a privilege change).
Result<u64> linear_in(const Core& core, Segment const& s, unsigned segment, u64 offset, unsigned size, AccessType type);

constexpr bool is_canonical(u64 linear) { return static_cast<u64>(static_cast<i64>(linear << 16) >> 16) == linear; }

/// After a frame of RAM gave no page: the machine stops, and the report says why. The instruction can be tried again, as after a page fault.
Fault no_page(Core& core);

/// size: 1 to 16 bytes, any alignment; the value's bytes little-endian. Nothing is written unless all can be.
Fault read_linear(Core& core, u64 linear, void* to, unsigned size, Context context);
Fault write_linear(Core& core, u64 linear, const void* from, unsigned size, Context context);
/// Faults as a write of these bytes would, and changes nothing but accessed and dirty bits.
Fault probe_write(Core& core, u64 linear, unsigned size, Context context);

/// #AC(0) for misaligned accesses at CPL 3 with CR0.AM and EFLAGS.AC. linear_address() does this for sizes up to 8; what is larger has
/// an alignment of its own.
bool alignment_checked(const Core& core);
inline Fault check_alignment(const Core& core, u64 linear, unsigned alignment) {
    return (linear & (alignment - 1)) != 0 && alignment_checked(core) ? fault::ac() : no_fault;
}

template <class T>
Result<T> load_linear(Core& core, u64 linear, Context context) {
    u64 const slot_page = linear & ~(page_size - 1);
    TlbEntry const& e = core.caches->tlb.at(context, linear);
    T value;
    if (e.read_tag == slot_page && ((linear + sizeof(T) - 1) & ~(page_size - 1)) == slot_page)
        std::memcpy(&value, reinterpret_cast<const u8*>(linear + e.addend), sizeof(T));
    else TRY(read_linear(core, linear, &value, sizeof(T), context));
    return value;
}
template <class T>
Fault store_linear(Core& core, u64 linear, T value, Context context) {
    u64 const slot_page = linear & ~(page_size - 1);
    TlbEntry const& e = core.caches->tlb.at(context, linear);
    if (e.write_tag == slot_page && ((linear + sizeof(T) - 1) & ~(page_size - 1)) == slot_page) {
        std::memcpy(reinterpret_cast<u8*>(linear + e.addend), &value, sizeof(T));
        return no_fault;
    }
    return write_linear(core, linear, &value, sizeof(T), context);
}

/// The CPU's own accesses to descriptor tables, task state and gates: supervisor rights whatever the CPL.
template <class T>
Result<T> load_system(Core& core, u64 linear) {
    return load_linear<T>(core, linear, Context::system);
}
template <class T>
Fault store_system(Core& core, u64 linear, T value) {
    return store_linear<T>(core, linear, value, Context::system);
}

template <class T>
Result<T> load(Core& core, unsigned segment, u64 offset) {
    u64 const linear = TRY(linear_address(core, segment, offset, sizeof(T), AccessType::read));
    return load_linear<T>(core, linear, core.context);
}
template <class T>
Fault store(Core& core, unsigned segment, u64 offset, T value) {
    u64 const linear = TRY(linear_address(core, segment, offset, sizeof(T), AccessType::write));
    return store_linear<T>(core, linear, value, core.context);
}

/// Gives the TLB the page of an access that is about to be made in the current context. False, and nothing but CR2 and accessed bits changed,
/// when the access would fault or must take the slow path.
bool refill(Core& core, u64 linear, AccessType type);

/// The frame that instruction bytes at a linear address come from.
Result<Frame> fetch_frame(Core& core, u64 linear);

}  // namespace ramet
