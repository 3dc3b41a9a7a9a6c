// Our CPU core against the host's: random instructions of every row that user mode may run, with random operands, in 64-, 32- and 16-bit code.
// On an AMD host only, because vendors differ. A longer run: RAMET_FUZZ_INPUTS=100000000 RAMET_FUZZ_SEED=7 fuzz_test --gtest_filter=*Host*
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/bytes.h"
#include "base/prng.h"
#include "native.h"
#include "processor.h"
#include "x86/decode.h"

namespace ramet::fuzz {
namespace {

using isa::Form;
using isa::Kind;
using isa::Row;

u64 setting(const char* name, u64 otherwise) {
    const char* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::stoull(text);
}

/// Rows that leave the instruction's place, depend on the system or the host's own state, or whose results are ours by definition.
bool comparable(const Row& row, CodeSize size) {
    constexpr std::string_view excluded[] = {
        "CPUID", "RDTSC", "RDTSCP", "RDRAND", "RDSEED", "RDPMC", "XGETBV", "XSETBV", "XSAVE", "XRSTOR", "SYSCALL", "SYSRET", "SYSENTER", "SYSEXIT", "HLT",
        "IN", "OUT", "INS", "OUTS", "CLI", "STI", "STR", "SLDT", "SGDT", "SIDT", "SMSW", "LAR", "LSL", "VERR", "VERW", "MOV_Sw", "MOV_Ev_Sw", "PUSH_FS", "PUSH_GS",
        "POPF", "RCP", "RSQRT", "F2XM1", "FYL2X", "FPATAN", "FPTAN", "FSIN", "FCOS", "FNSTENV", "FNSAVE", "FXSAVE", "FLDENV", "FRSTOR", "FXRSTOR", "RD", "WR",
        "INT", "RSM", "UD", "PUSHF", "MOV_Rd", "MOV_Cd", "MOV_Dd", "SWAPGS", "CLAC", "STAC", "LDMXCSR", "LES", "LDS", "LSS", "LFS", "LGS", "POP_",
    };
    if (row.has(isa::ends) || row.has(size == CodeSize::bits64 ? isa::no64 : isa::only64)) return false;
    return std::ranges::none_of(excluded, [&](std::string_view start) { return row.name.starts_with(start); });
}

u64 operand(Prng& random) {
    u64 const r = random.next();
    switch (r >> 60) {
    case 0: return 0;
    case 1: return ~u64{0};
    case 2: return r & 0xff;
    case 3: return u64{1} << (r & 63);
    case 4: return (u64{1} << (r & 63)) - 1;
    case 5: return (r & 0xff) * 0x0101010101010101;
    case 6: return static_cast<u64>(static_cast<i64>(static_cast<i8>(r)));
    default: return random.next();
    }
}
/// Bits of floating-point numbers that matter: zeros, ones, infinities, NaNs, denormals, and nearby exponents.
u64 real_bits(Prng& random) {
    constexpr std::array<u64, 14> singles = {0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00001, 0x7f800001, 1, 0x007fffff, 0x00800000, 0x7f7fffff, 0x4f000000, 0xcf000000};
    auto const single = [&] { return random.below(3) == 0 ? singles[random.below(singles.size())] : (random.next() & 0x87ffffff) | 0x38000000; };
    switch (random.below(4)) {
    case 0: return operand(random);
    case 1: return (random.next() & 0x800fffffffffffff) | (u64{1023 - 40} + random.below(80)) << 52;
    default: return single() | single() << 32;
    }
}

/// Pointers lie in the data pages; those of segments reach their limit now and then.
ox_state random_state(Prng& random, NativePlace const& place) {
    ox_state s = {};
    u64 const data = place.data();
    bool const wide = place.size == CodeSize::bits64;
    for (auto& r : s.gpr) r = wide ? operand(random) : operand(random) & 0xffffffff;
    s.gpr[RDI] = data + 0x1000 + (random.below(4) != 0 ? random.below(16) * 16 : random.below(256));
    if (place.limit < native_size && random.below(16) == 0) s.gpr[RDI] = native_size - 0x40 + random.below(0x40);
    s.gpr[RSI] = data + 0x800 + random.below(256);
    s.gpr[RSP] = data + 0x600 + random.below(32) * 8;
    s.gpr[RBP] = random.below(2) == 0 ? data + 0x700 + random.below(32) * 8 : s.gpr[RBP];
    s.gpr[RCX] = random.below(3) == 0 ? random.below(70) : s.gpr[RCX];
    s.rip = place.start();
    s.rflags = 0x202 | (random.next() & 0x8d5);
    s.fcw = static_cast<u16>(random.below(2) == 0 ? 0x37f : (random.next() & 0xf3f) | 0x40);
    s.fsw = static_cast<u16>(random.next() & 0x7f00);
    s.ftw = static_cast<u8>(random.below(2) == 0 ? 0xff : random.next());
    for (auto& r : s.st) {
        constexpr std::array<u16, 8> exponents = {0, 1, 0x3fff, 0x4000, 0x7ffe, 0x7fff, 0x403e, 0x3ffe};
        u64 const significand = random.below(4) == 0 ? operand(random) : random.next() | u64{1} << 63;
        u64 const exponent = random.below(3) == 0 ? exponents[random.below(exponents.size())] : 0x3fff - 40 + random.below(80);
        store_le<u64>(r, significand);
        store_le<u16>(r + 8, static_cast<u16>(exponent | (random.next() & 0x8000)));
    }
    s.mxcsr = random.below(2) == 0 ? 0x1f80 : static_cast<u32>(random.next() & 0xffc0);
    for (auto& r : s.xmm) {
        store_le<u64>(r, real_bits(random));
        store_le<u64>(r + 8, real_bits(random));
    }
    return s;
}

/// An instruction of this row. Memory operands are [rdi], [edi] or [di] with a displacement that keeps alignment, or any.
std::vector<u8> make_instruction(const Row& row, Prng& random, CodeSize size) {
    std::vector<u8> b;
    auto const& e = row.encoding;
    if (row.has(isa::rep) && random.below(2) == 0) b.push_back(random.below(2) == 0 ? 0xf2 : 0xf3);
    if (e.prefix == isa::Prefix::p66 || (e.prefix == isa::Prefix::any && random.below(5) == 0)) b.push_back(0x66);
    if (e.prefix == isa::Prefix::pF2) b.push_back(0xf2);
    if (e.prefix == isa::Prefix::pF3) b.push_back(0xf3);
    bool const other_addresses = size != CodeSize::bits64 && random.below(6) == 0;
    if (other_addresses) b.insert(b.begin(), 0x67);
    u8 const di = (size == CodeSize::bits16) != other_addresses ? 5 : 7;
    if (size == CodeSize::bits64 && random.below(2) == 0) b.push_back(static_cast<u8>(0x40 | (random.next() & 0xe)));  // not REX.B: the base stays RDI
    if (e.map != 0) b.push_back(0x0f);
    if (e.map >= 2) b.push_back(e.map == 2 ? 0x38 : 0x3a);
    b.push_back(static_cast<u8>(e.opcode + (e.plus_r ? random.below(8) : e.plus_cc ? random.below(16) : 0)));
    if (e.modrm) {
        u8 const reg = static_cast<u8>(e.digit >= 0 ? e.digit : static_cast<int>(random.below(8)));
        bool const memory = row.form() == Form::memory || (row.form() == Form::any && random.below(2) == 0);
        if (e.exact >= 0) b.push_back(static_cast<u8>(e.exact));
        else if (memory) {
            b.push_back(static_cast<u8>(0x40 | di | reg << 3));
            b.push_back(static_cast<u8>(random.below(3) == 0 ? random.next() : random.next() & 0xf0));
        } else b.push_back(static_cast<u8>(0xc0 | reg << 3 | random.below(8)));
    }
    while (b.size() < instruction_length_max) b.push_back(static_cast<u8>(random.next()));
    Decoded const d = decode(b, size, true);
    if (d.status != DecodeStatus::ok || d.insn.id != row.id) return {};
    b.resize(d.insn.length);
    return b;
}

u64 undefined_flags(const Row& row) {
    std::string_view f = row.flags;
    auto const at = f.find("u:");
    if (at == std::string_view::npos) return 0;
    u64 mask = 0;
    for (char const c : f.substr(at + 2, f.find(' ', at) - at - 2))
        mask |= c == 'o' ? 0x800u : c == 's' ? 0x80u : c == 'z' ? 0x40u : c == 'a' ? 0x10u : c == 'p' ? 4u : 1u;
    return mask;
}

/// Outside 64-bit code the upper halves of registers are undefined.
std::string difference(const ox_state& ours, const ox_state& theirs, const Row& row, CodeSize size) {
    std::string text;
    auto const add = [&](std::string const& name, u64 a, u64 b) {
        char line[96];
        std::snprintf(line, sizeof line, "  %s ours %llx host %llx\n", name.c_str(), static_cast<unsigned long long>(a), static_cast<unsigned long long>(b));
        if (a != b) text += line;
    };
    u64 const width = size == CodeSize::bits64 ? ~u64{0} : 0xffffffff;
    for (unsigned i = 0; i < 16; ++i) add("gpr" + std::to_string(i), ours.gpr[i] & width, theirs.gpr[i] & width);
    add("rip", ours.rip, theirs.rip);
    u64 const flags = 0xcd5 & ~undefined_flags(row);
    add("rflags", ours.rflags & flags, theirs.rflags & flags);
    add("fcw", ours.fcw, theirs.fcw);
    add("fsw", ours.fsw, theirs.fsw);
    add("ftw", ours.ftw, theirs.ftw);
    add("mxcsr", ours.mxcsr, theirs.mxcsr);
    for (unsigned i = 0; i < 8; ++i) {
        add("st" + std::to_string(i), load_le<u64>(ours.st[i]), load_le<u64>(theirs.st[i]));
        add("st" + std::to_string(i) + " exponent", load_le<u16>(ours.st[i] + 8), load_le<u16>(theirs.st[i] + 8));
    }
    for (unsigned i = 0; i < 16; ++i) {
        add("xmm" + std::to_string(i), load_le<u64>(ours.xmm[i]), load_le<u64>(theirs.xmm[i]));
        add("xmm" + std::to_string(i) + " high", load_le<u64>(ours.xmm[i] + 8), load_le<u64>(theirs.xmm[i] + 8));
    }
    return text;
}

std::unique_ptr<vectors::Processor> make_processor(NativePlace const& place) {
    ox_region const regions[] = {{native_code, native_size, 7}, {native_data, native_size, 3}};
    static const u64 no_descriptors[8] = {};
    ox_config config = {};
    config.nregions = 2;
    config.regions = regions;
    config.gdt = config.ldt = no_descriptors;
    constexpr u32 mode64 = 0, segmented = 2;
    bool const wide = place.size == CodeSize::bits64, flat = place.limit >= native_size;
    u16 const big = static_cast<u16>((place.size == CodeSize::bits16 ? 0 : 0x400) | (flat ? 0x800 : 0));
    ox_seg const data = {place.data_selector, static_cast<u16>(0xf3 | big), place.limit, place.data_base};
    config.mode = wide ? mode64 : segmented;
    config.seg[2] = data;
    if (!wide) config.seg[0] = config.seg[3] = data;
    config.seg[1] = {place.code_selector, static_cast<u16>(wide ? 0xafb : 0xfb | big), place.limit, place.code_base};
    return std::make_unique<vectors::Processor>(config);
}

class Host : public testing::TestWithParam<CodeSize> {};

TEST_P(Host, AgreesOnSingleInstructions) {
    if (!host_is_amd()) GTEST_SKIP() << "the vectors' truth is AMD's";
    CodeSize const size = GetParam();
    Native native;
    ASSERT_TRUE(native.ready());
    auto const place = native.place(size);
    if (!place) GTEST_SKIP() << "NOT COMPARED: this host has no local descriptors (modify_ldt), which code of this size needs";
    auto const processor = make_processor(*place);
    std::vector<const Row*> rows;
    for (auto const& row : isa::all_rows())
        if (comparable(row, size)) rows.push_back(&row);
    u64 const inputs = setting("RAMET_FUZZ_INPUTS", 60'000);
    Prng random = Prng::seeded(setting("RAMET_FUZZ_SEED", 1));
    unsigned findings = 0;
    for (u64 i = 0; i < inputs && findings < 20; ++i) {
        Row const& row = *rows[i % rows.size()];
        auto const instruction = make_instruction(row, random, size);
        ox_state const before = random_state(random, *place);
        for (std::size_t at = 0; at < native_size; at += 8) store_le<u64>(&native.data()[at], real_bits(random));
        if (instruction.empty()) continue;
        processor->write(native_data, native.data());
        processor->write(native_code, native_code_bytes(instruction));

        ox_state ours = before, theirs = before;
        ox_exc our_fault = {}, their_fault = {};
        ASSERT_TRUE(processor->step(ours, our_fault));
        native.run(instruction, *place, theirs, their_fault);

        std::string text = difference(ours, theirs, row, size);
        if (our_fault.raised != their_fault.raised || our_fault.vector != their_fault.vector)
            text += "  exception ours " + std::to_string(our_fault.vector) + " host " + std::to_string(their_fault.vector) + "\n";
        std::array<u8, native_size> memory;
        processor->read(native_data, memory);
        if (std::memcmp(memory.data(), native.data().data(), native_size) != 0) text += "  memory differs\n";
        if (text.empty()) continue;
        ++findings;
        std::string bytes;
        for (u8 const byte : instruction) {
            char hex[4];
            std::snprintf(hex, sizeof hex, "%02x ", byte);
            bytes += hex;
        }
        ADD_FAILURE() << row.name << "  " << bytes << " input " << i << "\n" << text << "  mxcsr before " << std::hex << before.mxcsr << " fcw " << before.fcw << " fsw " << before.fsw << " ftw " << unsigned{before.ftw};
    }
}

constexpr const char* code_names[] = {"Code16", "Code32", "Code64"};
INSTANTIATE_TEST_SUITE_P(In, Host, testing::Values(CodeSize::bits16, CodeSize::bits32, CodeSize::bits64),
                         [](const auto& test) { return std::string(code_names[static_cast<unsigned>(test.param)]); });

}  // namespace
}  // namespace ramet::fuzz
