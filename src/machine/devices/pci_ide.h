// Configuration space of a PIIX3 (Intel 82371SB datasheet): function 0 the ISA bridge, which is nothing but its identity here, and function 1 the IDE
// interface in legacy mode. Its base address register places the bus master's ports. Part of the PCI host; absent in a machine without disks.
//
// Not modelled: the bridge's registers (they read zero), timings beyond being readable, the secondary channel, which stays disabled.
// Tests: tests/machine/pci_host_test.cpp.
#pragma once

#include "base/fields.h"
#include "base/types.h"

namespace ramet {

struct PciIde {
    static constexpr u32 ports = 16;

    bool present = false;
    u8 command = 0;         // bit 0 I/O, bit 2 bus master
    u8 latency = 0;
    u8 interrupt_line = 0;
    u16 base = 0;           // first port of the bus master
    u32 timing = 0;         // IDETIM of both channels; bit 15 enables the primary one

    static constexpr void fields(auto& self, auto& visit) {
        visit("present", self.present);
        visit("command", self.command);
        visit("latency", self.latency);
        visit("interrupt_line", self.interrupt_line);
        visit("base", self.base);
        visit("timing", self.timing);
    }

    bool absent() const { return !present; }
    /// As a BIOS leaves it for the kernel.
    static PciIde after_firmware();

    bool claims(u32 port) const { return present && (command & 1) && base != 0 && port - base < ports; }

    /// A dword of function 0 or 1 of the chip.
    u32 read(u32 function, u32 reg) const;
    /// Bits of `mask` in a dword of function 1.
    void write(u32 reg, u32 value, u32 mask);
};

static_assert(fields_complete<PciIde>);

}  // namespace ramet
