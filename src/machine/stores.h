// Stores: memory and disks, as the devices of a running machine reach them past the processor. It exists while a machine runs.
//
// What is written into memory is remembered until settle(), which tells the processor to forget what it had derived from it. A host that cannot
// do what is asked (no memory left, an image that is gone) is the run's trouble and never the guest's.
// Tests: tests/machine/ata_dma_test.cpp.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cow/disk.h"
#include "machine/wires.h"
#include "x86/interpreter.h"

namespace ramet {

using Disks = std::array<std::optional<Disk>, Disk::count_max>;  ///< by place

class Stores {
public:
    Stores(Memory& memory, Interpreter& interpreter, const Disks& disks) : memory_(memory), interpreter_(interpreter), disks_(disks) {}

    Moved memory_read(GuestPhys from, std::span<u8> to);
    Moved memory_write(GuestPhys to, std::span<const u8> from);
    Moved disk_read(unsigned place, u64 sector, std::span<u8> to);
    Moved disk_write(unsigned place, u64 sector, std::span<const u8> from);

    /// Before the processor goes on.
    void settle();
    /// Why something was Moved::failed; empty if nothing was.
    const std::string& trouble() const { return trouble_; }

private:
    Moved moved(const Expected<Done>& result);
    /// The disk, if all these sectors are on it.
    const Disk* disk(unsigned place, u64 sector, u64 bytes);
    bool is_ram(GuestPhys at, u64 bytes) const;
    Moved memory_failed();

    Memory& memory_;
    Interpreter& interpreter_;
    const Disks& disks_;
    std::vector<Frame> written_;
    std::string trouble_;
};

}  // namespace ramet
