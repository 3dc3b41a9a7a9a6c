// Segmentation: descriptors and the loading of segment registers (APM volume 2, chapter 4). The order of checks is the manual's.
#pragma once

#include "x86/access.h"

namespace ramet {

struct Descriptor {
    u32 low = 0, high = 0;
    u32 high_base = 0;  ///< bits 63..32 of the base: 16-byte system descriptors of long mode

    unsigned type() const { return high >> 8 & 15; }
    bool code_or_data() const { return high & 0x1000; }
    bool code() const { return (high & 0x1800) == 0x1800; }
    bool data() const { return (high & 0x1800) == 0x1000; }
    bool conforming() const { return code() && (high & 0x400); }
    bool readable() const { return data() || (high & 0x200); }
    bool writable() const { return data() && (high & 0x200); }
    unsigned dpl() const { return high >> 13 & 3; }
    bool present() const { return high & 0x8000; }
    bool long_code() const { return high & 0x200000; }
    bool big() const { return high & 0x400000; }
    u32 limit() const;
    u64 base() const { return u64{high_base} << 32 | (high & 0xff000000) | (high & 0xff) << 16 | low >> 16; }
};

/// Descriptor bits as the Segment keeps them.
Segment segment_of(u16 selector, Descriptor const& d);

/// Where a selector's descriptor lies. nullopt: outside its table (or the table is unusable).
std::optional<u64> descriptor_address(const Core& core, u16 selector, unsigned size = 8);
/// Reads it; `outside` is raised with the selector's error code when it lies outside its table.
Result<Descriptor> read_descriptor(Core& core, u16 selector, Vector outside = Vector::GP);
/// 16 bytes in long mode (LDT, TSS, call gates).
Result<Descriptor> read_system_descriptor(Core& core, u16 selector, Vector outside = Vector::GP);
/// Sets the accessed bit in memory when it is clear.
Fault mark_accessed(Core& core, u16 selector, Descriptor& d);

constexpr u32 selector_error(u16 selector) { return selector & 0xfffc; }
constexpr bool is_null(u16 selector) { return (selector & 0xfffc) == 0; }

/// MOV, POP and LxS into ES, SS, DS, FS, GS in any mode.
Fault load_segment(Core& core, unsigned segment, u16 selector);
/// Checks and fetches a stack segment for a privilege level; errors are raised with `vector` (#GP or #TS).
Result<Segment> stack_segment(Core& core, u16 selector, unsigned cpl, Vector vector);

/// Real and virtual-8086 mode: base is selector * 16.
void load_segment_real(Core& core, unsigned segment, u16 selector);

/// Puts a code segment into CS and sets the CPL, then recomputes what depends on it.
void set_code_segment(Core& core, Segment const& cs, unsigned cpl);

/// After a return to an outer level: data segments the new level may not use become null.
void drop_inner_segments(Core& core);

}  // namespace ramet
