// Linux: bzImage and vmlinux by the x86 boot protocol (Linux Documentation/arch/x86/boot.rst and zero-page.rst), entered in 64-bit
// mode where the kernel has such an entry, in 32-bit mode otherwise. No real-mode code runs: the loader fills in boot_params.
//
// With Unpack::host the bzImage's payload is unpacked here and the vmlinux inside is loaded at its physical addresses and entered
// directly. Nothing is relocated: this is what the kernel's own unpacker does under "nokaslr".
//
// Low memory: 500h GDT, 7000h boot_params, 9000h page tables, 20000h command line.
// Not modelled: EFI handover, setup_data, video modes, protocols before 2.06.
// Tests: tests/machine/linux_test.cpp.
#pragma once

#include "machine/boot/placement.h"
#include "machine/configuration.h"
#include "x86/cpu.h"

namespace ramet {

bool is_bzimage(std::span<const u8> bytes);

/// Fills memory and `cpu` for a bzImage. `rsdp`: where the ACPI root pointer lies.
Expected<Done> load_bzimage(Placement& placement, Cpu& cpu, const Configuration& configuration, const Images& images, u64 rsdp);

/// The same for a plain ELF vmlinux.
Expected<Done> load_vmlinux(Placement& placement, Cpu& cpu, const Configuration& configuration, const Images& images, u64 rsdp);

}  // namespace ramet
