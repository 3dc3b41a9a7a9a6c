#include "machine/boot/multiboot.h"

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "machine/boot/elf.h"
#include "machine/boot/entry.h"

namespace ramet {

namespace {

constexpr std::size_t search_bytes = 8192;
constexpr u32 header_magic = 0x1badb002;
constexpr u32 loader_magic = 0x2badb002;
constexpr u32 required_flags = 0xffff;
constexpr u32 PAGE_ALIGN = 1, MEMORY_INFO = 2, VIDEO_MODE = 4, AOUT_KLUDGE = 0x10000;
constexpr u16 code_selector = 0x08;
constexpr u16 data_selector = 0x10;
constexpr u64 one_mib = 0x100000;

/// Flags of the information structure: which parts are valid.
enum Info : u32 { info_memory = 1, info_command_line = 4, info_modules = 8, info_memory_map = 0x40, info_loader_name = 0x200 };
constexpr std::size_t info_size = 120;
/// Where QEMU's loader has it: a kernel that takes what lies behind its image for free memory does not overwrite it.
constexpr u64 information_start = 0x9000;
constexpr std::size_t module_size = 16;
constexpr std::size_t map_entry_size = 24;

/// Offset of the header, or nothing.
std::optional<std::size_t> find_header(std::span<const u8> bytes) {
    std::size_t const end = std::min(bytes.size(), search_bytes);
    for (std::size_t at = 0; at + 12 <= end; at += 4) {
        const u8* const p = bytes.data() + at;
        if (load_le<u32>(p) == header_magic && load_le<u32>(p) + load_le<u32>(p + 4) + load_le<u32>(p + 8) == 0) return at;
    }
    return std::nullopt;
}

/// Entry point and end of what was loaded.
struct Loaded {
    u64 entry = 0;
    u64 end = 0;
};

Expected<Loaded> load_kludge(Placement& placement, const Image& kernel, std::size_t header) {
    if (header + 32 > kernel.bytes.size()) return Error{kernel.name + ": the file ends inside the multiboot header"};
    auto const field = [&](std::size_t n) { return u64{load_le<u32>(kernel.bytes.data() + header + 4 * n)}; };
    u64 const header_addr = field(3), load_addr = field(4), load_end = field(5), bss_end = field(6), entry = field(7);
    if (load_addr > header_addr || header_addr - load_addr > header)
        return Error{kernel.name + ": the multiboot header's addresses contradict its place in the file"};
    u64 const offset = header - (header_addr - load_addr);
    u64 const available = kernel.bytes.size() - offset;
    if (load_end != 0 && (load_end < load_addr || load_end - load_addr > available))
        return Error{kernel.name + ": the multiboot header asks for more bytes than the file has; is the file complete?"};
    u64 const size = load_end ? load_end - load_addr : available;
    u64 const end = std::max(load_addr + size, bss_end);
    TRY(placement.put(kernel.name, load_addr, std::span{kernel.bytes}.subspan(offset, size), end - load_addr));
    return Loaded{entry, end};
}

Expected<Loaded> load_image(Placement& placement, const Image& kernel) {
    ElfImage const elf = TRY(parse_elf(kernel.bytes, kernel.name));
    TRY(load_elf(placement, elf, kernel.bytes, kernel.name));
    return Loaded{elf.physical_entry(), elf.end()};
}

/// The information structure and all it points to, built as one block for one address.
class InfoBlock {
public:
    explicit InfoBlock(u64 at) : at_(at), bytes_(info_size) {}

