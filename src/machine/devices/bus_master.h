// The bus master of one IDE channel (Intel 82371SB datasheet, "Bus Master IDE I/O Registers"): moves sectors between memory and a disk along a table
// of physical region descriptors. The channel (ata.h) owns it and says when; a whole command moves at once, when its time has come.
//
// Offsets, 8-bit: 0 command (bit 0 start, bit 3 towards memory) · 2 status (bit 0 active, 1 error, 2 interrupt; writing ones clears 1 and 2; 5 and 6 are
// the driver's) · 4..7 address of the table. A descriptor is an address, a byte count (0: 64 KiB), and at the top of the second word the mark of the last.
// A table ends where it reaches a multiple of 64 KiB, marked or not, as the datasheet forbids it to go on: so no guest keeps the host busy for ever.
// Not modelled: the bus master bit of the PCI command register, which the start bit implies.
// Tests: tests/machine/ata_dma_test.cpp.
#pragma once

#include "base/fields.h"
#include "machine/wires.h"

namespace ramet {

struct BusMaster {
    enum : u8 { start = 1, to_memory = 8 };
    enum : u8 { active = 1, error = 2, interrupt = 4, drivers_bits = 0x60 };

    u8 command = 0;
    u8 status = 0;
    u32 table = 0;

    static constexpr void fields(auto& self, auto& visit) {
        visit("command", self.command);
        visit("status", self.status);
        visit("table", self.table);
    }

    bool running() const { return status & active; }

    /// Registers of the other channel, which has no drives, follow from 8 on: they read zero.
    u8 read(unsigned at) const;
    /// True when the write started it.
    bool write(unsigned at, u8 value);

    struct Result {
        Moved moved = Moved::all;  // `nowhere`: the bus failed, and `status` says so
        u32 sectors = 0;           // fewer than asked for when the table was too short
    };
    /// Moves `count` sectors of a disk, as far as the table goes. After `failed` nothing counts as moved, and it may be done again.
    Result move(unsigned place, u64 sector, u32 count, Wires& wires);
};

static_assert(fields_complete<BusMaster>);

}  // namespace ramet
