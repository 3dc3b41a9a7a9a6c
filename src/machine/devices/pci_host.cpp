#include "machine/devices/pci_host.h"

namespace ramet {

namespace {

constexpr u32 all_ones = ~u32{0};

/// Configuration space of 0:0.0, by dword.
u32 host_bridge(u32 reg) {
    switch (reg) {
    case 0x00: return 0x12378086;
    case 0x04: return 0x02800107;  // memory, I/O and bus master on
    case 0x08: return 0x06000002;  // host bridge, revision 2
    default: return 0;
    }
}

}  // namespace

u32 PciHost::read(Offset at, unsigned size, Wires& wires) {
    if (at.value == 0) return size == 4 ? address : wires.unmapped_read(at);
    if (!(address & 0x80000000)) return all_ones;
    if (address >> 8 & 0xffff) return all_ones;  // another bus, device or function
    u32 const byte = static_cast<u32>(at.value - 1);
    return host_bridge(address & 0xfc) >> 8 * byte;
}

void PciHost::write(Offset at, unsigned size, u32 value, Wires& wires) {
    if (at.value != 0) return;  // nothing there can be changed
    if (size != 4) return wires.unmapped_write(at);
    address = value & 0x80fffffc;
}

}  // namespace ramet
