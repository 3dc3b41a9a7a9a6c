// Cpu: every architectural register of one processor, as a plain value. Copying it forks it.
// Names are the manuals' (AMD64 Architecture Programmer's Manual, volumes 1 to 5). No caches, no pointers.
#pragma once

#include <array>

#include "base/fields.h"
#include "base/types.h"

namespace ramet {

enum Gpr : u8 { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };
enum SegmentName : u8 { ES, CS, SS, DS, FS, GS, LDTR, TR };

/// Visible selector and hidden descriptor. attr: descriptor bits 40..47 in bits 0..7 (type, S, DPL, P) and AVL, L, D/B, G
/// in bits 8..11. limit: in bytes, granularity applied.
struct Segment {
    u16 selector = 0;
    u16 attr = 0;
    u32 limit = 0;
    u64 base = 0;

    static constexpr void fields(auto& self, auto& visit) {
        visit("selector", self.selector);
        visit("attr", self.attr);
        visit("limit", self.limit);
        visit("base", self.base);
    }

    constexpr unsigned type() const { return attr & 15; }
    constexpr bool code_or_data() const { return attr & 0x10; }
    constexpr unsigned dpl() const { return attr >> 5 & 3; }
    constexpr bool present() const { return attr & 0x80; }
    constexpr bool long_mode() const { return attr & 0x200; }
    constexpr bool big() const { return attr & 0x400; }
};

/// GDTR and IDTR.
struct TableRegister {
    u64 base = 0;
    u16 limit = 0xffff;

    static constexpr void fields(auto& self, auto& visit) {
        visit("base", self.base);
        visit("limit", self.limit);
    }
};

/// 128 bits, little-endian.
struct alignas(16) V128 {
    u64 lo = 0;
    u64 hi = 0;

    friend constexpr bool operator==(const V128&, const V128&) = default;
    static constexpr void fields(auto& self, auto& visit) {
        visit("lo", self.lo);
        visit("hi", self.hi);
    }
};

/// An 80-bit x87 register: 64-bit significand with explicit integer bit, sign and exponent.
struct F80 {
    u64 significand = 0;
    u16 sign_exponent = 0;

    friend constexpr bool operator==(const F80&, const F80&) = default;
    static constexpr void fields(auto& self, auto& visit) {
        visit("significand", self.significand);
        visit("sign_exponent", self.sign_exponent);
    }
};

/// x87 and MMX state. `st` is indexed by physical register: ST(i) is st[(top + i) & 7]; MMi is st[i].significand.
struct X87 {
    std::array<F80, 8> st = {};
    u16 fcw = 0x0040;   // value after RESET; FNINIT gives 037F
    u16 fsw = 0;        // TOP in bits 11..13
    u8 ftw = 0xff;      // abridged as FXSAVE stores it, after RESET: 1 = register not empty
    u16 fop = 0;
    u64 fip = 0;
    u64 fdp = 0;
    u16 fcs = 0;
    u16 fds = 0;

    static constexpr void fields(auto& self, auto& visit) {
        visit("st", self.st);
        visit("fcw", self.fcw);
        visit("fsw", self.fsw);
        visit("ftw", self.ftw);
        visit("fop", self.fop);
        visit("fip", self.fip);
        visit("fdp", self.fdp);
        visit("fcs", self.fcs);
        visit("fds", self.fds);
    }

    constexpr unsigned top() const { return fsw >> 11 & 7; }
};

/// Where a control transfer came from and went to, as segment offsets.
struct Transfer {
    u64 from = 0;
    u64 to = 0;

