// The instruction table as a whole: every encoding names one row, and the decoder finds it; names are unique; what CPUID announces has
// rows, and what it does not announce has none.
#include "x86/isa.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "x86/cpuid.h"
#include "x86/decode.h"

namespace ramet {
namespace {

using isa::Encoding;
using isa::Form;
using isa::Id;
using isa::Prefix;
using isa::Row;

struct Code {
    CodeSize size;
    bool model_v2;
};
constexpr Code codes[] = {{CodeSize::bits64, true}, {CodeSize::bits64, false}, {CodeSize::bits32, true}, {CodeSize::bits32, false}};

bool exists(const Row& row, Code code) {
    if (row.has(code.size == CodeSize::bits64 ? isa::no64 : isa::only64)) return false;
    return code.model_v2 || !row.has(isa::v2);
}

bool matches(const Row& row, u8 prefix, u8 modrm) {
    Encoding const& e = row.encoding;
    if (e.prefix == Prefix::np && prefix != 0) return false;
    if (e.prefix == Prefix::p66 && prefix != 0x66) return false;
    if (e.prefix == Prefix::pF2 && prefix != 0xf2) return false;
    if (e.prefix == Prefix::pF3 && prefix != 0xf3) return false;
    if (!e.modrm) return true;
    if (e.exact >= 0 && e.exact != modrm) return false;
    if (e.digit >= 0 && e.digit != (modrm >> 3 & 7)) return false;
    return row.form() == Form::any || (row.form() == Form::memory) == (modrm < 0xc0);
}

/// How much of the encoding a row spells out; the more specific of two rows is meant.
int specific(const Row& row) {
    Encoding const& e = row.encoding;
    return (e.prefix != Prefix::any ? 1 : 0) + (e.digit >= 0 ? 2 : 0) + (e.exact >= 0 ? 4 : 0);
}
bool is_at(const Row& row, unsigned map, unsigned opcode) {
    unsigned const span = row.encoding.plus_r ? 8 : row.encoding.plus_cc ? 16 : 1;
    return row.encoding.map == map && opcode >= row.encoding.opcode && opcode < row.encoding.opcode + span;
}

struct Winner {
    Id id = Id::count;
    bool tied = false;
};
Winner winner(std::span<const Row* const> rows, u8 prefix, u8 modrm) {
    Winner w;
    int best = -1;
    for (const Row* const row : rows) {
        if (!matches(*row, prefix, modrm)) continue;
        int const s = specific(*row);
        if (s == best) w.tied = true;
        if (s > best) w = {row->id, false}, best = s;
    }
    return w;
}

std::vector<u8> bytes_of(u8 prefix, unsigned map, unsigned opcode, u8 modrm) {
    std::vector<u8> b;
    if (prefix != 0) b.push_back(prefix);
    if (map != 0) b.push_back(0x0f);
    if (map >= 2) b.push_back(map == 2 ? 0x38 : 0x3a);
    b.push_back(static_cast<u8>(opcode));
    b.push_back(modrm);
    b.resize(instruction_length_max);
    return b;
}

bool is_prefix_byte(unsigned map, unsigned opcode, Code code) {
    if (map != 0) return map == 1 && (opcode == 0x38 || opcode == 0x3a);
    constexpr std::array<unsigned, 12> prefixes = {0x0f, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3};
    return std::ranges::find(prefixes, opcode) != prefixes.end() || (code.size == CodeSize::bits64 && (opcode & 0xf0) == 0x40);
}

/// The NOP at 90 is one of XCHG's eight.
bool is_known_overlap(unsigned map, unsigned opcode) { return map == 0 && opcode == 0x90; }

TEST(Isa, EveryEncodingNamesOneRowAndTheDecoderFindsIt) {
    std::set<Id> reached;
    for (Code const code : codes)
        for (unsigned map = 0; map < 4; ++map)
            for (unsigned opcode = 0; opcode < 256; ++opcode) {
                if (is_prefix_byte(map, opcode, code)) continue;
                std::vector<const Row*> rows;
                for (auto const& row : isa::all_rows())
                    if (exists(row, code) && is_at(row, map, opcode)) rows.push_back(&row);
                for (u8 const prefix : {0x00, 0x66, 0xf2, 0xf3})
                    for (unsigned modrm = 0; modrm < 256; ++modrm) {
                        Winner const w = winner(rows, prefix, static_cast<u8>(modrm));
                        auto const bytes = bytes_of(prefix, map, opcode, static_cast<u8>(modrm));
                        Decoded const d = decode(bytes, code.size, code.model_v2);
                        bool const found = d.status == DecodeStatus::ok;
                        ASSERT_EQ(found, w.id != Id::count) << map << " " << std::hex << opcode << " modrm " << modrm << " prefix " << unsigned{prefix};
                        if (!found) continue;
                        ASSERT_TRUE(!w.tied || is_known_overlap(map, opcode)) << isa::row(w.id).name;
                        if (!w.tied) {
                            ASSERT_EQ(isa::row(d.insn.id).name, isa::row(w.id).name) << std::hex << opcode << " " << modrm;
                        }
                        reached.insert(d.insn.id);
                    }
            }
    for (auto const& row : isa::all_rows()) EXPECT_TRUE(reached.contains(row.id)) << row.name << " is never decoded";
}

TEST(Isa, NamesAreUniqueAndCostsPositive) {
    std::set<std::string_view> names;
    for (auto const& row : isa::all_rows()) {
        EXPECT_TRUE(names.insert(row.name).second) << row.name;
        EXPECT_GE(row.cost, 1) << row.name;
    }
}

bool has_row(std::string_view name) {
    return std::ranges::any_of(isa::all_rows(), [&](const Row& row) { return row.name.starts_with(name); });
}

/// One instruction that stands for each feature that CPUID can announce.
struct Feature {
    u32 leaf;
    char reg;  // b, c or d
    unsigned bit;
    const char* row;
    bool in_v1;
};
constexpr Feature features[] = {
    {1, 'd', 0, "FADD_ST_STi", true},      {1, 'd', 4, "RDTSC", true},           {1, 'd', 5, "RDMSR", true},          {1, 'd', 8, "CMPXCHG8B_Mq", true},
    {1, 'd', 11, "SYSENTER", true},        {1, 'd', 15, "CMOVcc", true},         {1, 'd', 19, "CLFLUSH_M", true},     {1, 'd', 23, "PADDB_Pq_Qq", true},
    {1, 'd', 24, "FXSAVE_M", true},        {1, 'd', 25, "ADDPS_Vx_Wx", true},    {1, 'd', 26, "ADDPD_Vx_Wx", true},   {1, 'c', 0, "ADDSUBPS_Vx_Wx", false},
    {1, 'c', 1, "PCLMULQDQ", false},       {1, 'c', 9, "PSHUFB_Vx_Wx", false},   {1, 'c', 17, "INVPCID", false},      {1, 'c', 19, "PTEST_Vx_Wx", false},  {1, 'c', 20, "PCMPGTQ_Vx_Wx", false},
    {1, 'c', 22, "MOVBE_Gv_Mv", false},    {1, 'c', 23, "POPCNT_Gv_Ev", false},  {1, 'c', 25, "AESENC_Vx_Wx", false}, {1, 'c', 26, "XSAVE_M", false},
    {1, 'c', 30, "RDRAND_Rv", false},      {7, 'b', 0, "RDFSBASE_Ry", false},    {7, 'b', 10, "INVPCID", false},      {7, 'b', 18, "RDSEED_Rv", false},    {7, 'b', 20, "STAC", false},
    {0x80000001, 'c', 0, "LAHF", true},    {0x80000001, 'c', 5, "LZCNT_Gv_Ev", false}, {0x80000001, 'd', 11, "SYSCALL", true}, {0x80000001, 'd', 27, "RDTSCP", false},
};

TEST(Isa, WhatCpuidAnnouncesHasRows) {
    auto const core = std::make_unique<Core>();
    for (bool const v2 : {false, true}) {
        core->model_v2 = v2;
        for (auto const& f : features) {
            auto const leaf = cpuid::query(*core, f.leaf, 0);
            u32 const value = f.reg == 'b' ? leaf.ebx : f.reg == 'c' ? leaf.ecx : leaf.edx;
            EXPECT_EQ(value >> f.bit & 1, f.in_v1 || v2 ? 1u : 0u) << f.row;
            EXPECT_TRUE(has_row(f.row)) << f.row;
        }
        u32 known_c = 1u << 13 /* CMPXCHG16B, a form of CMPXCHG8B */;
        for (auto const& f : features)
            if (f.leaf == 1 && f.reg == 'c') known_c |= 1u << f.bit;
        EXPECT_EQ(cpuid::query(*core, 1, 0).ecx & ~known_c, 0u) << "leaf 1 ECX announces something without a row here";
    }
}

}  // namespace
}  // namespace ramet
