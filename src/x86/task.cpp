#include "x86/task.h"

#include "x86/debug.h"
#include "x86/paging.h"

namespace ramet {

namespace {

/// Where a TSS format keeps what (APM volume 2, figures 12-5 and 12-6).
struct Layout {
    unsigned link, cr3, ip, flags, gpr, seg, ldt, slot, segments, size, esp0;
};
constexpr Layout layout32 = {0, 0x1c, 0x20, 0x24, 0x28, 0x48, 0x60, 4, 6, 0x67, 4};
constexpr Layout layout16 = {0, 0, 0x0e, 0x10, 0x12, 0x22, 0x2a, 2, 4, 0x2b, 2};

bool is_tss32(unsigned type) { return type & 8; }
Layout layout_of(unsigned type) { return is_tss32(type) ? layout32 : layout16; }

struct Image {
    u64 cr3 = 0, ip = 0, flags = 0;
    std::array<u64, 8> gpr = {};
    std::array<u16, 6> seg = {};
    u16 ldt = 0;
    bool trap = false;
};

Result<u64> read_slot(Core& core, u64 at, bool wide) {
    if (wide) return u64{TRY(load_system<u32>(core, at))};
    return u64{TRY(load_system<u16>(core, at))};
}
Fault write_slot(Core& core, u64 at, bool wide, u64 value) {
    if (wide) return store_system<u32>(core, at, static_cast<u32>(value));
    return store_system<u16>(core, at, static_cast<u16>(value));
}

Result<Image> read_image(Core& core, u64 base, bool wide) {
    Layout const l = wide ? layout32 : layout16;
    Image image;
    if (wide) image.cr3 = TRY(load_system<u32>(core, base + l.cr3));
    image.ip = TRY(read_slot(core, base + l.ip, wide));
    image.flags = TRY(read_slot(core, base + l.flags, wide));
    for (unsigned i = 0; i < 8; ++i) image.gpr[i] = TRY(read_slot(core, base + l.gpr + i * l.slot, wide)) | (wide ? 0 : 0xffff0000);
    for (unsigned i = 0; i < l.segments; ++i) image.seg[i] = TRY(load_system<u16>(core, base + l.seg + i * l.slot));
    image.ldt = TRY(load_system<u16>(core, base + l.ldt));
    if (wide) image.trap = TRY(load_system<u16>(core, base + 0x64)) & 1;
    return image;
}

Fault save_state(Core& core, u64 flags) {
    Segment const& tr = core.cpu.seg[TR];
    bool const wide = is_tss32(tr.type());
    Layout const l = layout_of(tr.type());
    TRY(write_slot(core, tr.base + l.ip, wide, core.next_rip));
    TRY(write_slot(core, tr.base + l.flags, wide, flags));
    for (unsigned i = 0; i < 8; ++i) TRY(write_slot(core, tr.base + l.gpr + i * l.slot, wide, core.cpu.gpr[i]));
    for (unsigned i = 0; i < l.segments; ++i) TRY(store_system<u16>(core, tr.base + l.seg + i * l.slot, core.cpu.seg[i].selector));
    return no_fault;
}

/// The busy bit of a TSS descriptor.
Fault set_busy(Core& core, u16 selector, bool busy) {
    auto const at = descriptor_address(core, selector);
    if (!at) return fault::ts(selector_error(selector));
    u8 const type = TRY(load_system<u8>(core, *at + 5));
    return store_system<u8>(core, *at + 5, static_cast<u8>(busy ? type | 2 : type & ~2));
}

Fault load_ldt(Core& core, u16 selector) {
    core.cpu.seg[LDTR] = {selector, 0, 0, 0};
    if (is_null(selector)) return no_fault;
    if (selector & 4) return fault::ts(selector_error(selector));
    Descriptor const d = TRY(read_descriptor(core, selector, Vector::TS));
    if (d.code_or_data() || d.type() != 2 || !d.present()) return fault::ts(selector_error(selector));
    core.cpu.seg[LDTR] = segment_of(selector, d);
    return no_fault;
}

/// The new task's segments; any fault from here on belongs to the new task.
Fault load_segments(Core& core, Image const& image) {
    TRY(load_ldt(core, image.ldt));
    if (core.v86()) {
        for (unsigned n = 0; n < 6; ++n) load_segment_real(core, n, image.seg[n]);
        core.cpu.cpl = 3;
        mode_changed(core);
        return no_fault;
    }
    u16 const cs = image.seg[CS];
    if (is_null(cs)) return fault::ts(selector_error(cs));
    Descriptor d = TRY(read_descriptor(core, cs, Vector::TS));
    unsigned const rpl = cs & 3;
    if (!d.code() || (d.conforming() ? d.dpl() > rpl : d.dpl() != rpl)) return fault::ts(selector_error(cs));
    if (!d.present()) return fault::np(selector_error(cs));
    TRY(mark_accessed(core, cs, d));
    core.cpu.cpl = static_cast<u8>(rpl);
    core.cpu.seg[SS] = TRY(stack_segment(core, image.seg[SS], rpl, Vector::TS));
    set_code_segment(core, segment_of(cs, d), rpl);
    for (unsigned const n : {ES, DS, FS, GS}) {
        Fault const f = load_segment(core, n, image.seg[n]);
        if (f.raised()) return f.vector == Vector::GP ? fault::ts(f.error) : f;
    }
    return no_fault;
}

}  // namespace

Result<InnerStack> inner_stack(Core& core, unsigned cpl) {
    Segment const& tr = core.cpu.seg[TR];
    bool const wide = is_tss32(tr.type());
    unsigned const at = (wide ? layout32 : layout16).esp0 + cpl * (wide ? 8 : 4);
    if (!tr.present() || at + (wide ? 5 : 3) > tr.limit) return fault::ts(selector_error(tr.selector));
    u64 const sp = TRY(read_slot(core, tr.base + at, wide));
    u16 const ss = TRY(load_system<u16>(core, tr.base + at + (wide ? 4 : 2)));
    return InnerStack{ss, sp};
}

/// Steps of APM volume 2, 12.3: check the new TSS, save the old task, mark busy bits and link, load the new task, then its segments.
Fault switch_task(Core& core, u16 selector, TaskSwitch reason, std::optional<u32> error) {
    u32 const err = selector_error(selector);
    bool const from_gate = reason == TaskSwitch::gate;
    Vector const bad = reason == TaskSwitch::iret ? Vector::TS : Vector::GP;
    if (is_null(selector) || (selector & 4)) return raise(bad, err);
    Descriptor const d = TRY(read_descriptor(core, selector, bad));
    bool const returning = reason == TaskSwitch::iret;
    bool const available = (d.type() & ~8u) == 1, busy = (d.type() & ~8u) == 3;
    if (d.code_or_data() || !(returning ? busy : available)) return raise(bad, err);
    if (!d.present()) return fault::np(err);
    bool const wide = is_tss32(d.type());
    if (d.limit() < layout_of(d.type()).size) return fault::ts(err);

    Image const image = TRY(read_image(core, d.base(), wide));
    u64 const old_flags = core.rflags() & (returning ? ~rflags::NT : ~u64{0});
    TRY(save_state(core, old_flags));
    u16 const old_selector = core.cpu.seg[TR].selector;
    if (reason == TaskSwitch::jump || returning) TRY(set_busy(core, old_selector, false));
    bool const nested = reason == TaskSwitch::call || from_gate;
    if (nested) TRY(store_system<u16>(core, d.base(), old_selector));
    if (!returning) TRY(set_busy(core, selector, true));

    core.cpu.seg[TR] = segment_of(selector, d);
    core.cpu.seg[TR].attr |= 2;
    core.cpu.cr0 |= cr0::TS;
    core.set_rflags((image.flags & (wide ? 0x3f7fd7 : 0x7fd7)) | rflags::fixed | (nested ? rflags::NT : 0));
    for (unsigned i = 0; i < 8; ++i) core.cpu.gpr[i] = image.gpr[i];
    core.next_rip = image.ip;
    core.cpu.rip = image.ip;
    core.cpu.dr7 &= ~u64{0x155};  // local breakpoints end with the task
    mode_changed(core);
    if (wide && (core.cpu.cr0 & cr0::PG) && image.cr3 != core.cpu.cr3) {
        if (core.cpu.cr4 & cr4::PAE) TRY(load_directory_pointers(core, image.cr3));
        core.cpu.cr3 = image.cr3;
        flush_translations(core);
    }
    TRY(load_segments(core, image));
    if (core.next_rip > core.cpu.seg[CS].limit) return fault::gp();
    if (error) {
        bool const wide_stack = wide;
        unsigned const bytes = wide_stack ? 4 : 2;
        u64 const mask = core.cpu.seg[SS].big() ? 0xffffffff : 0xffff;
        u64 const to = (core.cpu.gpr[RSP] - bytes) & mask;
        u64 const linear = TRY(linear_address(core, SS, to, bytes, AccessType::write));
        TRY(write_slot(core, linear, wide_stack, *error));
        core.cpu.gpr[RSP] = (core.cpu.gpr[RSP] & ~mask) | to;
    }
    if (image.trap) core.cpu.pending_debug |= debug::dr6::BT;
    return no_fault;
}

}  // namespace ramet