    void set(std::size_t offset, u64 value) { store_le(&bytes_[offset], static_cast<u32>(value)); }
    /// Appends; the address it will have.
    u64 append(std::span<const u8> more) {
        bytes_.resize((bytes_.size() + 7) & ~std::size_t{7});
        u64 const address = at_ + bytes_.size();
        bytes_.insert(bytes_.end(), more.begin(), more.end());
        return address;
    }
    u64 append(const std::string& text) {
        std::vector<u8> bytes{text.begin(), text.end()};
        bytes.push_back(0);
        return append(bytes);
    }
    const std::vector<u8>& bytes() const { return bytes_; }

private:
    u64 at_;
    std::vector<u8> bytes_;
};

/// A command line as guests expect it, the program's name first. The name is fixed: paths of the host are no part of a machine.
std::string with_arguments(const std::string& name, const std::string& arguments) { return arguments.empty() ? name : name + " " + arguments; }

InfoBlock build_info(u64 at, const Configuration& configuration, const Images& images, const std::vector<u64>& module_places, const RamLayout& layout) {
    InfoBlock info{at};
    info.set(0, info_memory | info_command_line | info_modules | info_memory_map | info_loader_name);
    info.set(4, 640);
    info.set(8, (layout.low_end - one_mib) / 1024);
    info.set(16, info.append(with_arguments("kernel", configuration.append)));
    std::vector<u8> modules(module_size * images.modules.size());
    for (std::size_t i = 0; i < images.modules.size(); ++i) {
        const Image& module = images.modules[i];
        u8* const entry = modules.data() + module_size * i;
        store_le(entry, static_cast<u32>(module_places[i]));
        store_le(entry + 4, static_cast<u32>(module_places[i] + module.bytes.size()));
        store_le(entry + 8, static_cast<u32>(info.append(with_arguments("module", module.arguments))));
    }
    info.set(20, images.modules.size());
    info.set(24, info.append(modules));
    std::vector<u8> map;
    for (const MapEntry& entry : memory_map(layout)) {
        std::vector<u8> item(map_entry_size);
        store_le(&item[0], static_cast<u32>(map_entry_size - 4));  // the size field does not count itself
        store_le(&item[4], entry.base);
        store_le(&item[12], entry.size);
        store_le(&item[20], entry.type);
        map.insert(map.end(), item.begin(), item.end());
    }
    info.set(44, map.size());
    info.set(48, info.append(map));
    info.set(64, info.append(std::string{"ramet"}));
    return info;
}

}  // namespace

bool is_multiboot(std::span<const u8> bytes) { return find_header(bytes).has_value(); }

Expected<Done> load_multiboot(Placement& placement, Cpu& cpu, const Configuration& configuration, const Images& images) {
    const Image& kernel = images.kernel;
    auto const header = find_header(kernel.bytes);
    if (!header) return Error{kernel.name + ": no multiboot header in the first " + std::to_string(search_bytes) + " bytes"};
    u32 const flags = load_le<u32>(kernel.bytes.data() + *header + 4);
    if (flags & required_flags & ~(PAGE_ALIGN | MEMORY_INFO | VIDEO_MODE))
        return Error{kernel.name + ": requires multiboot features " + hex_address(flags & required_flags) + "; known are 0x7"};
    Loaded const loaded = TRY(flags & AOUT_KLUDGE ? load_kludge(placement, kernel, *header) : load_image(placement, kernel));
    if (loaded.entry >= high_ram_start) return Error{kernel.name + ": entry at " + hex_address(loaded.entry) + "; expected it below 4 GiB"};

    u64 const above = std::max(loaded.end, one_mib);
    std::vector<u64> places;
    for (const Image& module : images.modules) {
        auto const at = placement.free_above(above, module.bytes.size(), page_size);
        if (!at) return Error{module.name + ": a module of " + std::to_string(module.bytes.size()) + " bytes does not fit; give the machine more memory"};
        TRY(placement.put(module.name, *at, module.bytes));
        places.push_back(*at);
    }
    std::size_t const size = build_info(0, configuration, images, places, placement.layout()).bytes().size();
    auto const at = placement.free_above(information_start, size, page_size);
    if (!at) return Error{kernel.name + ": no room for the multiboot information; give the machine more memory"};
    TRY(placement.put("multiboot information", *at, build_info(*at, configuration, images, places, placement.layout()).bytes()));

    enter_protected_mode(cpu, static_cast<u32>(loaded.entry), code_selector, data_selector);
    cpu.gpr[RAX] = loader_magic;
    cpu.gpr[RBX] = *at;
    return Done{};
}

}  // namespace ramet
