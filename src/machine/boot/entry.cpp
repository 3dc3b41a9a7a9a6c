#include "machine/boot/entry.h"

#include "base/bytes.h"

namespace ramet {

namespace {

constexpr u16 flat_code_32 = 0xc9b;  // present, code, read and accessed, D, G
constexpr u16 flat_code_64 = 0xa9b;  // present, code, read and accessed, L, G
constexpr u16 flat_data = 0xc93;     // present, data, writable and accessed, B, G
constexpr u16 idt_limit = 0xffff;    // as after a reset (APM volume 2, table 14-1): kernels that go back to real mode without LIDT rely on the table at 0
constexpr u16 empty_ldt = 0x82;
constexpr u16 busy_tss = 0x8b;

constexpr u64 CR0_PE = 1;
constexpr u64 CR0_ET = 0x10;
constexpr u64 CR0_PG = u64{1} << 31;
constexpr u64 CR4_PAE = 0x20;
constexpr u64 EFER_LME_LMA = 0x500;

void set_segments(Cpu& cpu, u16 code_selector, u16 code, u16 data_selector) {
    constexpr u32 limit = 0xffffffff;
    cpu.seg.fill({data_selector, flat_data, limit, 0});
    cpu.seg[CS] = {code_selector, code, limit, 0};
    cpu.seg[LDTR] = {0, empty_ldt, 0xffff, 0};
    cpu.seg[TR] = {0, busy_tss, 0xffff, 0};
    cpu.gpr.fill(0);
    cpu.rflags = 2;
    cpu.idtr = {0, idt_limit};
    cpu.cpl = 0;
}

/// A flat descriptor with these attributes, as it lies in a GDT.
u64 flat_descriptor(u16 attr) { return 0xffff | u64{attr & 0xffU} << 40 | u64{0xf} << 48 | u64{attr >> 8 & 0xfU} << 52; }

}  // namespace

void enter_protected_mode(Cpu& cpu, u32 entry, u16 code_selector, u16 data_selector) {
    set_segments(cpu, code_selector, flat_code_32, data_selector);
    cpu.cr0 = CR0_PE | CR0_ET;
    cpu.rip = entry;
}

void enter_long_mode(Cpu& cpu, u64 entry, u64 page_tables, u16 code_selector, u16 data_selector) {
    set_segments(cpu, code_selector, flat_code_64, data_selector);
    cpu.cr4 = CR4_PAE;
    cpu.efer = EFER_LME_LMA;
    cpu.cr3 = page_tables;
    cpu.cr0 = CR0_PG | CR0_PE | CR0_ET;
    cpu.rip = entry;
}

Expected<Done> place_identity_map(Placement& placement, u64 at) {
    constexpr u64 table_flags = 3;       // present, writable
    constexpr u64 page_flags = 0x83;     // and 2 MiB
    constexpr unsigned directories = 4;  // 1 GiB each
    constexpr unsigned entries = 512;
    std::vector<u8> tables((2 + directories) * page_size);
    store_le(&tables[0], at + page_size + table_flags);
    for (u64 d = 0; d < directories; ++d) {
        store_le(&tables[page_size + 8 * d], at + (2 + d) * page_size + table_flags);
        for (u64 e = 0; e < entries; ++e) store_le(&tables[(2 + d) * page_size + 8 * e], ((d * entries + e) << 21) + page_flags);
    }
    return placement.put("boot page tables", at, tables);
}

Expected<Done> place_gdt(Placement& placement, Cpu& cpu, u64 at, bool long_mode) {
    std::vector<u8> table(32);
    store_le(&table[0x10], flat_descriptor(long_mode ? flat_code_64 : flat_code_32));
    store_le(&table[0x18], flat_descriptor(flat_data));
    cpu.gdtr = {at, static_cast<u16>(table.size() - 1)};
    return placement.put("boot GDT", at, table);
}

}  // namespace ramet
