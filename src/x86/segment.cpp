#include "x86/segment.h"

namespace ramet {

u32 Descriptor::limit() const {
    u32 const raw = (high & 0xf0000) | (low & 0xffff);
    return high & 0x800000 ? raw << 12 | 0xfff : raw;
}

Segment segment_of(u16 selector, Descriptor const& d) {
    u16 const attr = static_cast<u16>((d.high >> 8 & 0xff) | (d.high >> 20 & 15) << 8);
    return {selector, attr, d.limit(), d.base()};
}

std::optional<u64> descriptor_address(const Core& core, u16 selector, unsigned size) {
    u64 const last = (selector & 0xfff8u) + size - 1;
    if (!(selector & 4)) {
        if (last > core.cpu.gdtr.limit) return std::nullopt;
        return core.cpu.gdtr.base + (selector & 0xfff8u);
    }
    Segment const& ldt = core.cpu.seg[LDTR];
    if (!ldt.present() || last > ldt.limit) return std::nullopt;
    return ldt.base + (selector & 0xfff8u);
}

Result<Descriptor> read_descriptor(Core& core, u16 selector, Vector outside) {
    auto const at = descriptor_address(core, selector);
    if (!at) return raise(outside, selector_error(selector));
    u64 const raw = TRY(load_system<u64>(core, *at));
    return Descriptor{static_cast<u32>(raw), static_cast<u32>(raw >> 32), 0};
}

Result<Descriptor> read_system_descriptor(Core& core, u16 selector, Vector outside) {
    if (!core.long_mode()) return read_descriptor(core, selector, outside);
    auto const at = descriptor_address(core, selector, 16);
    if (!at) return raise(outside, selector_error(selector));
    u64 const low = TRY(load_system<u64>(core, *at));
    u64 const high = TRY(load_system<u64>(core, *at + 8));
    constexpr u64 type_of_second = 0x1f00'0000'0000;  // where the upper half would have a type: so that no other descriptor looks like it
    if (high & type_of_second) return raise(outside, selector_error(selector));
    return Descriptor{static_cast<u32>(low), static_cast<u32>(low >> 32), static_cast<u32>(high)};
}

Fault mark_accessed(Core& core, u16 selector, Descriptor& d) {
    if (d.high & 0x100) return no_fault;
    d.high |= 0x100;
    return store_system<u8>(core, *descriptor_address(core, selector) + 5, static_cast<u8>(d.high >> 8));
}

void load_segment_real(Core& core, unsigned segment, u16 selector) {
    Segment& s = core.cpu.seg[segment];
    s.selector = selector;
    s.base = u64{selector} << 4;
    if (core.v86()) {
        s.limit = 0xffff;
        s.attr = 0xf3;
    } else if (segment == CS) s.attr = 0x9b;
}

namespace {

Fault load_stack_segment(Core& core, u16 selector) {
    unsigned const cpl = core.cpu.cpl;
    if (is_null(selector)) {
        if (!core.code64() || cpl == 3 || (selector & 3u) != cpl) return fault::gp();
        core.cpu.seg[SS] = {selector, 0, 0, 0};
        return no_fault;
    }
    core.cpu.seg[SS] = TRY(stack_segment(core, selector, cpl, Vector::GP));
    return no_fault;
}

Fault load_data_segment(Core& core, unsigned segment, u16 selector) {
    Segment& s = core.cpu.seg[segment];
    if (is_null(selector)) {
        s = {selector, 0, 0, 0};  // base and limit become zero, as in AMD's processors since Zen 2
        return no_fault;
    }
    Descriptor d = TRY(read_descriptor(core, selector));
    u32 const error = selector_error(selector);
    if (!d.code_or_data() || !d.readable()) return fault::gp(error);
    unsigned const rpl = selector & 3;
    if (!d.conforming() && (rpl > d.dpl() || core.cpu.cpl > d.dpl())) return fault::gp(error);
    if (!d.present()) return fault::np(error);
    TRY(mark_accessed(core, selector, d));
    s = segment_of(selector, d);
    return no_fault;
}

}  // namespace

Result<Segment> stack_segment(Core& core, u16 selector, unsigned cpl, Vector vector) {
    u32 const error = selector_error(selector);
    if (is_null(selector)) return raise(vector, error);
    Descriptor d = TRY(read_descriptor(core, selector, vector));
    if ((selector & 3u) != cpl || !d.writable() || d.dpl() != cpl) return raise(vector, error);
    if (!d.present()) return fault::ss(error);
    TRY(mark_accessed(core, selector, d));
    return segment_of(selector, d);
}

Fault load_segment(Core& core, unsigned segment, u16 selector) {
    if (core.real_mode() || core.v86()) load_segment_real(core, segment, selector);
    else if (segment == SS) TRY(load_stack_segment(core, selector));
    else TRY(load_data_segment(core, segment, selector));
    mode_changed(core);
    return no_fault;
}

void set_code_segment(Core& core, Segment const& cs, unsigned cpl) {
    core.cpu.seg[CS] = cs;
    core.cpu.seg[CS].selector = static_cast<u16>((cs.selector & 0xfffc) | cpl);
    core.cpu.cpl = static_cast<u8>(cpl);
    mode_changed(core);
}

void drop_inner_segments(Core& core) {
    for (unsigned const n : {ES, DS, FS, GS}) {
        Segment& s = core.cpu.seg[n];
        bool const null = is_null(s.selector), conforming = (s.attr & 0x1c) == 0x1c;
        if (!null && (conforming || s.dpl() >= core.cpu.cpl)) continue;
        s = Segment{.base = s.base};  // the base of FS and GS is their base MSR's, and stays
    }
}

}  // namespace ramet
