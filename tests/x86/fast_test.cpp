// The fast handlers against the exact path: random programs, run in blocks and again one instruction at a time, which no block fits into.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>

#include "base/prng.h"
#include "base/state.h"
#include "stand.h"
#include "x86/decode.h"
#include "x86/isa.h"

namespace ramet {
namespace {

enum class Bits : u8 { b32, b64 };

constexpr u64 data = 0x20000, data_size = 0x8000, tables = 0x40000;
constexpr u8 hlt = 0xf4;
constexpr u64 iterations_max = 256;  ///< of a string instruction, and what comes before it

/// Rows that stay within the program and need no system. Branches among them lead to the next instruction.
bool eligible(const isa::Row& row, Bits bits) {
    constexpr std::string_view excluded[] = {"IN", "OUT", "RDPMC", "RDTSC", "RDRAND", "RDSEED", "HLT", "POPF", "PUSHF", "RD", "WR", "XSAVE", "XRSTOR"};
    bool const jumps = row.id == isa::Id::Jcc_Jb;
    if ((row.has(isa::ends) && !jumps) || row.has(bits == Bits::b64 ? isa::no64 : isa::only64)) return false;
    return std::ranges::none_of(excluded, [&](std::string_view start) { return row.name.starts_with(start); });
}

const std::vector<const isa::Row*>& rows_of(Bits bits) {
    auto const collect = [](Bits b) {
        std::vector<const isa::Row*> rows;
        for (auto const& row : isa::all_rows())
            if (eligible(row, b)) rows.push_back(&row);
        return rows;
    };
    static const std::vector<const isa::Row*> rows32 = collect(Bits::b32), rows64 = collect(Bits::b64);
    return bits == Bits::b64 ? rows64 : rows32;
}

/// One instruction of any row, with any prefixes and ModRM, and perhaps a jump behind it; nothing if those bytes are another one's.
std::vector<u8> instruction(u64 choice, Bits bits) {
    Prng random = Prng::seeded(choice);
    isa::Row const& row = *rows_of(bits)[random.below(rows_of(bits).size())];
    auto const& e = row.encoding;
    std::vector<u8> b;
    if (row.has(isa::lock) && random.below(3) == 0) b.push_back(0xf0);
    if (random.below(12) == 0) b.push_back(random.below(2) == 0 ? 0x64 : 0x65);
    if (random.below(12) == 0) b.push_back(0x67);
    if (e.prefix == isa::Prefix::p66 || (e.prefix == isa::Prefix::any && random.below(8) == 0)) b.push_back(0x66);
    if (e.prefix == isa::Prefix::pF2) b.push_back(0xf2);
    if (e.prefix == isa::Prefix::pF3) b.push_back(0xf3);
    if (bits == Bits::b64 && random.below(3) != 0) b.push_back(static_cast<u8>(0x40 | random.below(16)));
    if (e.map != 0) b.push_back(0x0f);
    if (e.map >= 2) b.push_back(e.map == 2 ? 0x38 : 0x3a);
    b.push_back(static_cast<u8>(e.opcode + (e.plus_r ? random.below(8) : e.plus_cc ? random.below(16) : 0)));
    if (e.exact >= 0) b.push_back(static_cast<u8>(e.exact));
    else if (e.modrm) {
        u64 const mod = random.below(4);
        b.push_back(static_cast<u8>(mod << 6 | (e.digit >= 0 ? static_cast<u64>(e.digit) : random.below(8)) << 3 | random.below(8)));
    }
    bool const jumps = row.id == isa::Id::Jcc_Jb;
    u8 const low_bits = random.below(3) == 0 ? 0xff : 0xf0;  // of displacements and immediates: vectors are aligned more often than not
    for (unsigned i = 0; b.size() < instruction_length_max; ++i) b.push_back(jumps || (i >= 2 && random.below(4) != 0) ? 0 : static_cast<u8>(random.next() & low_bits));
    Decoded const d = decode(b, bits == Bits::b64 ? CodeSize::bits64 : CodeSize::bits32, true);
    if (d.status != DecodeStatus::ok || !eligible(isa::row(d.insn.id), bits)) return {};
    b.resize(d.insn.length);
    if (random.below(4) == 0) b.insert(b.end(), {static_cast<u8>(0x70 + random.below(16)), 1, 0xf5});  // a jump that looks at its flags, over CMC
    return b;
}

/// A string instruction that repeats so many times at most, with what makes runs of it interesting before it: another direction, strings that
/// overlap, an accumulator that is in the data.
std::vector<u8> string_instruction(u64 choice, Bits bits) {
    constexpr u8 opcodes[] = {0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf};
    Prng random = Prng::seeded(choice);
    auto const one_of = [&](u64 n) { return random.below(n) == 0; };
    bool const wide = bits == Bits::b64;
    std::vector<u8> b;
    auto const add = [&](std::initializer_list<u8> bytes) { b.insert(b.end(), bytes); };
    if (one_of(4)) add({static_cast<u8>(0xfc + random.below(2))});
    if (one_of(3)) add({0x31, 0xc0});  // xor %eax,%eax
    if (one_of(3)) add({0x8d, 0x7e, static_cast<u8>(random.next())});  // lea disp8(%esi),%edi
    add({0xb9, static_cast<u8>(random.below(one_of(4) ? iterations_max - 4 : 40)), 0, 0, 0});  // mov $n,%ecx
    if (one_of(12)) add({static_cast<u8>(0x64 + random.below(2))});
    if (one_of(12)) add({0x67});
    if (one_of(4)) add({0x66});
    if (!one_of(8)) add({static_cast<u8>(0xf2 + random.below(2))});
    if (wide && one_of(3)) add({0x48});
    add({opcodes[random.below(std::size(opcodes))]});
    return b;
}

/// Registers are pointers into the data, most of them aligned, or numbers; flags are any.
void set_up(Stand& stand, u64 seed, Bits bits) {
    Prng random = Prng::seeded(seed);
    Cpu& cpu = stand.cpu();
    for (u64& r : cpu.gpr) {
        u64 const any = random.below(2) == 0 ? 0 - random.below(0x1000) : random.next();
        u64 const place = random.below(data_size);
        r = random.below(4) != 0 ? data + (random.below(4) != 0 ? place & ~u64{15} : place) : random.below(2) == 0 ? random.below(80) : any;
        if (bits == Bits::b32) r &= 0xffffffff;
    }
    cpu.gpr[RSP] = data + data_size + 0x800;
    cpu.rflags = 2 | (random.next() & 0x8d5);
    cpu.cr4 |= cr4::OSFXSR | cr4::OSXMMEXCPT;
    std::vector<u8> bytes(data_size);
    bool const dull = random.below(2) == 0;  // comparisons find strings that are equal for a while
    for (u8& byte : bytes) byte = dull && random.below(64) != 0 ? 0 : static_cast<u8>(random.next());
    stand.poke(data, bytes);
    if (bits == Bits::b32) return;
    constexpr u64 present_writable = 3, large = 0x80;
    constexpr u16 code64 = 0xa9b;
    stand.poke32(tables, static_cast<u32>(tables + 0x1000 + present_writable));
    stand.poke32(tables + 0x1000, static_cast<u32>(tables + 0x2000 + present_writable));
    stand.poke32(tables + 0x2000, large | present_writable);
    cpu.cr3 = tables;
    cpu.cr4 |= cr4::PAE;
    cpu.efer |= efer::LME | efer::LMA;
    cpu.cr0 |= cr0::PG;
    cpu.seg[CS] = {8, code64, 0xffffffff, 0};
    cpu.idtr.limit = 0;  // what faults shuts down, both times in the same place
}

std::string difference(Stand& blocks, Stand& steps) {
    std::string text;
    for (const Difference& d : state_differences(blocks.cpu(), steps.cpu())) text += d.path + ": in blocks " + d.a + ", stepped " + d.b + "\n";
    if (blocks.interpreter.clock().position != steps.interpreter.clock().position) text += "position\n";
    if (blocks.interpreter.clock().cycles != steps.interpreter.clock().cycles) text += "cycles\n";
    if (blocks.memory.digest() != steps.memory.digest()) text += "memory\n";
    return text;
}

using Make = std::vector<u8> (*)(u64, Bits);

/// `more`: instructions beyond the choices, because iterations of string instructions count, too.
std::string compare(Make make, u64 more, const std::vector<u64>& choices, u64 seed, Bits bits) {
    std::vector<u8> program;
    std::size_t count = 0;
    for (u64 const choice : choices) {
        auto const bytes = make(choice, bits);
        count += !bytes.empty();
        program.insert(program.end(), bytes.begin(), bytes.end());
    }
    program.push_back(hlt);
    Stand blocks({}), steps({});
    for (Stand* const stand : {&blocks, &steps}) {
        stand->poke(Stand::code, program);
        set_up(*stand, seed, bits);
    }
    blocks.run(count + more);
    for (std::size_t i = 0; i < count + more; ++i)
        if (Stop const stop = steps.run(1); stop != Stop::limit) break;
    return difference(blocks, steps);
}

std::string listing(Make make, const std::vector<u64>& choices, Bits bits) {
    std::string text;
    for (u64 const choice : choices) {
        for (u8 const byte : make(choice, bits)) {
            char digits[4];
            std::snprintf(digits, sizeof digits, "%02x ", byte);
            text += digits;
        }
        text += "; ";
    }
    return text;
}

void expect_same(Make make, u64 more, const std::vector<u64>& choices, u64 seed, Bits bits) {
    std::string const text = compare(make, more, choices, seed, bits);
    if (!text.empty()) RC_FAIL(listing(make, choices, bits) + "\n" + text);
}

RC_GTEST_PROP(Fast, BlocksDoWhatStepsDoIn64BitCode, (std::vector<u64> choices, u64 seed)) { expect_same(&instruction, 200, choices, seed, Bits::b64); }
RC_GTEST_PROP(Fast, BlocksDoWhatStepsDoIn32BitCode, (std::vector<u64> choices, u64 seed)) { expect_same(&instruction, 200, choices, seed, Bits::b32); }
RC_GTEST_PROP(Fast, RunsOfStringsDoWhatStepsDoIn64BitCode, (std::vector<u64> choices, u64 seed)) { expect_same(&string_instruction, iterations_max * choices.size(), choices, seed, Bits::b64); }
RC_GTEST_PROP(Fast, RunsOfStringsDoWhatStepsDoIn32BitCode, (std::vector<u64> choices, u64 seed)) { expect_same(&string_instruction, iterations_max * choices.size(), choices, seed, Bits::b32); }
/// A limit that is reached in a block behind a string instruction is kept to the instruction.
RC_GTEST_PROP(Fast, RunsOfStringsStopWhereStepsDo, (std::vector<u64> choices, u8 more, u64 seed)) { expect_same(&string_instruction, more, choices, seed, Bits::b64); }

}  // namespace
}  // namespace ramet
