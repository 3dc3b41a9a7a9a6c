// Control and debug registers, translations and caches, HLT. Each checks first and changes state after the last check.
#include <utility>

#include "x86/cpuid.h"
#include "x86/debug.h"
#include "x86/exec/special.h"
#include "x86/exec/stack.h"
#include "x86/paging.h"

namespace ramet::exec {

namespace {

u64 read_wide(const Core& core, unsigned n) { return core.code64() ? core.cpu.gpr[n] : core.cpu.gpr[n] & 0xffffffff; }

constexpr u64 cr0_known = cr0::PE | cr0::MP | cr0::EM | cr0::TS | cr0::ET | cr0::NE | cr0::WP | cr0::AM | cr0::NW | cr0::CD | cr0::PG;
constexpr u64 cr0_paging = cr0::PG | cr0::WP | cr0::PE;
constexpr u64 cr4_paging = cr4::PSE | cr4::PAE | cr4::PGE | cr4::PCIDE | cr4::SMEP | cr4::SMAP;
// Changes that make PAE paging load its directory pointers anew.
constexpr u64 cr0_pointers = cr0::CD | cr0::NW | cr0::PG;
constexpr u64 cr4_pointers = cr4::PAE | cr4::PGE | cr4::PSE | cr4::SMEP;

// Bit 63 of what is written to CR3 while CR4.PCIDE is set. Translations are always as the tables say: there is nothing to drop or to keep.
constexpr u64 keep_translations = u64{1} << 63;

bool pae_paging(u64 cr0, u64 cr4, u64 efer) { return (cr0 & cr0::PG) && (cr4 & cr4::PAE) && !(efer & efer::LMA); }

/// Long mode becomes active or inactive with paging.
Fault write_cr0(Core& core, u64 value) {
    if (core.long_mode() && (value >> 32)) return fault::gp();
    value = (value & cr0_known) | cr0::ET;
    if ((value & cr0::PG) && !(value & cr0::PE)) return fault::gp();
    if ((value & cr0::NW) && !(value & cr0::CD)) return fault::gp();
    u64 const changed = value ^ core.cpu.cr0;
    u64 efer = core.cpu.efer;
    if ((changed & cr0::PG) && (value & cr0::PG) && (efer & efer::LME)) {
        if (!(core.cpu.cr4 & cr4::PAE) || core.cpu.seg[CS].long_mode()) return fault::gp();
        efer |= efer::LMA;
    }
    if ((changed & cr0::PG) && !(value & cr0::PG)) {
        if (core.code64() || (core.cpu.cr4 & cr4::PCIDE)) return fault::gp();
        efer &= ~efer::LMA;
    }
    if ((changed & cr0_pointers) && pae_paging(value, core.cpu.cr4, efer)) TRY(load_directory_pointers(core, core.cpu.cr3));
    core.cpu.cr0 = value;
    core.cpu.efer = efer;
    if (changed & cr0_paging) flush_translations(core);
    mode_changed(core);
    return no_fault;
}

Fault write_cr3(Core& core, u64 value) {
    if (core.cpu.cr4 & cr4::PCIDE) value &= ~keep_translations;
    if (core.long_mode() && value >> physical_address_bits != 0) return fault::gp();
    if (pae_paging(core.cpu.cr0, core.cpu.cr4, core.cpu.efer)) {
        TRY(load_directory_pointers(core, value));
        core.cpu.cr3 = value;
        return no_fault;
    }
    if (value == core.cpu.cr3) return no_fault;
    switch_tables(core, value);
    return no_fault;
}

Fault write_cr4(Core& core, u64 value) {
    if (value & ~cpuid::allowed_cr4(core)) return fault::gp();
    if (core.long_mode() && !(value & cr4::PAE)) return fault::gp();
    if ((value & cr4::PCIDE) && !(core.cpu.cr4 & cr4::PCIDE) && (!core.long_mode() || (core.cpu.cr3 & 0xfff))) return fault::gp();
    u64 const changed = value ^ core.cpu.cr4;
    if ((changed & cr4_pointers) && pae_paging(core.cpu.cr0, value, core.cpu.efer)) TRY(load_directory_pointers(core, core.cpu.cr3));
    core.cpu.cr4 = value;
    if (changed & cr4_paging) flush_translations(core);
    mode_changed(core);
    return no_fault;
}

/// Numbers that no register has are #UD at any privilege level.
bool is_control_register(unsigned n) { return n == 0 || (n >= 2 && n <= 4) || n == 8; }

}  // namespace

/// The ModRM byte always names a register, whatever its mod says.
Fault mov_from_control(Core& core, const Insn& insn) {
    if (!is_control_register(insn.reg())) return fault::ud();
    TRY(supervisor(core));
    u64 value = 0;
    switch (insn.reg()) {
    case 0: value = core.cpu.cr0; break;
    case 2: value = core.cpu.cr2; break;
    case 3: value = core.cpu.cr3; break;
    case 4: value = core.cpu.cr4; break;
    default: value = core.bus->task_priority(); break;
    }
    core.cpu.gpr[insn.rm()] = core.code64() ? value : value & 0xffffffff;
    return no_fault;
}

Fault mov_to_control(Core& core, const Insn& insn) {
    if (!is_control_register(insn.reg())) return fault::ud();
    TRY(supervisor(core));
    u64 const value = read_wide(core, insn.rm());
    switch (insn.reg()) {
    case 0: return write_cr0(core, value);
    case 2: core.cpu.cr2 = value; return no_fault;
    case 3: return write_cr3(core, value);
    case 4: return write_cr4(core, value);
    default:
        if (value >> 4) return fault::gp();
        core.bus_touched = core.leave = true;
        core.bus->set_task_priority(static_cast<u8>(value), core.now());
        return no_fault;
    }
}

namespace {

/// DR4 and DR5 are DR6 and DR7 unless CR4.DE forbids them; any access is a #DB while DR7.GD is set, which takes what MOV SS held back with it.
Result<unsigned> debug_register(Core& core, unsigned n) {
    if (n > 7 || ((n == 4 || n == 5) && (core.cpu.cr4 & cr4::DE))) return fault::ud();
    TRY(supervisor(core));
    if (core.cpu.dr7 & debug::dr7::GD) {
        debug::report(core.cpu, debug::dr6::BD | std::exchange(core.cpu.pending_debug, 0));
        return Fault{Fault::Kind::fault, Vector::DB, false, debug::dr6::BD};  // no error code, but what tells this fault from the traps
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

/// The descriptor is PCID, reserved bits, linear address. Checked in the manual's order; then, as for INVLPG, nothing is left to do.
Fault invpcid(Core& core, const Insn& insn) {
    enum Type : u64 { address, context, all_with_global, all };
    TRY(supervisor(core));
    u64 const type = read_wide(core, insn.reg());
    if (type > all) return fault::gp();
    u64 const at = TRY(linear_address(core, insn.segment, effective_address(core, insn), sizeof(V128), AccessType::read));
    V128 const descriptor = TRY(load_linear<V128>(core, at, core.context));
    u64 const pcid = descriptor.lo & 0xfff;
    if (descriptor.lo >> 12) return fault::gp();
    if (type <= context && pcid != 0 && !(core.cpu.cr4 & cr4::PCIDE)) return fault::gp();
    if (type == address && !is_canonical(descriptor.hi)) return fault::gp();
    return no_fault;
}
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

}  // namespace ramet::exec
