// QEMU's firmware configuration interface (QEMU docs/specs/fw_cfg), as far as test kernels use it.
//
// Offsets: 0 selector (16-bit write) · 1 data (byte reads, one after the other). Keys: 0 signature, 1 revision, 3 RAM size in
// bytes, 5 number of processors, Fh the most there can be, 19h an empty file directory. Reading past an item gives zeros.
// Not modelled: DMA, files, writes.
// Tests: tests/machine/small_devices_test.cpp.
#pragma once

#include "base/fields.h"
#include "machine/wires.h"

namespace ramet {

struct FwCfg {
    u64 ram_bytes = 0;
    u16 selector = 0;
    u32 position = 0;

    static constexpr void fields(auto& self, auto& visit) {
        visit("ram_bytes", self.ram_bytes);
        visit("selector", self.selector);
        visit("position", self.position);
    }

    u32 read(Offset at, unsigned size, Wires& wires);
    void write(Offset at, unsigned size, u32 value, Wires& wires);

private:
    u8 item_byte(u32 at) const;
};

static_assert(fields_complete<FwCfg>);

}  // namespace ramet
