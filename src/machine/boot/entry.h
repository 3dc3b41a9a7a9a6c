// The processor's state at the entry of a loaded kernel: what a boot loader would have set up, segments with their hidden parts.
// Tests: tests/machine/linux_test.cpp, elf_test.cpp, multiboot_test.cpp.
#pragma once

#include "machine/boot/placement.h"
#include "x86/cpu.h"

namespace ramet {

/// 32-bit protected mode, flat segments, paging off, interrupts off (multiboot 1, section 3.2; Linux x86 boot protocol,
/// "32-bit boot protocol").
void enter_protected_mode(Cpu& cpu, u32 entry, u16 code_selector, u16 data_selector);

/// Long mode with the first 4 GiB mapped one to one (Linux x86 boot protocol, "64-bit boot protocol").
void enter_long_mode(Cpu& cpu, u64 entry, u64 page_tables, u16 code_selector, u16 data_selector);

/// Places page tables that map the first 4 GiB one to one with 2 MiB pages; takes six pages at `at`.
Expected<Done> place_identity_map(Placement& placement, u64 at);

/// Places a GDT whose selectors 10h and 18h are flat code (64-bit or 32-bit) and data, and points GDTR at it.
Expected<Done> place_gdt(Placement& placement, Cpu& cpu, u64 at, bool long_mode);

}  // namespace ramet
