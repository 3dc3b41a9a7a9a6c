// Instructions that load or inspect selectors. Probe then commit: a fault leaves every register.
#include "x86/segment.h"

#include <type_traits>

#include "x86/exec/special.h"
#include "x86/exec/stack.h"

namespace ramet::exec {

Fault mov_to_segment(Core& core, const Insn& insn) {
    unsigned const n = insn.reg() & 7;
    if (n > GS || n == CS) return fault::ud();
    u16 const selector = TRY(read_rm<u16>(core, insn));
    TRY(load_segment(core, n, selector));
    if (n == SS) core.cpu.shadow = Shadow::mov_ss;
    return no_fault;
}

template <Word T>
Fault load_far_pointer(Core& core, const Insn& insn) {
    unsigned n = DS;
    if (insn.id == isa::Id::LES_Gv_Mp) n = ES;
    if (insn.id == isa::Id::LSS_Gv_Mp) n = SS;
    if (insn.id == isa::Id::LFS_Gv_Mp) n = FS;
    if (insn.id == isa::Id::LGS_Gv_Mp) n = GS;
    using Offset = std::conditional_t<sizeof(T) == 8, u32, T>;  // REX.W loads no more than 32 bits (APM volume 3, LFS)
    u64 const at = effective_address(core, insn);
    Offset const offset = TRY(load<Offset>(core, insn.segment, at));
    u16 const selector = TRY(load<u16>(core, insn.segment, at + sizeof(Offset)));
    TRY(load_segment(core, n, selector));
    core.set_gpr<Offset>(insn.reg(), offset);
    return no_fault;
}
INSTANTIATE(load_far_pointer)

namespace {

/// The descriptor LAR, LSL, VERR and VERW may look at, or nullopt: ZF is cleared.
Result<std::optional<Descriptor>> visible(Core& core, u16 selector) {
    using Answer = std::optional<Descriptor>;
    if (is_null(selector) || !descriptor_address(core, selector)) return Answer{};
    Descriptor const d = TRY(read_descriptor(core, selector));
    bool const conforming = d.conforming();
    if (!conforming && (core.cpu.cpl > d.dpl() || (selector & 3u) > d.dpl())) return Answer{};
    return Answer{d};
}

bool lar_type(const Core& core, unsigned type) {
    if (core.long_mode()) return type == 2 || type == 9 || type == 11 || type == 12;
    return type != 0 && type != 6 && type != 7 && type != 8 && type != 10 && type != 13 && type != 14 && type != 15;
}
bool lsl_type(const Core& core, unsigned type) {
    if (core.long_mode()) return type == 2 || type == 9 || type == 11;
    return type == 1 || type == 2 || type == 3 || type == 9 || type == 11;
}
Fault not_real(const Core& core) { return core.real_mode() || core.v86() ? fault::ud() : no_fault; }

}  // namespace

template <Word T>
Fault lar(Core& core, const Insn& insn) {
    TRY(not_real(core));
    auto const d = TRY(visible(core, TRY(read_rm<u16>(core, insn))));
    bool const ok = d && (d->code_or_data() || lar_type(core, d->type()));
    if (ok) core.set_gpr<T>(insn.reg(), static_cast<T>(d->high & 0xffff00));
    core.set_flags(core.flags().z(ok));
    return no_fault;
}
template <Word T>
Fault lsl(Core& core, const Insn& insn) {
    TRY(not_real(core));
    auto const d = TRY(visible(core, TRY(read_rm<u16>(core, insn))));
    bool const ok = d && (d->code_or_data() || lsl_type(core, d->type()));
    if (ok) core.set_gpr<T>(insn.reg(), static_cast<T>(d->limit()));
    core.set_flags(core.flags().z(ok));
    return no_fault;
}
INSTANTIATE(lar)
INSTANTIATE(lsl)

Fault verr(Core& core, const Insn& insn) {
    TRY(not_real(core));
    auto const d = TRY(visible(core, TRY(read_rm<u16>(core, insn))));
    core.set_flags(core.flags().z(d && d->code_or_data() && d->readable()));
    return no_fault;
}
Fault verw(Core& core, const Insn& insn) {
    TRY(not_real(core));
    auto const d = TRY(visible(core, TRY(read_rm<u16>(core, insn))));
    core.set_flags(core.flags().z(d && d->writable()));
    return no_fault;
}
/// Writes only what changes.
Fault arpl(Core& core, const Insn& insn) {
    TRY(not_real(core));
    u16 const a = TRY(read_rm<u16>(core, insn));
    u16 const rpl = core.gpr<u16>(insn.reg()) & 3;
    bool const adjust = (a & 3) < rpl;
    if (adjust) TRY(write_rm<u16>(core, insn, static_cast<u16>((a & ~3) | rpl)));
    core.set_flags(core.flags().z(adjust));
    return no_fault;
}

template <Word T>
Fault bound(Core& core, const Insn& insn) {
    u64 const at = effective_address(core, insn);
    auto const low = static_cast<Signed<T>>(TRY(load<T>(core, insn.segment, at)));
    u64 const mask = insn.address_size == 2 ? 0xffff : 0xffffffff;
    auto const high = static_cast<Signed<T>>(TRY(load<T>(core, insn.segment, (at + sizeof(T)) & mask)));
    auto const index = static_cast<Signed<T>>(core.gpr<T>(insn.reg()));
    return index < low || index > high ? raise(Vector::BR) : no_fault;
}
INSTANTIATE(bound)

namespace {

Fault umip(const Core& core) { return (core.cpu.cr4 & cr4::UMIP) && core.cpu.cpl != 0 ? fault::gp() : no_fault; }

/// Register destinations take the operand size (zero-extended), memory 16 bits.
Fault write_selector(Core& core, const Insn& insn, u16 value) {
    if (insn.memory()) return write_memory<u16>(core, insn, value);
    if (insn.operand_size == 2) core.set_gpr<u16>(insn.rm(), value);
    else core.cpu.gpr[insn.rm()] = value;
    return no_fault;
}

}  // namespace

Fault sldt(Core& core, const Insn& insn) {
    TRY(not_real(core));
    TRY(umip(core));
    return write_selector(core, insn, core.cpu.seg[LDTR].selector);
}
Fault str(Core& core, const Insn& insn) {
    TRY(not_real(core));
    TRY(umip(core));
    return write_selector(core, insn, core.cpu.seg[TR].selector);
}
Fault smsw(Core& core, const Insn& insn) {
    TRY(umip(core));
    if (insn.memory() || insn.operand_size == 2) return write_selector(core, insn, static_cast<u16>(core.cpu.cr0));
    core.cpu.gpr[insn.rm()] = insn.operand_size == 8 ? core.cpu.cr0 : core.cpu.cr0 & 0xffffffff;
    return no_fault;
}
Fault lldt(Core& core, const Insn& insn) {
    TRY(not_real(core));
    TRY(supervisor(core));
    u16 const selector = TRY(read_rm<u16>(core, insn));
    if (is_null(selector)) {
        core.cpu.seg[LDTR] = {selector, 0, 0, 0};
        return no_fault;
    }
    if (selector & 4) return fault::gp(selector_error(selector));
    Descriptor const d = TRY(read_system_descriptor(core, selector));
    if (d.code_or_data() || d.type() != 2) return fault::gp(selector_error(selector));
    if (!d.present()) return fault::np(selector_error(selector));
    if (!is_canonical(d.base())) return fault::gp(selector_error(selector));
    core.cpu.seg[LDTR] = segment_of(selector, d);
    return no_fault;
}
Fault ltr(Core& core, const Insn& insn) {
    TRY(not_real(core));
    TRY(supervisor(core));
    u16 const selector = TRY(read_rm<u16>(core, insn));
    if (is_null(selector)) return fault::gp();
    if (selector & 4) return fault::gp(selector_error(selector));
    Descriptor d = TRY(read_system_descriptor(core, selector));
    bool const available = d.type() == 9 || (d.type() == 1 && !core.long_mode());
    if (d.code_or_data() || !available) return fault::gp(selector_error(selector));
    if (!d.present()) return fault::np(selector_error(selector));
    if (!is_canonical(d.base())) return fault::gp(selector_error(selector));
    d.high |= 0x200;  // busy
    TRY(store_system<u8>(core, *descriptor_address(core, selector) + 5, static_cast<u8>(d.high >> 8)));
    core.cpu.seg[TR] = segment_of(selector, d);
    return no_fault;
}

namespace {

/// The pseudo-descriptor: 2 bytes limit, then 4 (3 significant for 16-bit operands) or 8 bytes base.
Fault store_table(Core& core, const Insn& insn, TableRegister const& t) {
    TRY(umip(core));
    u64 const at = effective_address(core, insn);
    std::array<u8, 10> image;
    store_le<u16>(image.data(), t.limit);
    store_le<u64>(image.data() + 2, t.base);
    unsigned const size = core.code64() ? 10 : 6;
    u64 const linear = TRY(linear_address(core, insn.segment, at, size, AccessType::write));
    return write_linear(core, linear, image.data(), size, core.context);
}
Fault load_table(Core& core, const Insn& insn, TableRegister& t) {
    TRY(supervisor(core));
    u64 const at = effective_address(core, insn);
    std::array<u8, 10> image = {};
    unsigned const size = core.code64() ? 10 : 6;
    u64 const linear = TRY(linear_address(core, insn.segment, at, size, AccessType::read));
    TRY(read_linear(core, linear, image.data(), size, core.context));
    u64 const base = load_le<u64>(image.data() + 2);
    if (core.code64() && !is_canonical(base)) return fault::gp();
    t.limit = load_le<u16>(image.data());
    t.base = core.code64() ? base : insn.operand_size == 2 ? base & 0xffffff : base & 0xffffffff;
    return no_fault;
}

}  // namespace

Fault sgdt(Core& core, const Insn& insn) { return store_table(core, insn, core.cpu.gdtr); }
Fault sidt(Core& core, const Insn& insn) { return store_table(core, insn, core.cpu.idtr); }
Fault lgdt(Core& core, const Insn& insn) { return load_table(core, insn, core.cpu.gdtr); }
Fault lidt(Core& core, const Insn& insn) { return load_table(core, insn, core.cpu.idtr); }

}  // namespace ramet::exec
