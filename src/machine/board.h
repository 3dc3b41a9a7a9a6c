// Board: every device of the PC as one plain value, generated from board.def. It holds no logic; pc_bus.h wires it up.
#pragma once

#include "base/fields.h"
#include "machine/devices/acpi_pm.h"
#include "machine/devices/ata.h"
#include "machine/devices/cmos.h"
#include "machine/devices/debug_ports.h"
#include "machine/devices/fw_cfg.h"
#include "machine/devices/i8042.h"
#include "machine/devices/ioapic.h"
#include "machine/devices/lapic.h"
#include "machine/devices/pci_host.h"
#include "machine/devices/pic.h"
#include "machine/devices/pit.h"
#include "machine/devices/uart.h"

namespace ramet {

struct Board {
#define DEVICE(member, Type, ...) Type member = {};
#define MMIO_DEVICE(member, Type, page) Type member = {};
#include "machine/board.def"

    static constexpr void fields(auto& self, auto& visit) {
#define DEVICE(member, ...) visit(#member, self.member);
#define MMIO_DEVICE(member, ...) visit(#member, self.member);
#include "machine/board.def"
    }
};

static_assert(fields_complete<Board>);

/// A device that needs attention at some time.
template <class T>
concept Timed = requires(T device, const T fixed, Cycles now, Wires& wires) {
    { fixed.deadline() } -> std::same_as<Cycles>;
    device.advance(now, wires);
};

/// A device whose registers may be wider than a byte; the others see every access byte by byte, as on the ISA bus.
template <class T>
concept Wide = requires(T device, Offset at, unsigned size, u32 value, Wires& wires) {
    { device.read(at, size, wires) } -> std::same_as<u32>;
    device.write(at, size, value, wires);
};

}  // namespace ramet
