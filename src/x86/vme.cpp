#include "x86/vme.h"

namespace ramet::vme {

InterruptFlag interrupt_flag(const Core& core) {
    if (core.real_mode() || core.cpu.cpl <= core.iopl()) return InterruptFlag::real;
    if (core.v86()) return core.cpu.cr4 & cr4::VME ? InterruptFlag::virtual_flag : InterruptFlag::none;
    return core.cpu.cpl == 3 && (core.cpu.cr4 & cr4::PVI) ? InterruptFlag::virtual_flag : InterruptFlag::none;
}

u16 flags_image(const Core& core) {
    u64 const interrupts = core.cpu.rflags & rflags::VIF ? rflags::IF : 0;
    return static_cast<u16>((core.rflags() & ~rflags::IF) | rflags::IOPL | interrupts);
}

Fault load_flags(Core& core, u16 image) {
    if ((image & rflags::TF) || ((image & rflags::IF) && (core.cpu.rflags & rflags::VIP))) return fault::gp();
    constexpr u64 change = Flags::all | rflags::DF | rflags::NT;
    u64 const kept = core.rflags() & ~(change | rflags::VIF | rflags::TF | rflags::RF);
    core.set_rflags(kept | (image & change) | (image & rflags::IF ? rflags::VIF : 0) | rflags::fixed);
    mode_changed(core);
    return no_fault;
}

Result<bool> redirects(Core& core, u8 vector) {
    constexpr u32 map_pointer = 0x66, map_bytes = 32;
    if (!(core.cpu.cr4 & cr4::VME)) return false;
    Segment const& tr = core.cpu.seg[TR];
    bool const tss32 = tr.present() && (tr.type() | 2) == 11;
    if (!tss32 || tr.limit < map_pointer + 1) return fault::gp();
    u32 const at = TRY(load_system<u16>(core, tr.base + map_pointer)) - map_bytes + vector / 8u;
    if (at > tr.limit) return fault::gp();
    u8 const bits = TRY(load_system<u8>(core, tr.base + at));
    return (bits >> (vector & 7) & 1) == 0;
}

}  // namespace ramet::vme
