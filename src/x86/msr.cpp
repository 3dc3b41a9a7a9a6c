#include "x86/msr.h"

#include "x86/access.h"
#include "x86/debug.h"

namespace ramet::msr {

namespace {

enum Index : u32 {
    TSC = 0x10, PATCH_LEVEL = 0x8b, MTRRcap = 0xfe, SYSENTER_CS = 0x174, SYSENTER_ESP = 0x175, SYSENTER_EIP = 0x176, MCG_CAP = 0x179, MCG_STATUS = 0x17a, MISC_ENABLE = 0x1a0,
    DebugCtl = 0x1d9, LastBranchFromIP = 0x1db, LastBranchToIP = 0x1dc, LastIntFromIP = 0x1dd, LastIntToIP = 0x1de,
    MTRRphysBase0 = 0x200, MTRRfix64K = 0x250, MTRRfix16K = 0x258, MTRRfix4K = 0x268, MTRRdefType = 0x2ff, PAT = 0x277, EFER = 0xc0000080, STAR = 0xc0000081, LSTAR = 0xc0000082, CSTAR = 0xc0000083, SFMASK = 0xc0000084, FS_BASE = 0xc0000100,
    GS_BASE = 0xc0000101, KERNEL_GS_BASE = 0xc0000102, TSC_AUX = 0xc0000103, PERF_CTL0 = 0xc0010000, PERF_CTR0 = 0xc0010004, HWCR = 0xc0010015,
    SYSCFG = 0xc0010010, NB_CFG = 0xc001001f, INT_PENDING = 0xc0010055, OSVW_ID_LENGTH = 0xc0010140, OSVW_STATUS = 0xc0010141, BU_CFG = 0xc0011023,
    LS_CFG = 0xc0011020, DC_CFG = 0xc0011022, IC_CFG = 0xc0011021, DE_CFG = 0xc0011029,
};

/// Registers of AMD's processors that system software probes: they read as zero, and what is written is ignored. MTRRs are among them, because
/// hypervisors and firmware use them without asking CPUID; that there are none, which MTRRcap says, is true.
bool ignored(u32 index) {
    if (index >= PERF_CTL0 && index < PERF_CTR0 + performance_counters) return true;
    if (index >= MTRRphysBase0 && index < MTRRphysBase0 + 16) return true;
    if (index >= MTRRfix4K && index < MTRRfix4K + 8) return true;
    switch (index) {
    case PATCH_LEVEL:
    case MTRRdefType:
    case MTRRfix64K:
    case MTRRfix16K:
    case MTRRfix16K + 1:
    case MCG_CAP:
    case MCG_STATUS:
    case HWCR:
    case SYSCFG:
    case NB_CFG:
    case INT_PENDING:
    case OSVW_ID_LENGTH:
    case OSVW_STATUS:
    case BU_CFG:
    case LS_CFG:
    case DC_CFG:
    case IC_CFG:
    case DE_CFG: return true;
    default: return false;
    }
}

/// PAT entries 2 and 3 and above 7 are reserved.
bool valid_pat(u64 value) {
    for (unsigned i = 0; i < 8; ++i) {
        u64 const type = value >> (8 * i) & 0xff;
        if (type > 7 || type == 2 || type == 3) return false;
    }
    return true;
}

Fault write_efer(Core& core, u64 value) {
    constexpr u64 known = efer::SCE | efer::LME | efer::NXE | efer::FFXSR;
    if (value & ~(known | efer::LMA)) return fault::gp();
    if ((core.cpu.cr0 & cr0::PG) && ((value ^ core.cpu.efer) & efer::LME)) return fault::gp();
    bool const nx = ((value ^ core.cpu.efer) & efer::NXE) != 0;
    core.cpu.efer = (value & known) | (core.cpu.efer & efer::LMA);
    if (nx) flush_translations(core);
    mode_changed(core);
    return no_fault;
}

/// An MSR of Intel's, as hypervisors give it to all: docs/decisions/0013.
Fault write_misc_enable(Core& core, u64 value) {
    constexpr u64 counters_available = 0x80, no_branch_trace = 0x800, no_sampling = 0x1000;
    u64 const changed = value ^ core.cpu.misc_enable;
    if (changed & (no_branch_trace | no_sampling)) return fault::gp();
    core.cpu.misc_enable = value ^ (changed & counters_available);
    return no_fault;
}

/// Reserved bits read as zero, but for one that must be (APM volume 2, figure 13-4).
Fault write_debugctl(Core& core, u64 value) {
    using namespace debug::debugctl;
    if (value & must_be_zero) return fault::gp();
    core.cpu.debugctl = value & (LBR | BTF | PB);
    mode_changed(core);
    return no_fault;
}

Fault write_address(u64& to, u64 value) {
    if (!is_canonical(value)) return fault::gp();
    to = value;
    return no_fault;
}

}  // namespace

Result<u64> read(Core& core, u32 index) {
    Cpu const& cpu = core.cpu;
    switch (index) {
    case TSC: return core.now().value + cpu.tsc_offset;
    case SYSENTER_CS: return cpu.sysenter_cs;
    case SYSENTER_ESP: return cpu.sysenter_esp;
    case SYSENTER_EIP: return cpu.sysenter_eip;
    case MISC_ENABLE: return cpu.misc_enable;
    case DebugCtl: return cpu.debugctl;
    case LastBranchFromIP: return cpu.last_branch.from;
    case LastBranchToIP: return cpu.last_branch.to;
    case LastIntFromIP: return cpu.last_interrupt.from;
    case LastIntToIP: return cpu.last_interrupt.to;
    case MTRRcap: return u64{0};
    case PAT: return cpu.pat;
    case EFER: return cpu.efer;
    case STAR: return cpu.star;
    case LSTAR: return cpu.lstar;
    case CSTAR: return cpu.cstar;
    case SFMASK: return cpu.sfmask;
    case FS_BASE: return cpu.seg[FS].base;
    case GS_BASE: return cpu.seg[GS].base;
    case KERNEL_GS_BASE: return cpu.kernel_gs_base;
    case TSC_AUX: return cpu.tsc_aux;
    default: break;
    }
    if (ignored(index)) return u64{0};
    core.bus_touched = core.leave = true;
    if (auto const value = core.bus->msr_read(index, core.now())) return *value;
    return fault::gp();
}

Fault write(Core& core, u32 index, u64 value) {
    Cpu& cpu = core.cpu;
    switch (index) {
    case TSC: cpu.tsc_offset = value - core.now().value; return no_fault;
    case SYSENTER_CS: cpu.sysenter_cs = value & 0xffff; return no_fault;
    case SYSENTER_ESP: cpu.sysenter_esp = value; return no_fault;
    case SYSENTER_EIP: cpu.sysenter_eip = value; return no_fault;
    case MISC_ENABLE: return write_misc_enable(core, value);
    case DebugCtl: return write_debugctl(core, value);
    case PAT:
        if (!valid_pat(value)) return fault::gp();
        cpu.pat = value;
        return no_fault;
    case EFER: return write_efer(core, value);
    case STAR: cpu.star = value; return no_fault;
    case LSTAR: return write_address(cpu.lstar, value);
    case CSTAR: return write_address(cpu.cstar, value);
    case SFMASK: cpu.sfmask = value & 0xffffffff; return no_fault;
    case FS_BASE: TRY(write_address(cpu.seg[FS].base, value)); return no_fault;
    case GS_BASE: TRY(write_address(cpu.seg[GS].base, value)); return no_fault;
    case KERNEL_GS_BASE: return write_address(cpu.kernel_gs_base, value);
    case TSC_AUX: cpu.tsc_aux = value & 0xffffffff; return no_fault;
    default: break;
    }
    if (ignored(index)) return no_fault;
    core.bus_touched = core.leave = true;
    return core.bus->msr_write(index, value, core.now()) ? no_fault : fault::gp();
}

}  // namespace ramet::msr
