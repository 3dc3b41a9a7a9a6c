// Paging: linear → physical, with permissions, faults and accessed/dirty bits (APM volume 2, chapter 5).
// 32-bit, PAE and 4-level paging; PSE, NX, WP, SMEP, SMAP. Tables are read as if at every access (paging_cache.h).
// PAE's four directory pointers are registers, loaded with CR3, as on every processor.
// Not modelled: 5-level paging, memory types, protection keys.
#pragma once

#include <optional>

#include "x86/core.h"

namespace ramet {

enum class AccessType : u8 { read, write, fetch };

inline constexpr unsigned physical_address_bits = 40;

struct Translation {
    GuestPhys physical;
    bool writable = false;  ///< a write in the same context would need no further walk: permitted, and the dirty bit is set
};

/// Loads the directory pointers from `cr3`, as PAE paging does when it is entered or CR3 is written; drops what was derived from the old ones.
/// #GP(0), and no change, when a present one has a reserved bit set.
Fault load_directory_pointers(Core& core, u64 cr3);

/// Another value of CR3: forgets what its tables may give otherwise. Kernels map themselves alike into every program, so while the upper halves of
/// both top-level tables are equal, what was derived from them stays.
void switch_tables(Core& core, u64 cr3);

/// Sets accessed and dirty bits. The fault carries its error code; CR2 is set.
Result<Translation> translate(Core& core, u64 linear, AccessType type, Context context);

/// The same for somebody who looks from outside: no rights are checked, nothing changes. Nothing where no page is mapped.
std::optional<GuestPhys> look_up(const Cpu& cpu, Memory& memory, u64 linear);

/// A write of [offset, offset + size) to a watched table frame is about to change `before` into `after`: drops what was derived.
void table_written(Core& core, Frame frame, unsigned offset, unsigned size, const u8* before, const u8* after);

}  // namespace ramet
