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

/// What CONFIG_ADDRESS names.
struct Place {
    u32 device;  // with the bus above it
    u32 function;
    u32 reg;
};

constexpr Place place_of(u32 address) { return {address >> 11 & 0x1fff, address >> 8 & 7, address & 0xfc}; }

constexpr u32 piix3_device = 1;
constexpr u32 ide_function = 1;

}  // namespace

u32 PciHost::read(Offset at, unsigned size, Wires& wires) {
    if (at.value == 0) return size == 4 ? address : wires.unmapped_read(at);
    if (!(address & 0x80000000)) return all_ones;
    Place const place = place_of(address);
    u32 const shift = 8 * static_cast<u32>(at.value - 1);
    if (place.device == 0 && place.function == 0) return host_bridge(place.reg) >> shift;
    if (ide.present && place.device == piix3_device && place.function <= ide_function) return ide.read(place.function, place.reg) >> shift;
    return all_ones;
}

void PciHost::write(Offset at, unsigned size, u32 value, Wires& wires) {
    if (at.value == 0) {
        if (size != 4) return wires.unmapped_write(at);
        address = value & 0x80fffffc;
        return;
    }
    Place const place = place_of(address);
    if (!(address & 0x80000000) || !ide.present || place.device != piix3_device || place.function != ide_function) return;  // nothing there can be changed
    u32 const shift = 8 * static_cast<u32>(at.value - 1);
    u32 const mask = size == 4 ? all_ones : (u32{1} << 8 * size) - 1;
    ide.write(place.reg, value << shift, mask << shift);
}

}  // namespace ramet
