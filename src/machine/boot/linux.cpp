#include "machine/boot/linux.h"

#include <algorithm>

#include "base/bytes.h"
#include "machine/boot/elf.h"
#include "machine/boot/entry.h"
#include "machine/boot/unpack.h"

namespace ramet {

namespace {

// Offsets in the first sectors of a bzImage, and equally in boot_params.
enum Header : std::size_t {
    setup_sects = 0x1f1, boot_flag = 0x1fe, jump = 0x200, magic = 0x202, version = 0x206, type_of_loader = 0x210, loadflags = 0x211,
    ramdisk_image = 0x218, ramdisk_size = 0x21c, heap_end_ptr = 0x224, cmd_line_ptr = 0x228, initrd_addr_max = 0x22c,
    kernel_alignment = 0x230, xloadflags = 0x236, cmdline_size = 0x238, payload_offset = 0x248, payload_length = 0x24c,
    pref_address = 0x258, init_size = 0x260, header_end = 0x268
};

// Offsets in boot_params alone.
enum ZeroPage : std::size_t { acpi_rsdp_addr = 0x070, e820_entries = 0x1e8, e820_table = 0x2d0 };

constexpr u32 header_magic = 0x53726448;  // "HdrS"
constexpr u16 boot_signature = 0xaa55;
constexpr u16 oldest_version = 0x0206;    // the first with cmdline_size
constexpr u16 payload_version = 0x0208;
constexpr u16 init_size_version = 0x020a;
constexpr u16 xloadflags_version = 0x020c;
constexpr u8 LOADED_HIGH = 1;
constexpr u8 CAN_USE_HEAP = 0x80;
constexpr u16 XLF_KERNEL_64 = 1;
constexpr u8 unregistered_loader = 0xff;
constexpr u64 kernel_start = 0x100000;
constexpr u64 entry_64_offset = 0x200;
constexpr u16 boot_cs = 0x10;
constexpr u16 boot_ds = 0x18;

constexpr u64 gdt_at = 0x500;
constexpr u64 boot_params_at = 0x7000;
constexpr u64 page_tables_at = 0x9000;
constexpr u64 command_line_at = 0x20000;
constexpr u64 command_line_max = 0x10000;

/// What a vmlinux without a setup header gets: the fields that kernels look at.
constexpr u64 vmlinux_initrd_max = 0x7fffffff;
constexpr u32 vmlinux_command_line_max = 2047;

/// The setup part of a bzImage, checked.
struct Setup {
    std::span<const u8> file;
    std::string name;
    u16 protocol = 0;
    std::size_t code_offset = 0;

    template <class T>
    T get(std::size_t at) const {
        return load_le<T>(file.data() + at);
    }
    std::span<const u8> code() const { return file.subspan(code_offset); }
    bool has_64_bit_entry() const { return protocol >= xloadflags_version && (get<u16>(xloadflags) & XLF_KERNEL_64); }
};

Expected<Setup> parse_setup(const Image& kernel) {
    Setup setup{.file = kernel.bytes, .name = kernel.name};
    if (kernel.bytes.size() < header_end) return Error{kernel.name + ": the file is cut short inside the setup header"};
    setup.protocol = setup.get<u16>(version);
    if (setup.protocol < oldest_version)
        return Error{kernel.name + ": boot protocol " + hex_address(setup.protocol) + "; expected 0x206 (Linux 2.6.22) or newer"};
    if (!(setup.get<u8>(loadflags) & LOADED_HIGH)) return Error{kernel.name + ": a zImage, which is loaded low; expected a bzImage"};
    std::size_t const sectors = setup.get<u8>(setup_sects) ? setup.get<u8>(setup_sects) : 4;
    setup.code_offset = (sectors + 1) * 512;
    if (setup.code_offset + entry_64_offset >= kernel.bytes.size())
        return Error{kernel.name + ": the file ends before the kernel's code at offset " + std::to_string(setup.code_offset)};
    // syssize counts the code in 16-byte units; a file that is shorter was cut.
    u64 const wanted = setup.code_offset + u64{setup.get<u32>(0x1f4)} * 16;
    if (kernel.bytes.size() + 15 < wanted)
        return Error{kernel.name + ": the file has " + std::to_string(kernel.bytes.size()) + " bytes; its header promises " + std::to_string(wanted)};
    return setup;
}

Expected<std::vector<u8>> unpack_payload(const Setup& setup) {
    if (setup.protocol < payload_version) return Error{setup.name + ": too old for unpacking on the host (boot protocol below 2.08); use unpack = guest"};
    u64 const offset = setup.get<u32>(payload_offset);
    u64 const length = setup.get<u32>(payload_length);
    auto const code = setup.code();
    if (offset > code.size() || length > code.size() - offset)
        return Error{setup.name + ": the payload (" + std::to_string(length) + " bytes at " + std::to_string(offset) + ") lies beyond the end of the file"};
    return unpack(code.subspan(offset, length), setup.name + ": payload");
}

/// boot_params with what every kernel gets: command line, memory map, ACPI root, initrd.
struct BootParams {
    std::vector<u8> bytes = std::vector<u8>(page_size);

