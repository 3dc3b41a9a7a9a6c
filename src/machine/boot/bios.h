// A firmware image in place of a kernel. The whole image ends at 4 GiB; its last 128 KiB end at 1 MiB as well, where real mode reaches them. The
// processor is as after RESET: it begins at the reset vector, sixteen bytes below either end.
// Not modelled: write protection. Both places are shadow RAM, each its own copy.
// Tests: tests/machine/bios_test.cpp.
#pragma once

#include "machine/boot/placement.h"
#include "x86/cpu.h"

namespace ramet {

Expected<Done> load_bios(Placement& placement, Cpu& cpu, const Image& image);

}  // namespace ramet
