// What an input of device_ports is: accesses, one after the other. Each is three bytes (what, size, place) and what else it takes. machine.cpp performs
// them, seeds.cpp writes them.
#pragma once

#include <array>

#include "base/types.h"

namespace ramet::fuzz {

enum class Access : u8 {
    read,         ///< a port
    read_again,
    write,        ///< 4 bytes: the value
    write_again,
    mmio_read,
    mmio_write,   ///< 4 bytes: the value
    acknowledge,  ///< the interrupt that is there
    wait,         ///< 4 bytes: cycles
    data_in,      ///< the disk's data port; 1 byte: how many times more
    data_out,     ///< 1 byte: how many times more; 4 bytes: the value
    poke,         ///< memory at tables + 4 * place; 4 bytes: the value
};
inline constexpr u8 access_count = 11;

inline constexpr u32 tables = 0x1000;      // for the bus master
inline constexpr u16 bus_master = 0xc000;  // where the firmware puts it
inline constexpr u16 disk_data = 0x1f0;

inline constexpr std::array<u16, 29> port_bases = {0x20,  0xa0,  0x4d0, 0x40,  0x61,  0x60,  0x64,  0x70,  0x80,  0x92,      0xe9,  0xf4,  0x3f8,     0x3f9,          0x3fc,
                                                   0x510, 0x600, 0x604, 0x608, 0xcf8, 0xcf9, 0xcfc, 0xcfe, 0xffff, disk_data, 0x1f4, 0x3f6, bus_master, bus_master + 4};

constexpr u16 port_at(u8 place) { return static_cast<u16>(port_bases[place % port_bases.size()] + (place >> 6)); }

}  // namespace ramet::fuzz