    template <class T>
    void set(std::size_t at, T value) {
        store_le(&bytes[at], value);
    }
};

void set_memory_map(BootParams& params, const RamLayout& layout) {
    u8 count = 0;
    for (const MapEntry& entry : memory_map(layout)) {
        std::size_t const at = e820_table + count++ * std::size_t{20};
        params.set<u64>(at, entry.base);
        params.set<u64>(at + 8, entry.size);
        params.set<u32>(at + 16, entry.type);
    }
    params.set<u8>(e820_entries, count);
}

Expected<Done> place_command_line(Placement& placement, BootParams& params, const std::string& text, u64 limit) {
    u64 const most = std::min(limit, command_line_max - 1);
    if (text.size() > most) return Error{"append: " + std::to_string(text.size()) + " bytes; this kernel takes at most " + std::to_string(most)};
    std::vector<u8> line{text.begin(), text.end()};
    line.push_back(0);
    params.set<u32>(cmd_line_ptr, static_cast<u32>(command_line_at));
    return placement.put("kernel command line", command_line_at, line);
}

/// As high as the kernel allows, so that it stays clear of what the kernel unpacks into.
Expected<Done> place_initrd(Placement& placement, BootParams& params, const Images& images, u64 highest) {
    if (images.modules.empty()) return Done{};
    const Image& initrd = images.modules.front();
    if (initrd.bytes.empty()) return Error{initrd.name + ": the initrd is empty"};
    auto const at = placement.free_below(highest + 1, initrd.bytes.size(), page_size);
    if (!at)
        return Error{initrd.name + ": an initrd of " + std::to_string(initrd.bytes.size()) + " bytes does not fit beside the kernel below " +
                     hex_address(std::min(highest + 1, placement.layout().low_end)) + "; give the machine more memory"};
    params.set<u32>(ramdisk_image, static_cast<u32>(*at));
    params.set<u32>(ramdisk_size, static_cast<u32>(initrd.bytes.size()));
    return placement.put(initrd.name, *at, initrd.bytes);
}

Expected<Done> enter_64(Placement& placement, Cpu& cpu, u64 entry) {
    TRY(place_gdt(placement, cpu, gdt_at, true));
    TRY(place_identity_map(placement, page_tables_at));
    enter_long_mode(cpu, entry, page_tables_at, boot_cs, boot_ds);
    cpu.gpr[RSI] = boot_params_at;
    return Done{};
}

Expected<Done> enter_32(Placement& placement, Cpu& cpu, u64 entry) {
    TRY(place_gdt(placement, cpu, gdt_at, false));
    enter_protected_mode(cpu, static_cast<u32>(entry), boot_cs, boot_ds);
    cpu.gpr[RSI] = boot_params_at;
    return Done{};
}

Expected<Done> check_modules(const Images& images) {
    if (images.modules.size() > 1) return Error{images.modules[1].name + ": Linux takes one initrd; more are for multiboot kernels"};
    return Done{};
}

/// Loads and enters a vmlinux. `params` has its setup header already.
Expected<Done> load_elf_kernel(Placement& placement, Cpu& cpu, BootParams& params, std::span<const u8> bytes, const std::string& name,
                               const Images& images, u64 initrd_highest) {
    ElfImage const elf = TRY(parse_elf(bytes, name));
    TRY(load_elf(placement, elf, bytes, name));
    TRY(place_initrd(placement, params, images, initrd_highest));
    u64 const entry = elf.physical_entry();
    if (entry >= high_ram_start) return Error{name + ": entry at " + hex_address(entry) + "; expected it below 4 GiB"};
    TRY(elf.is64 ? enter_64(placement, cpu, entry) : enter_32(placement, cpu, entry));
    return placement.put("boot_params", boot_params_at, params.bytes);
}

}  // namespace

bool is_bzimage(std::span<const u8> bytes) {
    return bytes.size() >= magic + 4 && load_le<u32>(bytes.data() + magic) == header_magic && load_le<u16>(bytes.data() + boot_flag) == boot_signature;
}

Expected<Done> load_bzimage(Placement& placement, Cpu& cpu, const Configuration& configuration, const Images& images, u64 rsdp) {
    TRY(check_modules(images));
    Setup const setup = TRY(parse_setup(images.kernel));
    BootParams params;
    std::size_t const header_bytes = std::min<std::size_t>(jump + 2 + setup.get<u8>(jump + 1), header_end + 4);
    std::copy_n(setup.file.begin() + setup_sects, header_bytes - setup_sects, params.bytes.begin() + setup_sects);
    params.set<u8>(type_of_loader, unregistered_loader);
    params.set<u8>(loadflags, static_cast<u8>(setup.get<u8>(loadflags) & ~CAN_USE_HEAP));
    params.set<u64>(acpi_rsdp_addr, rsdp);
    set_memory_map(params, placement.layout());
    TRY(place_command_line(placement, params, configuration.append, setup.get<u32>(cmdline_size)));
    u64 const initrd_highest = setup.get<u32>(initrd_addr_max);

    if (configuration.unpack == Unpack::host) {
        auto const vmlinux = TRY(unpack_payload(setup));
        return load_elf_kernel(placement, cpu, params, vmlinux, setup.name + " (unpacked)", images, initrd_highest);
    }

    TRY(placement.put(setup.name, kernel_start, setup.code()));
    // The kernel unpacks itself into [pref_address, + init_size); an initrd there would be overwritten.
    u64 kernel_end = kernel_start + setup.code().size();
    if (setup.protocol >= init_size_version)
        kernel_end = std::max(kernel_end, std::max(setup.get<u64>(pref_address), kernel_start) + setup.get<u32>(init_size));
    if (kernel_end > placement.layout().low_end)
        return Error{setup.name + ": needs memory up to " + hex_address(kernel_end) + " to unpack itself; the machine's ends at " +
                     hex_address(placement.layout().low_end) + "; give the machine more memory"};
    u64 const initrd_lowest = kernel_end;
    TRY(place_initrd(placement, params, images, initrd_highest));
    u64 const initrd_at = load_le<u32>(&params.bytes[ramdisk_image]);
    if (!images.modules.empty() && initrd_at < initrd_lowest)
        return Error{images.modules.front().name + ": an initrd of " + std::to_string(images.modules.front().bytes.size()) +
                     " bytes does not fit above the kernel, which needs memory up to " + hex_address(kernel_end) + "; give the machine more memory"};
    TRY(setup.has_64_bit_entry() ? enter_64(placement, cpu, kernel_start + entry_64_offset) : enter_32(placement, cpu, kernel_start));
    return placement.put("boot_params", boot_params_at, params.bytes);
}

Expected<Done> load_vmlinux(Placement& placement, Cpu& cpu, const Configuration& configuration, const Images& images, u64 rsdp) {
    TRY(check_modules(images));
    BootParams params;
    params.set<u16>(boot_flag, boot_signature);
    params.set<u32>(magic, header_magic);
    params.set<u16>(version, xloadflags_version);
    params.set<u8>(type_of_loader, unregistered_loader);
    params.set<u8>(loadflags, LOADED_HIGH);
    params.set<u32>(kernel_alignment, 0x1000000);
    params.set<u64>(acpi_rsdp_addr, rsdp);
    set_memory_map(params, placement.layout());
    TRY(place_command_line(placement, params, configuration.append, vmlinux_command_line_max));
    return load_elf_kernel(placement, cpu, params, images.kernel.bytes, images.kernel.name, images, vmlinux_initrd_max);
}

}  // namespace ramet
