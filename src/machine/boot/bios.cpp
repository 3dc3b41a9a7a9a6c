#include "machine/boot/bios.h"

#include <algorithm>

namespace ramet {

Expected<Done> load_bios(Placement& placement, Cpu& cpu, const Image& image) {
    constexpr u64 one_mib = 0x100000, low_bytes_max = 128 << 10;
    std::span<const u8> const bytes{image.bytes};
    if (bytes.empty() || bytes.size() % page_size != 0 || bytes.size() > rom_bytes_max)
        return Error{image.name + ": " + std::to_string(bytes.size()) + " bytes are no BIOS; expected a multiple of 4K, at most 16M"};
    std::size_t const low = std::min<std::size_t>(bytes.size(), low_bytes_max);
    TRY(placement.put("BIOS", high_ram_start - bytes.size(), bytes));
    TRY(placement.put("BIOS", one_mib - low, bytes.last(low)));
    cpu = reset_cpu();
    return Done{};
}

}  // namespace ramet
