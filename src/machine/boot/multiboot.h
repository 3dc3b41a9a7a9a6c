// Multiboot 1 (Multiboot Specification 0.6.96): ELF32 images (64-bit kernels wrapped as ELF32 too), ELF64 images entered in 32-bit
// mode, and the a.out kludge, with memory map, command line and modules.
//
// Modules and the information structure go above the kernel, page-aligned.
// Not modelled: video modes (a kernel that asks for one gets none), drives, APM, symbols.
// Tests: tests/machine/multiboot_test.cpp.
#pragma once

#include "machine/boot/placement.h"
#include "machine/configuration.h"
#include "x86/cpu.h"

namespace ramet {

bool is_multiboot(std::span<const u8> bytes);

Expected<Done> load_multiboot(Placement& placement, Cpu& cpu, const Configuration& configuration, const Images& images);

}  // namespace ramet
