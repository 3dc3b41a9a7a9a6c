// Decimal adjustment (APM volume 3, DAA, DAS, AAA, AAS, AAM, AAD). Undefined flags: AAA and AAS set SF, ZF, PF from AL and clear OF;
// DAA and DAS clear OF; AAM and AAD clear OF, AF and CF.
#include "x86/exec/special.h"
#include "x86/access.h"

namespace ramet::exec {

namespace {

Fault finish(Core& core, u8 al, bool carry, bool adjust) {
    core.set_gpr<u8>(RAX, al);
    core.set_flags(Flags{}.szp<u8>(al).c(carry).a(adjust));
    return no_fault;
}

void set_ax(Core& core, u8 al, u8 ah) { core.set_gpr<u16>(RAX, static_cast<u16>(al | ah << 8)); }

}  // namespace

Fault daa(Core& core, const Insn&) {
    u8 const al = core.gpr<u8>(RAX);
    Flags const in = core.flags();
    bool const low = (al & 15) > 9 || in.a(), high = al > 0x99 || in.c();
    return finish(core, static_cast<u8>(al + (low ? 6 : 0) + (high ? 0x60 : 0)), high, low);
}
Fault das(Core& core, const Insn&) {
    u8 const al = core.gpr<u8>(RAX);
    Flags const in = core.flags();
    bool const low = (al & 15) > 9 || in.a(), high = al > 0x99 || in.c();
    bool const borrow = low && al < 6;
    return finish(core, static_cast<u8>(al - (low ? 6 : 0) - (high ? 0x60 : 0)), high || borrow, low);
}
Fault aaa(Core& core, const Insn&) {
    u16 ax = core.gpr<u16>(RAX);
    bool const adjust = (ax & 15) > 9 || core.flags().a();
    if (adjust) ax = static_cast<u16>(ax + 0x106);
    set_ax(core, ax & 15, static_cast<u8>(ax >> 8));
    core.set_flags(Flags{}.szp<u8>(ax & 15).c(adjust).a(adjust));
    return no_fault;
}
Fault aas(Core& core, const Insn&) {
    u16 ax = core.gpr<u16>(RAX);
    bool const adjust = (ax & 15) > 9 || core.flags().a();
    if (adjust) ax = static_cast<u16>(ax - 0x106);
    set_ax(core, ax & 15, static_cast<u8>(ax >> 8));
    core.set_flags(Flags{}.szp<u8>(ax & 15).c(adjust).a(adjust));
    return no_fault;
}
Fault aam(Core& core, const Insn& insn) {
    u8 const base = static_cast<u8>(insn.immediate), al = core.gpr<u8>(RAX);
    if (base == 0) return fault::de();
    set_ax(core, al % base, al / base);
    core.set_flags(Flags{}.szp<u8>(al % base));
    return no_fault;
}
Fault aad(Core& core, const Insn& insn) {
    u16 const ax = core.gpr<u16>(RAX);
    u8 const r = static_cast<u8>((ax & 0xff) + (ax >> 8) * insn.immediate);
    set_ax(core, r, 0);
    core.set_flags(Flags{}.szp<u8>(r));
    return no_fault;
}

}  // namespace ramet::exec
