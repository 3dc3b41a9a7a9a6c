#include "machine/devices/ata_identity.h"

#include <algorithm>
#include <string>

#include "base/bytes.h"

namespace ramet::ata {

namespace {

constexpr u16 default_heads = 16, default_sectors_per_track = 63;

/// Characters come in pairs, the first one in the upper byte.
void put_text(std::span<u8, 512> to, std::size_t word, std::string text, std::size_t words) {
    text.resize(2 * words, ' ');
    for (std::size_t i = 0; i < text.size(); ++i) to[2 * word + (i ^ 1)] = static_cast<u8>(text[i]);
}

/// Selected mode and supported ones, for words 63 and 88.
u16 modes(const AtaDrive& drive, u8 kind, u16 supported) {
    bool const selected = (drive.transfer_mode & 0xf8) == kind;
    return static_cast<u16>((selected ? 0x100U << (drive.transfer_mode & 7) : 0) | supported);
}

}  // namespace

void put_identity(const AtaDrive& drive, unsigned place, std::span<u8, 512> to) {
    std::ranges::fill(to, u8{0});
    auto const word = [to](std::size_t at, u64 value) { store_le(to.data() + 2 * at, static_cast<u16>(value)); };
    auto const dword = [to](std::size_t at, u64 value) { store_le(to.data() + 2 * at, static_cast<u32>(value)); };
    constexpr u64 cylinders_max = 16383;
    u64 const cylinders = std::min(cylinders_max, drive.sectors / (default_heads * default_sectors_per_track));
    u64 const track = u64{drive.heads} * drive.sectors_per_track;
    u64 const translated = std::min<u64>(0xffff, std::min(drive.sectors, (cylinders_max + 1) * default_heads * default_sectors_per_track) / track);
    word(0, 0x0040);
    word(1, cylinders);
    word(3, default_heads);
    word(6, default_sectors_per_track);
    put_text(to, 10, "RAMET-" + std::to_string(place), 10);
    put_text(to, 23, "1", 4);
    put_text(to, 27, "RAMET DISK", 20);
    word(47, 0x8000 | AtaDrive::multiple_max);
    word(48, 1);                    // 32-bit accesses to the data port
    word(49, 0x0f00);               // LBA, DMA, IORDY
    word(50, 0x4000);
    word(51, 0x0200);
    word(53, 7);                    // words 54 to 58, 64 to 70 and 88 are valid
    word(54, translated);
    word(55, drive.heads);
    word(56, drive.sectors_per_track);
    dword(57, translated * track);
    if (drive.multiple) word(59, 0x100U | drive.multiple);
    dword(60, std::min<u64>(drive.sectors, (1 << 28) - 1));
    word(63, modes(drive, 0x20, 7));
    word(64, 3);                    // PIO 3 and 4
    for (std::size_t at = 65; at <= 68; ++at) word(at, 120);  // ns a transfer
    word(80, 0x7e);                 // ATA-1 to ATA/ATAPI-6
    word(82, 0x0020);               // write cache
    word(83, 0x7400);               // FLUSH CACHE EXT, FLUSH CACHE, 48-bit addresses
    word(84, 0x4000);
    word(85, drive.write_cache ? 0x0020 : 0);
    word(86, 0x3400);
    word(87, 0x4000);
    word(88, modes(drive, 0x40, 0x3f));
    word(93, 0x6001);               // 80 wires, drive 0 passed
    for (std::size_t i = 0; i < 4; ++i) word(100 + i, drive.sectors >> 16 * i);
    to[510] = 0xa5;
    u8 sum = 0;
    for (u8 const byte : to.first<511>()) sum = static_cast<u8>(sum + byte);
    to[511] = static_cast<u8>(0 - sum);
}

bool set_feature(AtaDrive& drive, u8 feature, u8 value) {
    enum : u8 { write_cache_on = 0x02, set_transfer_mode = 0x03, look_ahead_off = 0x55, no_reverting = 0x66, write_cache_off = 0x82, look_ahead_on = 0xaa, reverting = 0xcc };
    switch (feature) {
    case write_cache_on:
    case write_cache_off: drive.write_cache = feature == write_cache_on; return true;
    case set_transfer_mode: {
        bool const pio = value <= 1 || (value >= 0x08 && value <= 0x0c);
        bool const dma = (value >= 0x20 && value <= 0x22) || (value >= 0x40 && value <= 0x45);
        if (pio || dma) drive.transfer_mode = value;
        return pio || dma;
    }
    case look_ahead_off:
    case look_ahead_on:
    case no_reverting:
    case reverting: return true;
    default: return false;
    }
}

}  // namespace ramet::ata
