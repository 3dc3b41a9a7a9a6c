// IN and OUT. Permission: CPL <= IOPL, else the I/O map of the task state segment (APM volume 2, 12.2.4).
#include "x86/debug.h"
#include "x86/exec/special.h"
#include "x86/exec/stack.h"

namespace ramet::exec {

Fault check_port(Core& core, u16 port, unsigned size) {
    if (core.real_mode() || (!core.v86() && core.cpu.cpl <= core.iopl())) return no_fault;
    Segment const& tr = core.cpu.seg[TR];
    bool const tss32 = tr.present() && (tr.type() | 2) == 11;
    if (!tss32 || tr.limit < 0x67) return fault::gp();
    u16 const map = TRY(load_system<u16>(core, tr.base + 0x66));
    u32 const at = map + port / 8u;
    if (at + 1 > tr.limit) return fault::gp();
    u16 const bits = TRY(load_system<u16>(core, tr.base + at));
    return (bits >> (port & 7) & ((1u << size) - 1)) != 0 ? fault::gp() : no_fault;
}

namespace {

template <Word T>
Fault in(Core& core, u16 port) {
    constexpr unsigned size = sizeof(T) > 4 ? 4 : sizeof(T);
    TRY(check_port(core, port, size));
    core.bus_touched = core.leave = true;
    u32 const value = core.bus->port_read(port, size, core.now());
    if constexpr (sizeof(T) <= 2) core.set_gpr<T>(RAX, static_cast<T>(value));
    else core.set_gpr<u32>(RAX, value);
    debug::note_port(core.cpu, port, size);
    return no_fault;
}
template <Word T>
Fault out(Core& core, u16 port) {
    constexpr unsigned size = sizeof(T) > 4 ? 4 : sizeof(T);
    TRY(check_port(core, port, size));
    core.bus_touched = core.leave = true;
    core.bus->port_write(port, size, static_cast<u32>(core.cpu.gpr[RAX] & ((u64{1} << (8 * size)) - 1)), core.now());
    debug::note_port(core.cpu, port, size);
    return no_fault;
}

}  // namespace

template <Word T>
Fault in_immediate(Core& core, const Insn& insn) {
    return in<T>(core, static_cast<u8>(insn.immediate));
}
template <Word T>
Fault in_dx(Core& core, const Insn&) {
    return in<T>(core, core.gpr<u16>(RDX));
}
template <Word T>
Fault out_immediate(Core& core, const Insn& insn) {
    return out<T>(core, static_cast<u8>(insn.immediate));
}
template <Word T>
Fault out_dx(Core& core, const Insn&) {
    return out<T>(core, core.gpr<u16>(RDX));
}

INSTANTIATE(in_immediate)
INSTANTIATE(in_dx)
INSTANTIATE(out_immediate)
INSTANTIATE(out_dx)

}  // namespace ramet::exec
