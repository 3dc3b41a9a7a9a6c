#include "x86/cpuid.h"

#include "base/bytes.h"
#include "x86/paging.h"

namespace ramet::cpuid {

namespace {

/// Twelve bytes of text as EBX, EDX, ECX hold the vendor.
constexpr u32 text32(const char* s) {
    return static_cast<u32>(static_cast<u8>(s[0]) | static_cast<u8>(s[1]) << 8 | static_cast<u8>(s[2]) << 16) | static_cast<u32>(static_cast<u8>(s[3])) << 24;
}

constexpr u32 bit(unsigned n) { return u32{1} << n; }

// Leaf 1 EDX
constexpr u32 FPU = bit(0), VME = bit(1), DE = bit(2), PSE = bit(3), TSC = bit(4), MSR = bit(5), PAE = bit(6), MCE = bit(7), CX8 = bit(8), APIC = bit(9), SEP = bit(11),
              PGE = bit(13), MCA = bit(14), CMOV = bit(15), PAT = bit(16), PSE36 = bit(17), CLFSH = bit(19), MMX = bit(23), FXSR = bit(24), SSE = bit(25),
              SSE2 = bit(26);
constexpr u32 leaf1_edx = FPU | VME | DE | PSE | TSC | MSR | PAE | MCE | CX8 | APIC | SEP | PGE | MCA | CMOV | PAT | PSE36 | CLFSH | MMX | FXSR | SSE | SSE2;
// Leaf 1 ECX, model v2
constexpr u32 leaf1_ecx_v2 = bit(0) /* SSE3 */ | bit(1) /* PCLMULQDQ */ | bit(9) /* SSSE3 */ | bit(13) /* CX16 */ | bit(17) /* PCID */ |
                             bit(19) /* SSE4.1 */ | bit(20) /* SSE4.2 */ | bit(22) /* MOVBE */ | bit(23) /* POPCNT */ | bit(25) /* AES */ | bit(26) /* XSAVE */ | bit(30) /* RDRAND */;
// Leaf 80000001
constexpr u32 ext_edx = (leaf1_edx & 0x0183f3ff) | bit(11) /* SYSCALL */ | bit(20) /* NX */ | bit(26) /* 1 GiB pages */ | bit(29) /* LM */;
constexpr u32 ext_ecx = bit(0) /* LAHF in 64-bit mode */;

// Leaf D: x87 and SSE, in the legacy region and the header.
constexpr u32 xsave_states = 3, xsave_bytes = 512 + 64;

constexpr u32 signature = 0x00060fb1;  // family 15, model 107, stepping 1

}  // namespace

Leaf query(const Core& core, u32 leaf, u32 subleaf) {
    bool const v2 = core.model_v2;
    u32 const last_basic = v2 ? 0xd : 1;
    switch (leaf) {
    case 0: return {last_basic, text32("Auth"), text32("cAMD"), text32("enti")};
    case 1: {
        u32 const osxsave = core.cpu.cr4 & cr4::OSXSAVE ? bit(27) : 0;
        return {signature, 0x00000800 | 1 << 16, v2 ? leaf1_ecx_v2 | osxsave : 0, leaf1_edx};
    }
    case 7:
        if (!v2 || subleaf != 0) return {};
        return {0, bit(0) /* FSGSBASE */ | bit(7) /* SMEP */ | bit(10) /* INVPCID */ | bit(18) /* RDSEED */ | bit(20) /* SMAP */, bit(2) /* UMIP */, 0};
    case 0xd: return v2 && subleaf == 0 ? Leaf{xsave_states, xsave_bytes, xsave_bytes, 0} : Leaf{};
    case 0x80000000: return {0x80000008, text32("Auth"), text32("cAMD"), text32("enti")};
    case 0x80000001: return {signature, 0, v2 ? ext_ecx | bit(5) /* ABM */ : ext_ecx, v2 ? ext_edx | bit(27) /* RDTSCP */ : ext_edx};
    case 0x80000002:
    case 0x80000003:
    case 0x80000004: {
        constexpr char name_v1[49] = "Ramet virtual CPU v1 (x86-64)\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        constexpr char name_v2[49] = "Ramet virtual CPU v2 (x86-64-v2)\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        const char* const part = (v2 ? name_v2 : name_v1) + 16 * (leaf - 0x80000002);
        return {text32(part), text32(part + 4), text32(part + 8), text32(part + 12)};
    }
    case 0x80000005: return {0, 0, 0x40020140, 0x40020140};
    case 0x80000006: return {0, 0, 0x02006140, 0};
    case 0x80000007: return {0, 0, 0, bit(8) /* invariant TSC */};
    case 0x80000008: return {48 << 8 | physical_address_bits, 0, 0, 0};
    default: return {};
    }
}

u64 allowed_cr4(const Core& core) {
    u64 const base = cr4::VME | cr4::PVI | cr4::TSD | cr4::DE | cr4::PSE | cr4::PAE | cr4::MCE | cr4::PGE | cr4::PCE | cr4::OSFXSR | cr4::OSXMMEXCPT;
    return core.model_v2 ? base | cr4::UMIP | cr4::FSGSBASE | cr4::PCIDE | cr4::OSXSAVE | cr4::SMEP | cr4::SMAP : base;
}

}  // namespace ramet::cpuid
