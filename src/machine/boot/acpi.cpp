#include "machine/boot/acpi.h"

#include "machine/boot/aml.h"
#include "machine/boot/table_bytes.h"
#include "machine/devices/acpi_pm.h"

namespace ramet {

namespace {

using namespace table;

constexpr u64 rsdp_at = 0xe0000;
constexpr u64 tables_at = 0xe0040;
constexpr u64 facs_alignment = 64;
constexpr std::size_t table_header = 36;

constexpr u32 lapic_page = 0xfee00000;
constexpr u32 ioapic_page = 0xfec00000;
constexpr u16 pm_block = 0x600;
constexpr u16 sci_line = 9;
constexpr u16 reset_port = 0xcf9;

/// A system description table of `size` bytes with its header but for the checksum.
Bytes make_table(std::string_view signature, u8 revision, std::size_t size) {
    Bytes table(size);
    put_text(table, 0, signature);
    put<u32>(table, 4, static_cast<u32>(size));
    table[8] = revision;
    put_text(table, 10, "RAMET ");
    put_text(table, 16, "RAMETPC ");
    put<u32>(table, 24, 1);
    put_text(table, 28, "RMET");
    put<u32>(table, 32, 1);
    return table;
}

Bytes finish(Bytes table) {
    set_checksum(table, 9, table.size());
    return table;
}

/// A generic address structure: system I/O, `bits` wide.
void put_address(Bytes& table, std::size_t at, u8 bits, u64 address) {
    table[at] = 1;
    table[at + 1] = bits;
    table[at + 3] = bits == 8 ? 1 : bits == 16 ? 2 : 3;
    put<u64>(table, at + 4, address);
}

Bytes make_fadt(u64 facs, u64 dsdt) {
    constexpr u16 legacy_devices = 1, keyboard_controller = 2;
    constexpr u32 WBINVD = 1, PROC_C1 = 4, SLP_BUTTON = 0x20, PWR_BUTTON = 0x10, RESET_REG_SUP = 0x400;
    Bytes t = make_table("FACP", 3, 244);
    put<u32>(t, 36, static_cast<u32>(facs));
    put<u32>(t, 40, static_cast<u32>(dsdt));
    put<u16>(t, 46, sci_line);
    put<u32>(t, 56, pm_block);      // PM1a_EVT_BLK
    put<u32>(t, 64, pm_block + 4);  // PM1a_CNT_BLK
    put<u32>(t, 76, pm_block + 8);  // PM_TMR_BLK
    t[88] = 4;                      // lengths
    t[89] = 2;
    t[91] = 4;
    put<u16>(t, 96, 0x0fff);  // C2 and C3 are not supported
    put<u16>(t, 98, 0x0fff);
    t[108] = 0x32;  // century in CMOS
    put<u16>(t, 109, legacy_devices | keyboard_controller);
    // Buttons flagged here are control-method devices that the DSDT does not have: there are none.
    put<u32>(t, 112, WBINVD | PROC_C1 | PWR_BUTTON | SLP_BUTTON | RESET_REG_SUP);
    put_address(t, 116, 8, reset_port);
    t[128] = 0x06;  // the value that resets
    put<u64>(t, 132, facs);
    put<u64>(t, 140, dsdt);
    put_address(t, 148, 32, pm_block);
    put_address(t, 172, 16, pm_block + 4);
    put_address(t, 208, 32, pm_block + 8);
    return finish(std::move(t));
}

Bytes make_madt() {
    constexpr u32 PCAT_COMPAT = 1;  // there is a pair of 8259s as well
    constexpr u16 active_high_edge = 5;
    constexpr u16 active_high_level = 0x0d;
    Bytes t = make_table("APIC", 3, 44);
    put<u32>(t, 36, lapic_page);
    put<u32>(t, 40, PCAT_COMPAT);
    auto const add = [&t](std::initializer_list<u8> entry) { t.insert(t.end(), entry); };
    add({0, 8, 0, 0, 1, 0, 0, 0});  // processor 0, APIC ID 0, enabled
    add({1, 12, 0, 0, 0, 0, static_cast<u8>(ioapic_page >> 16), static_cast<u8>(ioapic_page >> 24), 0, 0, 0, 0});
    add({2, 10, 0, 0, 2, 0, 0, 0, active_high_edge, 0});                       // ISA IRQ0 is pin 2
    add({2, 10, 0, sci_line, sci_line, 0, 0, 0, active_high_level, 0});        // the SCI is level-triggered
    add({4, 6, 0xff, 0, 0, 1});                                                // NMI on LINT1 of every processor
    put<u32>(t, 4, static_cast<u32>(t.size()));
    return finish(std::move(t));
}

Bytes make_pointers(std::string_view signature, std::span<const u64> tables, std::size_t width) {
    Bytes t = make_table(signature, 1, table_header + width * tables.size());
    for (std::size_t i = 0; i < tables.size(); ++i)
        for (std::size_t b = 0; b < width; ++b) t[table_header + i * width + b] = static_cast<u8>(tables[i] >> 8 * b);
    return finish(std::move(t));
}

Bytes make_facs() {
    Bytes t(64);
    put_text(t, 0, "FACS");
    put<u32>(t, 4, 64);
    t[32] = 1;  // version
    return t;
}

Bytes make_rsdp(u64 rsdt, u64 xsdt) {
    Bytes t(36);
    put_text(t, 0, "RSD PTR RAMET ");
    t[15] = 2;
    put<u32>(t, 16, static_cast<u32>(rsdt));
    put<u32>(t, 20, 36);
    put<u64>(t, 24, xsdt);
    set_checksum(t, 8, 20);
    set_checksum(t, 32, 36);
    return t;
}

}  // namespace

std::vector<u8> make_dsdt() {
    using namespace aml;
    aml::Bytes const s5 = integer(AcpiPm::soft_off);
    aml::Bytes const body = concat({
        name("\\_S5_", package({s5, s5, integer(0), integer(0)})),
        scope("\\_SB_",
              {device("PCI0", {name("_HID", eisa_id("PNP0A03")), name("_UID", integer(0)), name("_BBN", integer(0)),
                               name("_CRS", resources({bus_range(0, 255), io(0xcf8, 8), io_range(0x0000, 0x0cf7), io_range(0x0d00, 0xffff),
                                                       memory_range(0x000a0000, 0x000bffff), memory_range(0xc0000000, 0xfebfffff)}))}),
               device("RTC_", {name("_HID", eisa_id("PNP0B00")), name("_CRS", resources({io(0x70, 2), irq(8)}))}),
               device("KBD_", {name("_HID", eisa_id("PNP0303")), name("_CRS", resources({io(0x60, 1), io(0x64, 1), irq(1)}))}),
               device("COM1", {name("_HID", eisa_id("PNP0501")), name("_UID", integer(1)), name("_CRS", resources({io(0x3f8, 8), irq(4)}))})}),
    });
    Bytes t = make_table("DSDT", 2, table_header + body.size());
    std::copy(body.begin(), body.end(), t.begin() + table_header);
    return finish(std::move(t));
}

Expected<u64> place_acpi_tables(Placement& placement) {
    u64 next = tables_at;
    auto const put = [&](const Bytes& table) -> Expected<u64> {
        u64 const at = next;
        TRY(placement.put("ACPI tables", at, table));
        next = (at + table.size() + facs_alignment - 1) & ~(facs_alignment - 1);
        return at;
    };
    u64 const facs = TRY(put(make_facs()));
    u64 const dsdt = TRY(put(make_dsdt()));
    std::array<u64, 2> const tables = {TRY(put(make_fadt(facs, dsdt))), TRY(put(make_madt()))};
    u64 const rsdt = TRY(put(make_pointers("RSDT", tables, 4)));
    u64 const xsdt = TRY(put(make_pointers("XSDT", tables, 8)));
    TRY(placement.put("ACPI root pointer", rsdp_at, make_rsdp(rsdt, xsdt)));
    return rsdp_at;
}

}  // namespace ramet
