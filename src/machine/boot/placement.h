// Placement: guest memory as a loader sees it before the first instruction. It knows what lies where, so that two things never
// overlap, and turns every address that does not fit into a message naming the file.
//
// The PC's map: RAM to 640 KiB, video memory (absent) to 768 KiB, RAM as shadow ROM to 1 MiB with the ACPI tables, RAM to at most 3 GiB, a
// hole for register pages, with a BIOS its ROM in the last 16 MiB below 4 GiB, without one the test device's memory there, the rest of RAM from 4 GiB.
// Tests: tests/machine/placement_test.cpp.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "cow/memory.h"
#include "machine/configuration.h"

namespace ramet {

inline constexpr u64 low_ram_max = u64{3} << 30;     ///< RAM below 4 GiB ends here at the latest
inline constexpr u64 high_ram_start = u64{4} << 30;
inline constexpr u64 rom_bytes_max = u64{16} << 20;  ///< the register pages lie below it
inline constexpr u64 test_memory_start = 0xff000000;  ///< as QEMU's pc-testdev has it; no map of the guest's names it
inline constexpr u64 test_memory_bytes = u64{64} << 10;

/// How RAM of a size is spread.
struct RamLayout {
    u64 low_end = 0;   ///< end of RAM below 4 GiB
    u64 high_end = 0;  ///< end of RAM above, or high_ram_start
    u64 bios_start = high_ram_start;  ///< from here to 4 GiB a BIOS; memory like any other, as shadow RAM is

    static RamLayout of(u64 memory_bytes, Boot boot = Boot::kernel);
    std::vector<RamRange> ranges() const;
};

/// All that a machine's memory holds: RAM, and what has changed on disks, whose sizes are known.
std::vector<RamRange> memory_ranges(const Configuration& configuration);

/// One entry of the BIOS memory map (INT 15h, E820h).
struct MapEntry {
    enum Type : u32 { ram = 1, reserved = 2 };
    u64 base = 0;
    u64 size = 0;
    u32 type = 0;
};

std::vector<MapEntry> memory_map(const RamLayout& layout);

class Placement {
public:
    Placement(Memory& memory, const RamLayout& layout) : memory_(memory), layout_(layout) {}

    /// Copies `bytes` to `at` and keeps [at, at + size) for them; size 0 means the bytes' own. `what` names it in messages.
    Expected<Done> put(const std::string& what, u64 at, std::span<const u8> bytes, u64 size = 0);
    /// The highest free place for `size` bytes below `limit`, aligned; above 1 MiB.
    std::optional<u64> free_below(u64 limit, u64 size, u64 alignment) const;
    /// The lowest free place at or above `start`.
    std::optional<u64> free_above(u64 start, u64 size, u64 alignment) const;
    /// Overwrites bytes inside a placed range; a loader's own structures.
    void patch(u64 at, std::span<const u8> bytes);

    const RamLayout& layout() const { return layout_; }

private:
    struct Taken {
        u64 start;
        u64 end;
        std::string what;
    };
    const Taken* overlap(u64 start, u64 end) const;
    bool is_ram(u64 start, u64 end) const;

    Memory& memory_;
    RamLayout layout_;
    std::vector<Taken> taken_;
};

/// What a kernel without firmware finds in the BIOS data area, and the memory map says too: where the extended area is (40:0E) and how many KiB end below it (40:13).
Expected<Done> place_bios_data(Placement& placement);

/// "0x1000".
std::string hex_address(u64 value);

}  // namespace ramet
