// The ACPI tables of the PC (ACPI 6.5, chapter 5): RSDP, RSDT, XSDT, FADT, FACS, MADT, DSDT, placed in the shadow ROM where operating
// systems look for them. They are data: no guest code is needed to read them but the DSDT's few names.
// Not modelled: SMI (SMI_CMD is 0: ACPI mode is always on), wake-up, thermal zones, processors beyond the first.
// Tests: tests/machine/acpi_test.cpp.
#pragma once

#include "machine/boot/placement.h"

namespace ramet {

/// Places the tables; the address of the RSDP.
Expected<u64> place_acpi_tables(Placement& placement);

/// The DSDT's bytes, header included.
std::vector<u8> make_dsdt();

}  // namespace ramet
