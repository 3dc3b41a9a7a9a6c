// The tables of the MultiProcessor Specification 1.4, for systems older or smaller than ACPI: a floating pointer where they search for it, and a
// configuration table with the one processor, the ISA bus, the I/O APIC and where interrupts lead. The same facts as in the MADT.
// Tests: tests/machine/mp_table_test.cpp.
#pragma once

#include "machine/boot/placement.h"

namespace ramet {

/// Places the tables; the address of the floating pointer.
Expected<u64> place_mp_tables(Placement& placement);

}  // namespace ramet
