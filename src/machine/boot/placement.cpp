#include "machine/boot/placement.h"

#include <algorithm>
#include <array>

#include "base/hex.h"

namespace ramet {

namespace {

constexpr u64 video_start = 0xa0000;
constexpr u64 rom_start = 0xc0000;
constexpr u64 bios_data_end = 0x9fc00;  // the last KiB is the extended BIOS data area
constexpr u64 reserved_start = 0xe0000;
constexpr u64 one_mib = 0x100000;

}  // namespace

std::string hex_address(u64 value) { return "0x" + short_hex_of(value); }

RamLayout RamLayout::of(u64 memory_bytes, Boot boot) {
    u64 const low = std::min(memory_bytes, low_ram_max);
    return {low, high_ram_start + (memory_bytes - low), high_ram_start - (boot == Boot::bios ? rom_bytes_max : 0)};
}

std::vector<RamRange> RamLayout::ranges() const {
    auto const range = [](u64 start, u64 end) { return RamRange{frame_of(GuestPhys{start}), (end - start) / page_size}; };
    std::vector<RamRange> ranges = {range(0, video_start), range(rom_start, low_end)};
    if (bios_start == high_ram_start) ranges.push_back(range(test_memory_start, test_memory_start + test_memory_bytes));
    if (high_end > bios_start) ranges.push_back(range(bios_start, high_end));
    return ranges;
}

std::vector<RamRange> memory_ranges(const Configuration& configuration) {
    std::vector<RamRange> ranges = RamLayout::of(configuration.memory_bytes, configuration.boot).ranges();
    for (std::size_t place = 0; place < Disk::count_max; ++place)
        for (const DiskConfiguration& disk : configuration.disks)
            if (disk.place == place) ranges.push_back(Disk::frames(disk.bytes, place));
    return ranges;
}

std::vector<MapEntry> memory_map(const RamLayout& layout) {
    std::vector<MapEntry> map = {{0, bios_data_end, MapEntry::ram},
                                 {bios_data_end, video_start - bios_data_end, MapEntry::reserved},
                                 {reserved_start, one_mib - reserved_start, MapEntry::reserved},
                                 {one_mib, layout.low_end - one_mib, MapEntry::ram}};
    if (layout.high_end > high_ram_start) map.push_back({high_ram_start, layout.high_end - high_ram_start, MapEntry::ram});
    return map;
}

Expected<Done> place_bios_data(Placement& placement) {
    constexpr u64 segment_at = 0x40e;
    constexpr u64 segment = bios_data_end >> 4, kib = bios_data_end >> 10;
    return placement.put("BIOS data area", segment_at, std::array<u8, 7>{segment & 0xff, segment >> 8, 0, 0, 0, kib & 0xff, kib >> 8});
}

bool Placement::is_ram(u64 start, u64 end) const {
    auto const within = [=](u64 first, u64 last) { return start >= first && end <= last; };
    return within(0, video_start) || within(rom_start, layout_.low_end) || within(layout_.bios_start, layout_.high_end);
}

const Placement::Taken* Placement::overlap(u64 start, u64 end) const {
    for (const Taken& taken : taken_)
        if (start < taken.end && taken.start < end) return &taken;
    return nullptr;
}

Expected<Done> Placement::put(const std::string& what, u64 at, std::span<const u8> bytes, u64 size) {
    size = std::max<u64>(size, bytes.size());
    if (size == 0) return Done{};
    std::string const range = what + ": " + std::to_string(size) + " bytes at " + hex_address(at);
    if (at + size < at || !is_ram(at, at + size))
        return Error{range + " do not fit into guest memory, which ends at " + hex_address(layout_.low_end) + "; give the machine more memory"};
    if (const Taken* other = overlap(at, at + size))
        return Error{range + " overlap with " + other->what + " at " + hex_address(other->start)};
    if (!memory_.copy_in(GuestPhys{at}, bytes)) return Error{range + " could not be written: the host's memory limit is reached"};
    taken_.push_back({at, at + size, what});
    return Done{};
}

std::optional<u64> Placement::free_below(u64 limit, u64 size, u64 alignment) const {
    u64 end = std::min(limit, layout_.low_end);
    while (end >= one_mib && size <= end - one_mib) {
        u64 const start = (end - size) & ~(alignment - 1);
        if (start < one_mib) break;
        const Taken* other = overlap(start, start + size);
        if (!other) return start;
        end = other->start;
    }
    return std::nullopt;
}

std::optional<u64> Placement::free_above(u64 start, u64 size, u64 alignment) const {
    for (;;) {
        start = (start + alignment - 1) & ~(alignment - 1);
        if (start > layout_.low_end || size > layout_.low_end - start) return std::nullopt;
        const Taken* other = overlap(start, start + std::max<u64>(size, 1));
        if (!other) return start;
        start = other->end;
    }
}

void Placement::patch(u64 at, std::span<const u8> bytes) {
    CHECK(memory_.copy_in(GuestPhys{at}, bytes), "a patched place was put before");
}

}  // namespace ramet
