#include "machine/boot/elf.h"

#include <algorithm>

#include "base/bytes.h"

namespace ramet {

namespace {

constexpr std::size_t header_size_32 = 52;
constexpr std::size_t header_size_64 = 64;
constexpr std::size_t segments_max = 64;  // a kernel has fewer than ten
constexpr u32 PT_LOAD = 1;
constexpr u16 ET_EXEC = 2;
constexpr u16 ET_DYN = 3;

/// Program header `at`, in the class's own field order.
ElfSegment segment_32(const u8* at) {
    return {load_le<u32>(at + 4), load_le<u32>(at + 16), load_le<u32>(at + 12), load_le<u32>(at + 8), load_le<u32>(at + 20)};
}
ElfSegment segment_64(const u8* at) {
    return {load_le<u64>(at + 8), load_le<u64>(at + 32), load_le<u64>(at + 24), load_le<u64>(at + 16), load_le<u64>(at + 40)};
}

}  // namespace

bool is_elf(std::span<const u8> bytes) { return bytes.size() >= 4 && load_le<u32>(bytes.data()) == 0x464c457f; }

u64 ElfImage::physical_entry() const {
    for (const ElfSegment& s : segments)
        if (entry >= s.physical && entry - s.physical < s.memory_size) return entry;
    for (const ElfSegment& s : segments)
        if (entry >= s.virtual_address && entry - s.virtual_address < s.memory_size) return entry - s.virtual_address + s.physical;
    return entry;
}

u64 ElfImage::end() const {
    u64 end = 0;
    for (const ElfSegment& s : segments) end = std::max(end, s.physical + s.memory_size);
    return end;
}

Expected<ElfImage> parse_elf(std::span<const u8> bytes, const std::string& name) {
    if (!is_elf(bytes)) return Error{name + ": not an ELF image"};
    if (bytes.size() < header_size_32) return Error{name + ": the ELF header is cut short"};
    ElfImage elf;
    elf.is64 = bytes[4] == 2;
    if (bytes[4] != 1 && bytes[4] != 2) return Error{name + ": ELF class " + std::to_string(bytes[4]) + "; expected 1 (32 bit) or 2 (64 bit)"};
    if (bytes[5] != 1) return Error{name + ": a big-endian ELF image; expected little-endian"};
    if (elf.is64 && bytes.size() < header_size_64) return Error{name + ": the ELF header is cut short"};
    u16 const type = load_le<u16>(&bytes[16]);
    if (type != ET_EXEC && type != ET_DYN) return Error{name + ": ELF type " + std::to_string(type) + "; expected an executable"};
    elf.machine = load_le<u16>(&bytes[18]);
    if (elf.machine != ElfImage::machine_386 && elf.machine != ElfImage::machine_x86_64)
        return Error{name + ": made for ELF machine " + std::to_string(elf.machine) + "; expected x86 (3 or 62)"};
    elf.entry = elf.is64 ? load_le<u64>(&bytes[24]) : load_le<u32>(&bytes[24]);
    u64 const table = elf.is64 ? load_le<u64>(&bytes[32]) : load_le<u32>(&bytes[28]);
    u16 const entry_size = load_le<u16>(&bytes[elf.is64 ? 54 : 42]);
    u16 const count = load_le<u16>(&bytes[elf.is64 ? 56 : 44]);
    if (entry_size < (elf.is64 ? 56 : 32) || count > segments_max)
        return Error{name + ": " + std::to_string(count) + " program headers of " + std::to_string(entry_size) + " bytes make no sense"};
    if (table > bytes.size() || u64{count} * entry_size > bytes.size() - table) return Error{name + ": the program headers lie beyond the end of the file"};
    for (u16 i = 0; i < count; ++i) {
        const u8* const at = bytes.data() + table + u64{i} * entry_size;
        ElfSegment const s = elf.is64 ? segment_64(at) : segment_32(at);
        if (load_le<u32>(at) != PT_LOAD || s.memory_size == 0) continue;
        std::string const which = name + ": segment " + std::to_string(i);
        if (s.file_offset > bytes.size() || s.file_size > bytes.size() - s.file_offset)
            return Error{which + " lies beyond the end of the file; is the file complete?"};
        if (s.file_size > s.memory_size) return Error{which + " is larger in the file than in memory"};
        if (s.physical + s.memory_size < s.physical) return Error{which + " wraps around the end of the address space"};
        elf.segments.push_back(s);
    }
    if (elf.segments.empty()) return Error{name + ": has nothing to load"};
    return elf;
}

Expected<Done> load_elf(Placement& placement, const ElfImage& elf, std::span<const u8> bytes, const std::string& name) {
    for (const ElfSegment& s : elf.segments)
        TRY(placement.put(name, s.physical, bytes.subspan(s.file_offset, s.file_size), s.memory_size));
    return Done{};
}

}  // namespace ramet
