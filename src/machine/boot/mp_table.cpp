#include "machine/boot/mp_table.h"

#include "machine/boot/table_bytes.h"

namespace ramet {

namespace {

using namespace table;

constexpr u64 pointer_at = 0xf0000;  // a paragraph of the BIOS ROM
constexpr u64 configuration_at = pointer_at + 16;

constexpr u32 lapic_page = 0xfee00000, ioapic_page = 0xfec00000;
constexpr u8 specification = 4;  // 1.4
constexpr u8 lapic_version = 0x14, ioapic_version = 0x20;
constexpr u8 isa_bus = 0, ioapic_id = 0, every_lapic = 0xff;

enum Entry : u8 { processor, bus, ioapic, io_interrupt, local_interrupt };
enum Kind : u8 { vectored = 0, nmi = 1, extint = 3 };

Bytes make_configuration() {
    constexpr u8 usable = 1, boot_processor = 2;
    constexpr u32 signature = 0x00000fb1, features = 0x381;  // as CPUID: FPU, MCE, CMPXCHG8B, APIC
    Bytes t(44);
    u16 entries = 0;
    auto const add = [&](std::initializer_list<u8> entry) -> std::size_t {
        std::size_t const at = t.size();
        t.insert(t.end(), entry);
        ++entries;
        return at;
    };
    std::size_t const cpu = add({processor, 0, lapic_version, usable | boot_processor, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
    put<u32>(t, cpu + 4, signature);
    put<u32>(t, cpu + 8, features);
    add({bus, isa_bus, 'I', 'S', 'A', ' ', ' ', ' '});
    std::size_t const apic = add({ioapic, ioapic_id, ioapic_version, usable, 0, 0, 0, 0});
    put<u32>(t, apic + 4, ioapic_page);
    for (u8 line = 0; line < 16; ++line)  // IRQ 0 is pin 2, whose own line only joins the two PICs
        if (line != 2) add({io_interrupt, vectored, 0, 0, isa_bus, line, ioapic_id, line == 0 ? u8{2} : line});
    add({local_interrupt, extint, 0, 0, isa_bus, 0, every_lapic, 0});
    add({local_interrupt, nmi, 0, 0, isa_bus, 0, every_lapic, 1});
    put_text(t, 0, "PCMP");
    put<u16>(t, 4, static_cast<u16>(t.size()));
    t[6] = specification;
    put_text(t, 8, "RAMET   RAMETPC     ");
    put<u16>(t, 34, entries);
    put<u32>(t, 36, lapic_page);
    set_checksum(t, 7, t.size());
    return t;
}

Bytes make_pointer() {
    Bytes t(16);
    put_text(t, 0, "_MP_");
    put<u32>(t, 4, static_cast<u32>(configuration_at));
    t[8] = 1;  // paragraphs
    t[9] = specification;
    set_checksum(t, 10, t.size());
    return t;
}

}  // namespace

Expected<u64> place_mp_tables(Placement& placement) {
    TRY(placement.put("MP configuration table", configuration_at, make_configuration()));
    TRY(placement.put("MP floating pointer", pointer_at, make_pointer()));
    return pointer_at;
}

}  // namespace ramet
