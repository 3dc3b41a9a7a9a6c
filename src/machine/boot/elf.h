// ELF images, 32 and 64 bit, little-endian: header and program headers, checked, as far as a loader needs them (System V ABI,
// chapter 5). Section headers are not read.
// Tests: tests/machine/elf_test.cpp.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "machine/boot/placement.h"

namespace ramet {

struct ElfSegment {
    u64 file_offset = 0;
    u64 file_size = 0;
    u64 physical = 0;
    u64 virtual_address = 0;
    u64 memory_size = 0;
};

struct ElfImage {
    bool is64 = false;
    u16 machine = 0;
    u64 entry = 0;
    std::vector<ElfSegment> segments;  // PT_LOAD with a size

    static constexpr u16 machine_386 = 3;
    static constexpr u16 machine_x86_64 = 62;

    /// The entry as a physical address: kernels linked at high addresses give a virtual one.
    u64 physical_entry() const;
    u64 end() const;
};

bool is_elf(std::span<const u8> bytes);
Expected<ElfImage> parse_elf(std::span<const u8> bytes, const std::string& name);
/// Copies the segments to their physical addresses.
Expected<Done> load_elf(Placement& placement, const ElfImage& elf, std::span<const u8> bytes, const std::string& name);

}  // namespace ramet