    static constexpr void fields(auto& self, auto& visit) {
        visit("from", self.from);
        visit("to", self.to);
    }
};

/// What holds the CPU between instructions.
enum class Activity : u8 { running, halted, shutdown, wait_for_sipi };

/// What the last instruction holds back from the next one (SDM volume 3, 6.8.3): STI interrupts, MOV SS and POP SS data breakpoints as well.
enum class Shadow : u8 { none, sti, mov_ss };

struct Cpu {
    std::array<u64, 16> gpr = {};
    u64 rip = 0xfff0;
    u64 rflags = 2;
    std::array<Segment, 8> seg = {};
    TableRegister gdtr = {};
    TableRegister idtr = {};
    u64 cr0 = 0x60000010;
    u64 cr2 = 0;
    u64 cr3 = 0;
    u64 cr4 = 0;
    std::array<u64, 4> pdpte = {};  // page-directory-pointer entries of PAE paging, as last loaded
    u64 xcr0 = 1;
    std::array<u64, 4> dr = {};
    u64 dr6 = 0xffff0ff0;
    u64 dr7 = 0x400;
    u64 debugctl = 0;
    Transfer last_branch = {};     // LastBranchFromIP and LastBranchToIP
    Transfer last_interrupt = {};  // LastIntFromIP and LastIntToIP
    u64 efer = 0;
    u64 star = 0;
    u64 lstar = 0;
    u64 cstar = 0;
    u64 sfmask = 0;
    u64 kernel_gs_base = 0;
    u64 tsc_aux = 0;
    u64 tsc_offset = 0;  // TSC = cycles + tsc_offset
    u64 sysenter_cs = 0;
    u64 sysenter_esp = 0;
    u64 sysenter_eip = 0;
    u64 pat = 0x0007040600070406;
    u64 misc_enable = 0x1880;  // docs/decisions/0013
    u32 mxcsr = 0x1f80;
    std::array<V128, 16> xmm = {};
    X87 x87 = {};
    Activity activity = Activity::running;
    Shadow shadow = Shadow::none;
    bool nmi_blocked = false;  // from the delivery of an NMI to the next IRET
    u64 pending_debug = 0;     // bits of DR6 for a debug trap not yet taken
    u8 cpl = 0;

    static constexpr void fields(auto& self, auto& visit) {
        visit("gpr", self.gpr);
        visit("rip", self.rip);
        visit("rflags", self.rflags);
        visit("seg", self.seg);
        visit("gdtr", self.gdtr);
        visit("idtr", self.idtr);
        visit("cr0", self.cr0);
        visit("cr2", self.cr2);
        visit("cr3", self.cr3);
        visit("cr4", self.cr4);
        visit("pdpte", self.pdpte);
        visit("xcr0", self.xcr0);
        visit("dr", self.dr);
        visit("dr6", self.dr6);
        visit("dr7", self.dr7);
        visit("debugctl", self.debugctl);
        visit("last_branch", self.last_branch);
        visit("last_interrupt", self.last_interrupt);
        visit("efer", self.efer);
        visit("star", self.star);
        visit("lstar", self.lstar);
        visit("cstar", self.cstar);
        visit("sfmask", self.sfmask);
        visit("kernel_gs_base", self.kernel_gs_base);
        visit("tsc_aux", self.tsc_aux);
        visit("tsc_offset", self.tsc_offset);
        visit("sysenter_cs", self.sysenter_cs);
        visit("sysenter_esp", self.sysenter_esp);
        visit("sysenter_eip", self.sysenter_eip);
        visit("pat", self.pat);
        visit("misc_enable", self.misc_enable);
        visit("mxcsr", self.mxcsr);
        visit("xmm", self.xmm);
        visit("x87", self.x87);
        visit("activity", self.activity);
        visit("shadow", self.shadow);
        visit("nmi_blocked", self.nmi_blocked);
        visit("pending_debug", self.pending_debug);
        visit("cpl", self.cpl);
    }
};

static_assert(fields_complete<Cpu>);
static_assert(fields_complete<Segment>);
static_assert(fields_complete<X87>);
static_assert(fields_complete<Transfer>);

/// The state after RESET (APM volume 2, "Processor Initialization"): real mode, CS base FFFF0000.
Cpu reset_cpu();

}  // namespace ramet
