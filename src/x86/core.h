// Core: the state the interpreter works on: the live Cpu, lazy flags, counters of the current run, and where the droppable caches are.
//
// Register operands of fast handlers are byte offsets from the start of this struct, so the layout of the first members is fixed.
#pragma once

#include <string>

#include "cow/memory.h"
#include "x86/bus.h"
#include "x86/caches.h"
#include "x86/cpu.h"
#include "x86/fault.h"
#include "x86/insn.h"
#include "x86/interpreter.h"
#include "x86/lazy_flags.h"

namespace ramet {

struct Block;

/// RFLAGS bits beyond the arithmetic six.
namespace rflags {
inline constexpr u64 fixed = 0x2, TF = 0x100, IF = 0x200, DF = 0x400, IOPL = 0x3000, NT = 0x4000, RF = 0x10000, VM = 0x20000, AC = 0x40000,
                     VIF = 0x80000, VIP = 0x100000, ID = 0x200000;
}
namespace cr0 {
inline constexpr u64 PE = 1, MP = 2, EM = 4, TS = 8, ET = 0x10, NE = 0x20, WP = 0x10000, AM = 0x40000, NW = 0x20000000, CD = 0x40000000, PG = 0x80000000;
}
namespace cr4 {
inline constexpr u64 VME = 1, PVI = 2, TSD = 4, DE = 8, PSE = 0x10, PAE = 0x20, MCE = 0x40, PGE = 0x80, PCE = 0x100, OSFXSR = 0x200, OSXMMEXCPT = 0x400,
                     UMIP = 0x800, FSGSBASE = 0x10000, PCIDE = 0x20000, OSXSAVE = 0x40000, SMEP = 0x100000, SMAP = 0x200000;
}
namespace efer {
inline constexpr u64 SCE = 1, LME = 0x100, LMA = 0x400, NXE = 0x800, FFXSR = 0x4000;
}

/// What a decoded block depends on besides its bytes. Any change goes through mode_changed().
namespace mode {
inline constexpr u32 code_size = 3;       ///< CodeSize
inline constexpr u32 stack32 = 1 << 2;    ///< SS.B outside 64-bit mode
inline constexpr u32 flat = 1 << 3;       ///< ES, SS, DS: base 0, limit 4 GiB, usable for any access
inline constexpr u32 flat_code = 1 << 4;  ///< CS: base 0, limit 4 GiB (or 64-bit)
inline constexpr u32 user = 1 << 5;       ///< CPL 3
inline constexpr u32 sse = 1 << 6;        ///< SSE may run, all exceptions masked
inline constexpr u32 slow = 1 << 7;       ///< alignment checks, single step, breakpoints or recorded branches: no fast handlers
}  // namespace mode

struct Core {
    u64 zero = 0;      // what an absent base or index register reads
    u64 rip_base = 0;  // RIP of the current page's first byte
    Cpu cpu;
    LazyFlags lazy;

    TlbEntry* tlb = nullptr;  // table of the current context
    u64 mode_key = 0;         // the mode word as the jump cache wants it
    u64 code_base = 0;        // linear address of RIP 0
    i64 budget = 0;           // cycles left when the fast handlers return
    u32 mode_word = 0;
    bool leave = false;       // set by whatever needs the dispatcher after this instruction
    bool bus_touched = false;
    bool halted = false;
    bool watches_data = false;  // a data breakpoint is armed: the TLB stays empty
    Context context = Context::system;
    i64 remaining = 0;        // cycles to the limit, counted before the current instruction; exact in every slow path
    u64 next_rip = 0;
    u64 extra = 0;            // cycles of this run beyond one per instruction
    Fault fault;              // raised by an op, when the fast handlers return
    const Block* cut = nullptr;  // the block that was too long for the budget
    u64 limit_cycles = 0;
    u64 retired_extra = 0;    // REP iterations beyond the first, this run

    Memory* memory = nullptr;
    Bus* bus = nullptr;
    Caches* caches = nullptr;
    bool model_v2 = true;
    u64 rng = 0;
    Clock clock;
    std::string report;

    template <Word T>
    T gpr(unsigned n) const {
        return static_cast<T>(cpu.gpr[n]);
    }
    /// 32-bit results are zero-extended, smaller ones leave the rest of the register.
    template <Word T>
    void set_gpr(unsigned n, T value) {
        if constexpr (sizeof(T) >= 4) cpu.gpr[n] = value;
        else cpu.gpr[n] = (cpu.gpr[n] & ~u64{static_cast<T>(~T{0})}) | value;
    }

    Flags flags() const { return lazy.get(); }
    void set_flags(Flags f) { lazy.set(f); }
    u64 rflags() const { return (cpu.rflags & ~u64{Flags::all}) | flags().bits; }
    void set_rflags(u64 value) {
        cpu.rflags = value & ~u64{Flags::all};
        lazy.set(Flags{static_cast<u32>(value) & Flags::all});
    }

    bool long_mode() const { return cpu.efer & efer::LMA; }
    bool code64() const { return (mode_word & mode::code_size) == 2; }
    bool protected_mode() const { return cpu.cr0 & cr0::PE; }
    bool v86() const { return cpu.rflags & rflags::VM; }
    bool real_mode() const { return !protected_mode(); }
    unsigned iopl() const { return cpu.rflags >> 12 & 3; }
    /// 16-bit code counts in EIP too: beyond FFFFh it meets its segment's limit, or goes on. Only jumps of 16 bits cut it.
    u64 ip_mask() const { return code64() ? ~u64{0} : 0xffffffff; }
    /// Width of the stack pointer in bytes.
    unsigned stack_size() const { return code64() ? 8 : mode_word & mode::stack32 ? 4 : 2; }

    Cycles now() const { return Cycles{limit_cycles - static_cast<u64>(remaining)}; }
};

/// Recomputes mode word, access context and TLB table after any change of CR0, CR4, EFER, RFLAGS, CPL, segments, MXCSR, DR7, DebugCtl.
void mode_changed(Core& core);
/// Drops everything derived from page tables.
void flush_translations(Core& core);

}  // namespace ramet
