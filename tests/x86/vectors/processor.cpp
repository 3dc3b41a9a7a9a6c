#include "processor.h"

#include <algorithm>
#include <cstring>

#include "../no_bus.h"
#include "base/bytes.h"
#include "x86/access.h"
#include "x86/fpu/environment.h"
#include "x86/fpu/x87_unit.h"
#include "x86/interpreter.h"
#include "x86/segment.h"
#include "x86/step.h"

namespace ramet::vectors {

namespace {

// Where the CPU's own tables lie: far from every region, and canonical.
constexpr u64 gdt_base = 0xffffd7a312340000, ldt_base = gdt_base + page_size, idt_base = ldt_base + page_size, task_base = idt_base + page_size,
              handlers = task_base + page_size;
constexpr u64 system_pages = 4;
constexpr u64 inner_stack = task_base + page_size;  // grows down on the page of the task state
constexpr u16 task_size = 0x68;
constexpr u16 kernel_code = 15 * 8;                 // a descriptor that no vector refers to
constexpr u64 kernel_code_descriptor = 0x00af9b000000ffff;
constexpr u16 gdt_limit = 16 * 8 - 1;

// Real mode: the segment that our interrupt table leads to; the offset is the vector.
constexpr u16 real_handlers = 0xf000;
constexpr u64 real_frames = 0x110;  // 1 MiB and what an offset may add to the highest segment

constexpr u64 present = 1, writable = 2, user = 4, accessed = 0x20, dirty = 0x40, no_execute = u64{1} << 63;
constexpr u64 frame_max = 0x400;

u64 page_of(u64 linear) { return linear & ~(page_size - 1); }

/// 64-bit interrupt gate to handlers + vector.
std::array<u64, 2> gate(u8 vector, unsigned dpl) {
    u64 const target = handlers + vector;
    u64 const low = (target & 0xffff) | u64{kernel_code} << 16 | u64{0x8e00 | dpl << 13} << 32 | (target >> 16 & 0xffff) << 48;
    return {low, target >> 32};
}

template <class T>
std::span<const u8> bytes_of(const T* at, std::size_t count) {
    return {reinterpret_cast<const u8*>(at), count * sizeof(T)};
}

}  // namespace

Processor::Processor(const ox_config& config)
    : kind_(static_cast<Kind>(config.mode)),
      memory_(std::make_shared<PagePool>(), {{Frame{0}, frame_max}}),
      bus_(std::make_unique<NoBus>()) {
    core_.memory = &memory_;
    core_.caches = &caches_;
    core_.bus = bus_.get();
    core_.model_v2 = true;
    initial_ = reset_cpu();
    constexpr std::array<unsigned, 6> order = {ES, CS, SS, DS, FS, GS};
    for (unsigned i = 0; i < 6; ++i) initial_.seg[order[i]] = {config.seg[i].sel, config.seg[i].attr, config.seg[i].limit, config.seg[i].base};
    initial_.xcr0 = 3;
    initial_.cr4 = cr4::OSFXSR | cr4::OSXMMEXCPT | cr4::OSXSAVE | cr4::UMIP;
    initial_.cr0 = cr0::ET | cr0::NE;
    make_tables(config);
    for (u32 i = 0; i < config.nregions; ++i) map_region(config.regions[i]);
    if (real()) initial_.idtr = {0, 0x3ff};
    core_.cpu = initial_;
    core_.set_rflags(rflags::fixed);
    mode_changed(core_);
    flush_translations(core_);
}

u64 Processor::entry(Frame table, u64 index) { return load_le<u64>(memory_.read(table) + index * 8); }
void Processor::set_entry(Frame table, u64 index, u64 value) { store_le<u64>(memory_.write(table).bytes + index * 8, value); }

void Processor::map_page(u64 linear, Frame frame, u64 rights) {
    pages_[page_of(linear)] = frame;
    Frame table = frame_of(GuestPhys{initial_.cr3});
    for (unsigned shift = 39; shift > 12; shift -= 9) {
        u64 const index = linear >> shift & 511;
        if (!(entry(table, index) & present)) set_entry(table, index, new_frame().value << page_shift | present | writable | user | accessed);
        table = frame_of(GuestPhys{entry(table, index) & 0x000ffffffffff000});
    }
    set_entry(table, linear >> 12 & 511, frame.value << page_shift | present | accessed | dirty | rights);
}

void Processor::map_region(const ox_region& region) {
    for (u64 at = page_of(region.base); at < region.base + region.size; at += page_size) {
        if (real()) pages_[at] = frame_of(GuestPhys{at});
        else map_page(at, new_frame(), user | (region.prot & 2 ? writable : 0) | (region.prot & 4 ? 0 : no_execute));
    }
    own_interrupt_table_ = own_interrupt_table_ && region.base != 0;
}

void Processor::make_tables(const ox_config& config) {
    if (real()) {
        next_frame_ = Frame{real_frames};
        pages_[0] = Frame{0};
        for (u32 vector = 0; vector < 256; ++vector) {
            u32 const pointer = u32{real_handlers} << 16 | vector;
            write(vector * 4, bytes_of(&pointer, 1));
        }
        return;
    }
    initial_.cr0 |= cr0::PE | cr0::PG | cr0::WP | cr0::AM;
    initial_.cr4 |= cr4::PAE;
    initial_.efer = efer::LME | efer::LMA | efer::NXE;
    initial_.cpl = 3;
    initial_.cr3 = new_frame().value << page_shift;
    for (u64 i = 0; i < system_pages; ++i) map_page(gdt_base + i * page_size, new_frame(), writable | no_execute);
    write(gdt_base, bytes_of(config.gdt, std::min<u32>(config.ngdt, 8)));
    write(gdt_base + kernel_code, bytes_of(&kernel_code_descriptor, 1));
    write(ldt_base, bytes_of(config.ldt, config.nldt));
    for (unsigned vector = 0; vector < 256; ++vector) {
        auto const g = gate(static_cast<u8>(vector), vector == 3 || vector == 4 ? 3 : 0);
        write(idt_base + vector * 16, bytes_of(g.data(), g.size()));
    }
    write(task_base + 4, bytes_of(&inner_stack, 1));
    write(task_base + 0x66, bytes_of(&task_size, 1));  // the I/O map lies beyond the limit: no port is open
    initial_.gdtr = {gdt_base, gdt_limit};
    initial_.idtr = {idt_base, 256 * 16 - 1};
    initial_.seg[LDTR] = {0x48, 0x82, config.nldt * 8 - 1, ldt_base};
    if (config.nldt == 0) initial_.seg[LDTR] = {};
    initial_.seg[TR] = {0x40, 0x8b, task_size - 1, task_base};
}

void Processor::write(u64 linear, std::span<const u8> bytes) {
    while (!bytes.empty()) {
        u64 const offset = linear & (page_size - 1);
        std::size_t const n = std::min<std::size_t>(bytes.size(), page_size - offset);
        auto const found = pages_.find(page_of(linear));
        if (found != pages_.end()) {
            auto const grant = memory_.write(found->second);
            if (grant.moved) core_.caches->tlb.drop_frame(found->second);
            std::memcpy(grant.bytes + offset, bytes.data(), n);
        }
        bytes = bytes.subspan(n);
        linear += n;
    }
}

void Processor::read(u64 linear, std::span<u8> bytes) {
    while (!bytes.empty()) {
        u64 const offset = linear & (page_size - 1);
        std::size_t const n = std::min<std::size_t>(bytes.size(), page_size - offset);
        auto const found = pages_.find(page_of(linear));
        if (found != pages_.end()) std::memcpy(bytes.data(), memory_.read(found->second) + offset, n);
        bytes = bytes.subspan(n);
        linear += n;
    }
}

void Processor::load_state(const ox_state& s) {
    Cpu& cpu = core_.cpu;
    cpu = initial_;
    std::copy_n(s.gpr, 16, cpu.gpr.begin());
    cpu.rip = s.rip;
    if (kind_ == Kind::long64) {
        cpu.seg[FS].base = s.fsbase;
        cpu.seg[GS].base = s.gsbase;
    }
    X87& f = cpu.x87;
    f.fcw = s.fcw;
    f.fsw = s.fsw;
    f.ftw = s.ftw;
    for (unsigned i = 0; i < 8; ++i) fpu::st(f, i) = {load_le<u64>(s.st[i]), load_le<u16>(s.st[i] + 8)};
    cpu.mxcsr = s.mxcsr;
    for (unsigned i = 0; i < 16; ++i) cpu.xmm[i] = {load_le<u64>(s.xmm[i]), load_le<u64>(s.xmm[i] + 8)};
    core_.set_rflags(s.rflags);
    mode_changed(core_);
}

void Processor::store_state(ox_state& s) const {
    Cpu const& cpu = core_.cpu;
    std::copy_n(cpu.gpr.begin(), 16, s.gpr);
    s.rip = cpu.rip;
    s.rflags = core_.rflags();
    // The recorder saw selectors after a return from its kernel, which makes every null selector zero.
    for (unsigned n = 0; n < 6; ++n) s.sel[n] = !real() && is_null(cpu.seg[n].selector) ? u16{0} : cpu.seg[n].selector;
    if (kind_ == Kind::long64) {
        s.fsbase = cpu.seg[FS].base;
        s.gsbase = cpu.seg[GS].base;
    }
    X87 const& f = cpu.x87;
    s.fcw = f.fcw;
    s.fsw = f.fsw;
    s.ftw = f.ftw;
    for (unsigned i = 0; i < 8; ++i) {
        store_le<u64>(s.st[i], fpu::st(f, i).significand);
        store_le<u16>(s.st[i] + 8, fpu::st(f, i).sign_exponent);
    }
    s.mxcsr = cpu.mxcsr;
    for (unsigned i = 0; i < 16; ++i) {
        store_le<u64>(s.xmm[i], cpu.xmm[i].lo);
        store_le<u64>(s.xmm[i] + 8, cpu.xmm[i].hi);
    }
}

/// The vector of a software exception that has just been delivered.
std::optional<u8> Processor::delivered_vector() const {
    u64 const offset = real() ? core_.cpu.rip : core_.cpu.rip - handlers;
    bool const there = real() ? own_interrupt_table_ && core_.cpu.seg[CS].selector == real_handlers : core_.cpu.cpl == 0;
    return there && offset < 256 ? std::optional<u8>(static_cast<u8>(offset)) : std::nullopt;
}

/// Back to the state before, at the address that the handler would return to. Real mode's frame is in the vector's own memory.
void Processor::undo_delivery(ox_state const& before, RealFrame const& overwritten) {
    u64 return_address = 0;
    auto const bytes = std::span(reinterpret_cast<u8*>(&return_address), real() ? 2 : 8);
    for (unsigned i = 0; i < bytes.size(); ++i) read(real() ? real_stack(i) : core_.cpu.gpr[RSP] + i, bytes.subspan(i, 1));
    if (real())
        for (unsigned i = 0; i < overwritten.size(); ++i) write(real_stack(i), std::span(overwritten).subspan(i, 1));
    load_state(before);
    core_.cpu.rip = return_address;
}

u64 Processor::real_stack(unsigned offset) const { return core_.cpu.seg[SS].base + ((core_.cpu.gpr[RSP] + offset) & 0xffff); }

bool Processor::step(ox_state& state, ox_exc& exception) {
    load_state(state);
    core_.remaining = std::numeric_limits<i64>::max();
    core_.leave = false;
    core_.cpu.pending_debug = 0;
    RealFrame below_stack = {};
    if (real())
        for (unsigned i = 0; i < below_stack.size(); ++i) read(real_stack(i - static_cast<unsigned>(below_stack.size())), std::span(below_stack).subspan(i, 1));
    Fault f;
    {
        fpu::MxcsrScope const scope{core_.cpu.mxcsr};
        bool retired = false;
        f = ramet::step(core_, retired);
    }
    if (memory_.has_retired()) memory_.quiesce();
    if (f.kind == Fault::Kind::unsupported) return false;
    exception = {};
    if (f.raised()) exception = {1, static_cast<u8>(f.vector), f.error, core_.cpu.cr2};
    else if (auto const vector = delivered_vector()) {
        undo_delivery(state, below_stack);
        exception = {1, *vector, 0, 0};
    }
    store_state(state);
    return true;
}

}  // namespace ramet::vectors
