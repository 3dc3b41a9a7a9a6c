#include "machine/devices/ata.h"

#include <algorithm>

#include "machine/devices/ata_bits.h"

namespace ramet {

using namespace ata;

namespace {

enum Register : u64 { DATA, FEATURES, COUNT, LBA_LOW, LBA_MID, LBA_HIGH, DEVICE, COMMAND, CONTROL, BUS_MASTER };

/// Where the block of registers ends that a register is in. The bytes of a wider access that lie behind it reach nobody.
constexpr u64 block_end(u64 where) { return where < CONTROL ? CONTROL : where < BUS_MASTER ? BUS_MASTER : ~u64{0}; }

/// Sum of cycles that stays below never().
u64 saturating_add(u64 a, u64 b) { return a > ~u64{0} - b ? ~u64{0} : a + b; }

}  // namespace

u32 Ata::read(Offset where, unsigned size, Wires& wires) {
    if (absent()) return wires.unmapped_read(where);
    if (where.value == DATA) return read_data(size, wires);
    u32 value = 0;
    for (unsigned i = 0; i < size; ++i) {
        bool const inside = where.value + i < block_end(where.value);
        value |= u32{inside ? read_register(where.value + i, wires) : static_cast<u8>(wires.unmapped_read(where))} << 8 * i;
    }
    return value;
}

void Ata::write(Offset where, unsigned size, u32 value, Wires& wires) {
    if (absent()) return wires.unmapped_write(where);
    if (where.value == DATA) return write_data(size, value, wires);
    for (unsigned i = 0; i < size; ++i) {
        if (where.value + i < block_end(where.value)) write_register(where.value + i, static_cast<u8>(value >> 8 * i), wires);
        else wires.unmapped_write(where);
    }
}

u8 Ata::read_register(u64 where, Wires& wires) {
    if (where >= BUS_MASTER) return master.read(static_cast<unsigned>(where - BUS_MASTER));
    if (!drive().present() && where != DEVICE) return 0;
    auto const part = [this](const AtaRegister& reg) { return control & HOB ? reg.before : reg.now; };
    switch (where) {
    case FEATURES: return error;
    case COUNT: return part(count);
    case LBA_LOW: return part(low);
    case LBA_MID: return part(mid);
    case LBA_HIGH: return part(high);
    case DEVICE: return device;
    case COMMAND:
        interrupt = false;
        update_line(wires);
        return status;
    case CONTROL: return status;
    default: return static_cast<u8>(wires.unmapped_read(Offset{where}));
    }
}

void Ata::write_register(u64 where, u8 value, Wires& wires) {
    if (where >= BUS_MASTER) {
        if (master.write(static_cast<unsigned>(where - BUS_MASTER), value)) started = wires.now();
        return;
    }
    if (where == CONTROL) return write_control(value, wires);
    control = static_cast<u8>(control & ~HOB);
    if (status & BSY) return;  // the drive does not listen
    if ((status & DRQ) && where != COMMAND) return;  // it moves data, and only another command ends that: the address, and which drive it is, stay
    switch (where) {
    case FEATURES: return features.write(value);
    case COUNT: return count.write(value);
    case LBA_LOW: return low.write(value);
    case LBA_MID: return mid.write(value);
    case LBA_HIGH: return high.write(value);
    case DEVICE: device = value; return;
    case COMMAND: return begin(value, wires);
    default: return wires.unmapped_write(Offset{where});
    }
}

void Ata::write_control(u8 value, Wires& wires) {
    bool const was = control & SRST;
    control = value & (HOB | SRST | nIEN);
    if (!was && (control & SRST)) {
        phase = Phase::reset;
        status = BSY;
        interrupt = false;
    }
    if (was && !(control & SRST)) started = wires.now();
    update_line(wires);
}

u32 Ata::read_data(unsigned size, Wires& wires) {
    if (phase != Phase::data_in) return ~u32{0};
    u32 value = 0;
    for (unsigned i = 0; i < size && at < filled; ++i) value |= u32{buffer[at++]} << 8 * i;
    if (at == filled) buffer_done(wires);
    return value;
}

void Ata::write_data(unsigned size, u32 value, Wires& wires) {
    if (phase != Phase::data_out) return;
    for (unsigned i = 0; i < size && at < filled; ++i) buffer[at++] = static_cast<u8>(value >> 8 * i);
    if (at == filled) buffer_done(wires);
}

Cycles Ata::deadline() const {
    u64 const medium = saturating_add(first ? latency : 0, block * sector_cycles);
    switch (phase) {
    case Phase::medium: return Cycles{saturating_add(started.value, medium)};
    case Phase::dma: return master.running() ? Cycles{saturating_add(started.value, medium)} : Cycles::never();
    case Phase::control: return Cycles{saturating_add(started.value, control_cycles)};
    case Phase::reset: return control & SRST ? Cycles::never() : Cycles{saturating_add(started.value, reset_cycles)};
    case Phase::idle:
    case Phase::data_in:
    case Phase::data_out: break;
    }
    return Cycles::never();
}

void Ata::advance(Cycles, Wires& wires) {
    switch (phase) {
    case Phase::medium: return step_medium(wires);
    case Phase::dma: return step_dma(wires);
    case Phase::control: return run_control(wires);
    case Phase::reset: return reset_done();
    case Phase::idle:
    case Phase::data_in:
    case Phase::data_out: return;
    }
}

}  // namespace ramet
