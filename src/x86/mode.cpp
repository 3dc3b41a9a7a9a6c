// What the interpreter derives from the CPU's registers: the mode word, the access context and its TLB table; and the reset state.
#include "x86/core.h"
#include "x86/debug.h"
#include "x86/fpu/environment.h"

namespace ramet {

namespace {

constexpr u32 whole_space = 0xffffffff;

/// Base 0, limit 4 GiB, and no check could refuse an access.
bool is_flat(const Core& core, Segment const& s) {
    if (s.base != 0 || s.limit != whole_space) return false;
    if (core.real_mode() || core.v86()) return true;
    return s.present() && (s.attr & 0x1e) == 0x12;  // data, writable, not expand-down
}

u32 code_size(const Core& core) {
    Segment const& cs = core.cpu.seg[CS];
    if (core.long_mode() && cs.long_mode()) return 2;
    return cs.big() ? 1 : 0;
}

bool sse_runs_freely(const Cpu& cpu) {
    return (cpu.cr4 & cr4::OSFXSR) && !(cpu.cr0 & (cr0::EM | cr0::TS)) && (cpu.mxcsr & fpu::mxcsr::masks) == fpu::mxcsr::masks;
}

bool needs_exact_steps(const Cpu& cpu) {
    bool const alignment = cpu.cpl == 3 && (cpu.cr0 & cr0::AM) && (cpu.rflags & rflags::AC);
    return (cpu.rflags & rflags::TF) || (cpu.dr7 & debug::dr7::enabled) || (cpu.debugctl & debug::debugctl::LBR) || alignment;
}

Context context_of(const Cpu& cpu) {
    if (cpu.cpl == 3) return Context::user;
    return (cpu.cr4 & cr4::SMAP) && (cpu.rflags & rflags::AC) ? Context::system_on_user : Context::system;
}

}  // namespace

void mode_changed(Core& core) {
    Cpu const& cpu = core.cpu;
    u32 word = code_size(core);
    bool const wide = word == 2;
    if (!wide && cpu.seg[SS].big()) word |= mode::stack32;
    if (wide || (is_flat(core, cpu.seg[ES]) && is_flat(core, cpu.seg[SS]) && is_flat(core, cpu.seg[DS]))) word |= mode::flat;
    if (wide || (cpu.seg[CS].base == 0 && cpu.seg[CS].limit == whole_space)) word |= mode::flat_code;
    if (cpu.cpl == 3) word |= mode::user;
    if (sse_runs_freely(cpu)) word |= mode::sse;
    if (needs_exact_steps(cpu)) word |= mode::slow;
    if (cpu.rflags & rflags::RF) core.leave = true;  // the run loop clears it
    core.mode_word = word;
    core.mode_key = u64{word} << 48;
    core.context = context_of(cpu);
    core.tlb = core.caches->tlb.table(core.context);
    bool const watches = debug::watches_data(cpu);
    if (watches && !core.watches_data) core.caches->tlb.flush();
    core.watches_data = watches;
    // The jump cache knows instruction pointers, not linear addresses.
    u64 const code_base = wide ? 0 : cpu.seg[CS].base;
    if (code_base != core.code_base) core.caches->jumps.forget();
    core.code_base = code_base;
}

Cpu reset_cpu() {
    constexpr u16 data = 0x93, code = 0x9b, ldt = 0x82, tss = 0x8b;
    Cpu cpu;
    cpu.seg.fill({0, data, 0xffff, 0});
    cpu.seg[CS] = {0xf000, code, 0xffff, 0xffff0000};
    cpu.seg[LDTR].attr = ldt;
    cpu.seg[TR].attr = tss;
    cpu.gpr[RDX] = 0x00060fb1;  // family, model and stepping as CPUID tells them
    return cpu;
}

}  // namespace ramet
