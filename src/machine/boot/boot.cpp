#include "machine/boot/boot.h"

#include "machine/boot/acpi.h"
#include "machine/boot/bios.h"
#include "machine/boot/elf.h"
#include "machine/boot/linux.h"
#include "machine/boot/mp_table.h"
#include "machine/boot/multiboot.h"

namespace ramet {

Board firmware_board(const Configuration& configuration) {
    RamLayout const layout = RamLayout::of(configuration.memory_bytes);
    Board board;
    board.cmos = Cmos::after_firmware(configuration.rtc, layout.low_end, layout.high_end - high_ram_start);
    board.fw_cfg.ram_bytes = configuration.memory_bytes;
    for (const DiskConfiguration& disk : configuration.disks)
        board.ata.drives[disk.place] = {.sectors = (disk.bytes + Disk::sector_bytes - 1) / Disk::sector_bytes, .read_only = disk.read_only};
    if (!configuration.disks.empty()) board.pci.ide = configuration.boot == Boot::bios ? PciIde{.present = true} : PciIde::after_firmware();
    if (configuration.boot == Boot::bios) return board;
    board.pic = Pic::after_firmware();
    board.pit = Pit::after_firmware();
    board.lapic = LocalApic::after_firmware();
    return board;
}

Expected<Done> load_guest(Memory& memory, Cpu& cpu, const Configuration& configuration, const Images& images) {
    const Image& kernel = images.kernel;
    if (kernel.bytes.empty()) return Error{kernel.name + ": the file is empty; expected a kernel"};
    Placement placement{memory, RamLayout::of(configuration.memory_bytes, configuration.boot)};
    if (configuration.boot == Boot::bios) return load_bios(placement, cpu, kernel);
    TRY(place_bios_data(placement));
    TRY(place_mp_tables(placement));
    u64 const rsdp = TRY(place_acpi_tables(placement));
    if (is_bzimage(kernel.bytes)) return load_bzimage(placement, cpu, configuration, images, rsdp);
    if (is_multiboot(kernel.bytes)) return load_multiboot(placement, cpu, configuration, images);
    if (is_elf(kernel.bytes)) return load_vmlinux(placement, cpu, configuration, images, rsdp);
    return Error{kernel.name + ": not a kernel; expected a Linux bzImage, an ELF vmlinux or a multiboot 1 image"};
}

}  // namespace ramet
