#include "machine/devices/pci_ide.h"

namespace ramet {

namespace {

enum Register : u32 { IDENTITY = 0x00, COMMAND = 0x04, CLASS = 0x08, HEADER = 0x0c, BMIBA = 0x20, INTERRUPT = 0x3c, IDETIM = 0x40 };
constexpr u32 multiple_functions = 0x00800000;
constexpr u32 medium_timing = 0x02800000;  // of DEVSEL#, with fast back-to-back

/// What the base address becomes when all ones are written. SeaBIOS takes it for a size of 32 bits, so the upper half, which is not there, reads as ones then.
constexpr u16 sizing = 0xfff0;

u32 isa_bridge(u32 reg) {
    switch (reg) {
    case IDENTITY: return 0x70008086;
    case COMMAND: return medium_timing | 7;
    case CLASS: return 0x06010000;
    case HEADER: return multiple_functions;
    default: return 0;
    }
}

}  // namespace

PciIde PciIde::after_firmware() { return {.present = true, .command = 5, .base = 0xc000, .timing = 0x8000}; }

u32 PciIde::read(u32 function, u32 reg) const {
    if (function == 0) return isa_bridge(reg);
    switch (reg) {
    case IDENTITY: return 0x70108086;
    case COMMAND: return medium_timing | command;
    case CLASS: return 0x01018000;
    case HEADER: return multiple_functions | u32{latency} << 8;
    case BMIBA: return base | 1U | (base == sizing ? 0xffff0000 : 0);
    case INTERRUPT: return interrupt_line;
    case IDETIM: return timing;
    default: return 0;
    }
}

void PciIde::write(u32 reg, u32 value, u32 mask) {
    u32 const merged = (read(1, reg) & ~mask) | (value & mask);
    switch (reg) {
    case COMMAND: command = merged & 5; break;
    case HEADER: latency = static_cast<u8>(merged >> 8 & 0xf0); break;
    case BMIBA: base = merged & 0xfff0; break;
    case INTERRUPT: interrupt_line = static_cast<u8>(merged); break;
    case IDETIM: timing = merged; break;
    default: break;
    }
}

}  // namespace ramet
