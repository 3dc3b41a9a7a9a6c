#include "machine/devices/fw_cfg.h"

namespace ramet {

namespace {

constexpr u64 signature = 0x554d4551;  // "QEMU"
constexpr u64 revision = 1;            // the traditional interface only
constexpr u64 processors = 1;

}  // namespace

u8 FwCfg::item_byte(u32 at) const {
    u64 value = 0;
    switch (selector) {
    case 0: value = signature; break;
    case 1: value = revision; break;
    case 3: value = ram_bytes; break;
    case 5:
    case 15: value = processors; break;
    default: break;
    }
    return at < 8 ? static_cast<u8>(value >> 8 * at) : u8{0};
}

u32 FwCfg::read(Offset at, unsigned size, Wires& wires) {
    if (at.value != 1 || size != 1) return wires.unmapped_read(at);
    u8 const byte = item_byte(position);
    if (position < 8) ++position;
    return byte;
}

void FwCfg::write(Offset at, unsigned size, u32 value, Wires& wires) {
    if (at.value != 0 || size != 2) return wires.unmapped_write(at);
    selector = static_cast<u16>(value);
    position = 0;
}

}  // namespace ramet
