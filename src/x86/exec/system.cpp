// Model-specific registers, time, interrupt flag, system calls, processor identification.
// Each checks first and changes state after the last check. MSRs: x86/msr.cpp; CPUID: x86/cpuid.cpp.
#include "x86/cpuid.h"
#include "x86/debug.h"
#include "x86/exec/special.h"
#include "x86/exec/stack.h"
#include "x86/msr.h"
#include "x86/segment.h"
#include "x86/vme.h"

namespace ramet::exec {

Fault cli(Core& core, const Insn&) {
    switch (vme::interrupt_flag(core)) {
    case vme::InterruptFlag::real: core.cpu.rflags &= ~rflags::IF; return no_fault;
    case vme::InterruptFlag::virtual_flag: core.cpu.rflags &= ~rflags::VIF; return no_fault;
    case vme::InterruptFlag::none: break;
    }
    return fault::gp();
}
Fault sti(Core& core, const Insn&) {
    switch (vme::interrupt_flag(core)) {
    case vme::InterruptFlag::real:
        if (!(core.cpu.rflags & rflags::IF)) core.cpu.shadow = Shadow::sti;
        core.cpu.rflags |= rflags::IF;
        return no_fault;
    case vme::InterruptFlag::virtual_flag:
        if (core.cpu.rflags & rflags::VIP) return fault::gp();
        core.cpu.rflags |= rflags::VIF;
        return no_fault;
    case vme::InterruptFlag::none: break;
    }
    return fault::gp();
}

Fault clac(Core& core, const Insn&) {
    if (!cpuid::has_smap(core) || core.cpu.cpl != 0) return fault::ud();
    core.cpu.rflags &= ~rflags::AC;
    mode_changed(core);
    return no_fault;
}
Fault stac(Core& core, const Insn&) {
    if (!cpuid::has_smap(core) || core.cpu.cpl != 0) return fault::ud();
    core.cpu.rflags |= rflags::AC;
    mode_changed(core);
    return no_fault;
}

namespace {

/// The feature bit of the local APIC goes with the enable bit in its base register.
bool hides_apic(const Core& core, u32 leaf) {
    constexpr u32 IA32_APIC_BASE = 0x1b;
    constexpr u64 enabled = 0x800;
    return (leaf == 1 || leaf == 0x80000001) && !(core.bus->msr_read(IA32_APIC_BASE, core.now()).value_or(0) & enabled);
}

}  // namespace

Fault cpuid(Core& core, const Insn&) {
    constexpr u32 apic = 1 << 9;
    auto leaf = cpuid::query(core, core.gpr<u32>(RAX), core.gpr<u32>(RCX));
    if (hides_apic(core, core.gpr<u32>(RAX))) leaf.edx &= ~apic;
    core.cpu.gpr[RAX] = leaf.eax;
    core.cpu.gpr[RBX] = leaf.ebx;
    core.cpu.gpr[RCX] = leaf.ecx;
    core.cpu.gpr[RDX] = leaf.edx;
    return no_fault;
}

namespace {

void set_edx_eax(Core& core, u64 value) {
    core.cpu.gpr[RAX] = value & 0xffffffff;
    core.cpu.gpr[RDX] = value >> 32;
}
u64 edx_eax(const Core& core) { return u64{core.gpr<u32>(RDX)} << 32 | core.gpr<u32>(RAX); }
Fault time_stamp_allowed(const Core& core) { return (core.cpu.cr4 & cr4::TSD) && core.cpu.cpl != 0 ? fault::gp() : no_fault; }

}  // namespace

Fault rdtsc(Core& core, const Insn&) {
    TRY(time_stamp_allowed(core));
    set_edx_eax(core, core.now().value + core.cpu.tsc_offset);
    return no_fault;
}
Fault rdtscp(Core& core, const Insn&) {
    if (!cpuid::has_rdtscp(core)) return fault::ud();
    TRY(time_stamp_allowed(core));
    set_edx_eax(core, core.now().value + core.cpu.tsc_offset);
    core.cpu.gpr[RCX] = core.cpu.tsc_aux & 0xffffffff;
    return no_fault;
}
/// The counters that are there count nothing.
Fault rdpmc(Core& core, const Insn&) {
    if (core.cpu.cpl != 0 && !(core.cpu.cr4 & cr4::PCE)) return fault::gp();
    if (core.gpr<u32>(RCX) >= msr::performance_counters) return fault::gp();
    set_edx_eax(core, 0);
    return no_fault;
}

Fault rdmsr(Core& core, const Insn&) {
    TRY(supervisor(core));
    set_edx_eax(core, TRY(msr::read(core, core.gpr<u32>(RCX))));
    return no_fault;
}
Fault wrmsr(Core& core, const Insn&) {
    TRY(supervisor(core));
    return msr::write(core, core.gpr<u32>(RCX), edx_eax(core));
}

Fault xgetbv(Core& core, const Insn&) {
    if (!(core.cpu.cr4 & cr4::OSXSAVE)) return fault::ud();
    if (core.gpr<u32>(RCX) != 0) return fault::gp();
    set_edx_eax(core, core.cpu.xcr0);
    return no_fault;
}
Fault xsetbv(Core& core, const Insn&) {
    if (!(core.cpu.cr4 & cr4::OSXSAVE)) return fault::ud();
    TRY(supervisor(core));
    u64 const value = edx_eax(core);
    if (core.gpr<u32>(RCX) != 0 || !(value & 1) || (value & ~u64{3})) return fault::gp();
    core.cpu.xcr0 = value;
    return no_fault;
}

Fault swapgs(Core& core, const Insn&) {
    TRY(supervisor(core));
    std::swap(core.cpu.seg[GS].base, core.cpu.kernel_gs_base);
    return no_fault;
}

namespace {

Fault base_instructions_allowed(const Core& core) { return core.cpu.cr4 & cr4::FSGSBASE ? no_fault : fault::ud(); }
Fault read_base(Core& core, const Insn& insn, unsigned segment) {
    TRY(base_instructions_allowed(core));
    u64 const base = core.cpu.seg[segment].base;
    core.cpu.gpr[insn.rm()] = insn.operand_size == 8 ? base : base & 0xffffffff;
    return no_fault;
}
Fault write_base(Core& core, const Insn& insn, unsigned segment) {
    TRY(base_instructions_allowed(core));
    u64 const value = insn.operand_size == 8 ? core.cpu.gpr[insn.rm()] : core.gpr<u32>(insn.rm());
    if (!is_canonical(value)) return fault::gp();
    core.cpu.seg[segment].base = value;
    mode_changed(core);
    return no_fault;
}

}  // namespace

Fault rdfsbase(Core& core, const Insn& insn) { return read_base(core, insn, FS); }
Fault rdgsbase(Core& core, const Insn& insn) { return read_base(core, insn, GS); }
Fault wrfsbase(Core& core, const Insn& insn) { return write_base(core, insn, FS); }
Fault wrgsbase(Core& core, const Insn& insn) { return write_base(core, insn, GS); }

namespace {

constexpr u16 attr_code64 = 0xafb, attr_code32 = 0xcfb, attr_data = 0xcf3, attr_code64_kernel = 0xa9b, attr_code32_kernel = 0xc9b, attr_data_kernel = 0xc93;

Segment flat(u16 selector, u16 attr) { return {selector, attr, 0xffffffff, 0}; }

}  // namespace

/// Flat segments are loaded without reading descriptors.
Fault syscall(Core& core, const Insn&) {
    if (!(core.cpu.efer & efer::SCE)) return fault::ud();
    u16 const cs = static_cast<u16>(core.cpu.star >> 32 & 0xfffc), ss = static_cast<u16>(cs + 8);
    if (core.long_mode()) {
        u64 const target = core.code64() ? core.cpu.lstar : core.cpu.cstar;
        core.cpu.gpr[RCX] = core.next_rip;
        core.cpu.gpr[R11] = core.rflags() & ~rflags::RF;
        core.set_rflags((core.rflags() & ~core.cpu.sfmask & ~rflags::RF) | rflags::fixed);
        core.cpu.seg[SS] = flat(ss, attr_data_kernel);
        set_code_segment(core, flat(cs, attr_code64_kernel), 0);
        core.next_rip = target;
        return no_fault;
    }
    core.cpu.gpr[RCX] = core.next_rip;
    core.cpu.rflags &= ~(rflags::IF | rflags::VM | rflags::RF);
    core.cpu.seg[SS] = flat(ss, attr_data_kernel);
    set_code_segment(core, flat(cs, attr_code32_kernel), 0);
    core.next_rip = core.cpu.star & 0xffffffff;
    return no_fault;
}

/// SS keeps its hidden part's base and limit on AMD; we load the flat one, which a 64-bit or flat user cannot tell apart.
Fault sysret(Core& core, const Insn& insn) {
    if (!(core.cpu.efer & efer::SCE) || core.real_mode()) return fault::ud();
    TRY(supervisor(core));
    u16 const base = static_cast<u16>(core.cpu.star >> 48);
    u16 const ss = static_cast<u16>((base + 8) | 3);
    if (core.long_mode()) {
        bool const to64 = insn.operand_size == 8;
        u64 const target = to64 ? core.cpu.gpr[RCX] : core.gpr<u32>(RCX);
        if (to64 && !is_canonical(target)) return fault::gp();
        constexpr u64 mask = 0x3c7fd7;
        core.set_rflags((core.cpu.gpr[R11] & mask) | rflags::fixed);
        core.cpu.seg[SS] = flat(ss, attr_data);
        set_code_segment(core, to64 ? flat(static_cast<u16>((base + 16) | 3), attr_code64) : flat(static_cast<u16>(base | 3), attr_code32), 3);
        core.next_rip = target;
        if (core.cpu.rflags & rflags::TF) core.cpu.pending_debug |= debug::dr6::BS;  // the user's first instruction is stepped before, see step.cpp
        return no_fault;
    }
    core.cpu.rflags |= rflags::IF;
    core.cpu.seg[SS] = flat(ss, attr_data);
    set_code_segment(core, flat(static_cast<u16>(base | 3), attr_code32), 3);
    core.next_rip = core.gpr<u32>(RCX);
    return no_fault;
}

/// AMD's processors have SYSENTER and SYSEXIT in legacy mode only.
Fault sysenter(Core& core, const Insn&) {
    if (core.long_mode()) return fault::ud();
    if (core.real_mode() || is_null(static_cast<u16>(core.cpu.sysenter_cs))) return fault::gp();
    u16 const cs = static_cast<u16>(core.cpu.sysenter_cs & 0xfffc);
    core.cpu.rflags &= ~(rflags::VM | rflags::IF | rflags::RF);
    core.cpu.seg[SS] = flat(static_cast<u16>(cs + 8), attr_data_kernel);
    core.cpu.gpr[RSP] = core.cpu.sysenter_esp & 0xffffffff;
    set_code_segment(core, flat(cs, attr_code32_kernel), 0);
    core.next_rip = core.cpu.sysenter_eip & 0xffffffff;
    return no_fault;
}
Fault sysexit(Core& core, const Insn&) {
    if (core.long_mode()) return fault::ud();
    if (core.real_mode() || is_null(static_cast<u16>(core.cpu.sysenter_cs))) return fault::gp();
    TRY(supervisor(core));
    u16 const cs = static_cast<u16>((core.cpu.sysenter_cs + 16) | 3);
    core.cpu.seg[SS] = flat(static_cast<u16>(cs + 8), attr_data);
    core.cpu.gpr[RSP] = core.gpr<u32>(RCX);
    u64 const target = core.gpr<u32>(RDX);
    set_code_segment(core, flat(cs, attr_code32), 3);
    core.next_rip = target;
    return no_fault;
}

}  // namespace ramet::exec
