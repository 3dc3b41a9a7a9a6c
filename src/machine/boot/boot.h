// Boot: decides what kind of kernel an image is, and makes memory, processor and board what firmware and boot loader would have. With a BIOS
// it leaves them as after reset.
// Tests: tests/machine/linux_test.cpp, elf_test.cpp, multiboot_test.cpp.
#pragma once

#include "cow/memory.h"
#include "machine/board.h"
#include "machine/configuration.h"
#include "x86/cpu.h"

namespace ramet {

/// Devices as a PC's firmware leaves them, or finds them.
Board firmware_board(const Configuration& configuration);

Expected<Done> load_guest(Memory& memory, Cpu& cpu, const Configuration& configuration, const Images& images);

}  // namespace ramet
