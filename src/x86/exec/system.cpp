// Control and debug registers, model-specific registers, time, system calls, processor identification.
// Each checks first and changes state after the last check. MSRs: x86/msr.cpp; CPUID: x86/cpuid.cpp.
#include "x86/cpuid.h"
#include "x86/debug.h"
#include "x86/exec/special.h"
#include "x86/exec/stack.h"
#include "x86/msr.h"
#include "x86/segment.h"

namespace ramet::exec {

namespace {

Fault supervisor(const Core& core) { return core.cpu.cpl != 0 ? fault::gp() : no_fault; }

u64 read_wide(const Core& core, unsigned n) { return core.code64() ? core.cpu.gpr[n] : core.cpu.gpr[n] & 0xffffffff; }

constexpr u64 cr0_known = cr0::PE | cr0::MP | cr0::EM | cr0::TS | cr0::ET | cr0::NE | cr0::WP | cr0::AM | cr0::NW | cr0::CD | cr0::PG;
constexpr u64 cr0_paging = cr0::PG | cr0::WP | cr0::PE;
constexpr u64 cr4_paging = cr4::PSE | cr4::PAE | cr4::PGE | cr4::PCIDE | cr4::SMEP | cr4::SMAP;

/// Long mode becomes active or inactive with paging.
Fault write_cr0(Core& core, u64 value) {
    if (core.long_mode() && (value >> 32)) return fault::gp();
    value = (value & cr0_known) | cr0::ET;
    if ((value & cr0::PG) && !(value & cr0::PE)) return fault::gp();
    if ((value & cr0::NW) && !(value & cr0::CD)) return fault::gp();
    bool const enabling = (value & cr0::PG) && !(core.cpu.cr0 & cr0::PG), disabling = !(value & cr0::PG) && (core.cpu.cr0 & cr0::PG);
    if (enabling && (core.cpu.efer & efer::LME)) {
        if (!(core.cpu.cr4 & cr4::PAE) || core.cpu.seg[CS].long_mode()) return fault::gp();
        core.cpu.efer |= efer::LMA;
    }
    if (disabling) {
        if (core.code64()) return fault::gp();
        core.cpu.efer &= ~efer::LMA;
    }
    bool const paging = ((value ^ core.cpu.cr0) & cr0_paging) != 0;
    core.cpu.cr0 = value;
    if (paging) flush_translations(core);
    mode_changed(core);
    return no_fault;
}

Fault write_cr3(Core& core, u64 value) {
    value &= ~(u64{1} << 63);  // "keep this PCID's translations": there is nothing to drop anyway
    if (core.long_mode() && value >> physical_address_bits != 0) return fault::gp();
    if (value == core.cpu.cr3) return no_fault;
    core.cpu.cr3 = value;
    core.caches->tlb.flush();
    core.caches->paging.forget_fetch();
    core.caches->jumps.forget();
    return no_fault;
}

Fault write_cr4(Core& core, u64 value) {
    if (value & ~cpuid::allowed_cr4(core)) return fault::gp();
    if (core.long_mode() && !(value & cr4::PAE)) return fault::gp();
    if ((value & cr4::PCIDE) && !(core.cpu.cr4 & cr4::PCIDE) && (!core.long_mode() || (core.cpu.cr3 & 0xfff))) return fault::gp();
    bool const paging = ((value ^ core.cpu.cr4) & cr4_paging) != 0;
    core.cpu.cr4 = value;
    if (paging) flush_translations(core);
    mode_changed(core);
    return no_fault;
}

}  // namespace

/// The ModRM byte always names a register, whatever its mod says.
Fault mov_from_control(Core& core, const Insn& insn) {
    TRY(supervisor(core));
    u64 value = 0;
    switch (insn.reg()) {
    case 0: value = core.cpu.cr0; break;
    case 2: value = core.cpu.cr2; break;
    case 3: value = core.cpu.cr3; break;
    case 4: value = core.cpu.cr4; break;
    case 8: value = core.bus->task_priority(); break;
    default: return fault::ud();
    }
    core.cpu.gpr[insn.rm()] = core.code64() ? value : value & 0xffffffff;
    return no_fault;
}

Fault mov_to_control(Core& core, const Insn& insn) {
    TRY(supervisor(core));
    u64 const value = read_wide(core, insn.rm());
    switch (insn.reg()) {
    case 0: return write_cr0(core, value);
    case 2: core.cpu.cr2 = value; return no_fault;
    case 3: return write_cr3(core, value);
    case 4: return write_cr4(core, value);
    case 8:
        if (value >> 4) return fault::gp();
        core.bus_touched = core.leave = true;
        core.bus->set_task_priority(static_cast<u8>(value), core.now());
        return no_fault;
    default: return fault::ud();
    }
}

namespace {

/// DR4 and DR5 are DR6 and DR7 unless CR4.DE forbids them; any access traps while DR7.GD is set.
Result<unsigned> debug_register(Core& core, unsigned n) {
    if (n > 7 || ((n == 4 || n == 5) && (core.cpu.cr4 & cr4::DE))) return fault::ud();
    TRY(supervisor(core));
    if (core.cpu.dr7 & debug::dr7::GD) {
        core.cpu.dr6 |= debug::dr6::BD;
        return raise(Vector::DB);
    }
    return n == 4 || n == 5 ? n + 2 : n;
}

}  // namespace

Fault mov_from_debug(Core& core, const Insn& insn) {
    unsigned const n = TRY(debug_register(core, insn.reg()));
    u64 const value = n < 4 ? core.cpu.dr[n] : n == 6 ? core.cpu.dr6 : core.cpu.dr7;
    core.cpu.gpr[insn.rm()] = core.code64() ? value : value & 0xffffffff;
    return no_fault;
}
Fault mov_to_debug(Core& core, const Insn& insn) {
    unsigned const n = TRY(debug_register(core, insn.reg()));
    u64 const value = read_wide(core, insn.rm());
    if (n >= 6 && (value >> 32)) return fault::gp();
    if (n < 4) core.cpu.dr[n] = value;
    else if (n == 6) core.cpu.dr6 = (value & 0xe00f) | 0xffff0ff0;
    else core.cpu.dr7 = (value & 0xffff2fff) | 0x400;
    mode_changed(core);
    return no_fault;
}

Fault clts(Core& core, const Insn&) {
    TRY(supervisor(core));
    core.cpu.cr0 &= ~cr0::TS;
    mode_changed(core);
    return no_fault;
}
/// Sets PE but cannot clear it; changes MP, EM and TS.
Fault lmsw(Core& core, const Insn& insn) {
    TRY(supervisor(core));
    u64 const value = TRY(read_rm<u16>(core, insn)) & 15u;
    return write_cr0(core, (core.cpu.cr0 & ~u64{14}) | value);
}

/// Translations are always as the tables say, so there is nothing to invalidate.
Fault invlpg(Core& core, const Insn&) { return supervisor(core); }
Fault wbinvd(Core& core, const Insn&) { return supervisor(core); }
Fault clflush(Core& core, const Insn& insn) {
    TRY(read_memory<u8>(core, insn));
    return no_fault;
}

Fault hlt(Core& core, const Insn&) {
    TRY(supervisor(core));
    core.cpu.activity = Activity::halted;
    core.halted = core.leave = true;
    return no_fault;
}

Fault cli(Core& core, const Insn&) {
    if (core.protected_mode() && (core.v86() ? core.iopl() < 3 : core.cpu.cpl > core.iopl())) return fault::gp();
    core.cpu.rflags &= ~rflags::IF;
    return no_fault;
}
Fault sti(Core& core, const Insn&) {
    if (core.protected_mode() && (core.v86() ? core.iopl() < 3 : core.cpu.cpl > core.iopl())) return fault::gp();
    if (!(core.cpu.rflags & rflags::IF)) core.cpu.interrupt_shadow = true;
    core.cpu.rflags |= rflags::IF;
    return no_fault;
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

Fault cpuid(Core& core, const Insn&) {
    auto const leaf = cpuid::query(core, core.gpr<u32>(RAX), core.gpr<u32>(RCX));
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
/// No performance counters are modelled: every index is invalid.
Fault rdpmc(Core&, const Insn&) { return fault::gp(); }

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
