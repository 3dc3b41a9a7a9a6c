// The PCI host bridge, a 440FX (Intel 82441FX datasheet), on bus 0, through configuration mechanism 1. In a machine with disks device 1 is a
// PIIX3 (pci_ide.h); else it is alone.
//
// Offsets: 0 CONFIG_ADDRESS (CF8h, dword only) · 1..4 CONFIG_DATA (CFCh). Every other device number reads all ones.
// Not modelled: its memory and shadowing registers, which firmware would use; they read zero and ignore writes.
// Tests: tests/machine/pci_host_test.cpp.
#pragma once

#include "base/fields.h"
#include "machine/devices/pci_ide.h"
#include "machine/wires.h"

namespace ramet {

struct PciHost {
    u32 address = 0;
    PciIde ide = {};

    static constexpr void fields(auto& self, auto& visit) {
        visit("address", self.address);
        visit("ide", self.ide);
    }

    u32 read(Offset at, unsigned size, Wires& wires);
    void write(Offset at, unsigned size, u32 value, Wires& wires);
};

static_assert(fields_complete<PciHost>);

}  // namespace ramet
