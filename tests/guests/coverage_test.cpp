// The coverage ratchet: tests/x86/untested.txt lists the rows of the instruction table that neither a vector of the repository nor a guest executes. The
// list may only shrink: a row that is listed but tested fails as one that is tested by nothing and not listed.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "guest_run.h"
#include "vector_file.h"
#include "x86/decode.h"
#include "x86/isa.h"

namespace ramet {
namespace {

using Rows = std::set<std::string_view>;

void add(Rows& rows, std::span<const u8> bytes, CodeSize size) {
    Decoded const d = decode(bytes, size, true);
    if (d.status == DecodeStatus::ok) rows.insert(isa::row(d.insn.id).name);
}

/// attr: of CS, as in Segment.
CodeSize code_size(unsigned attr, bool long_mode) {
    if (long_mode && (attr & 0x200)) return CodeSize::bits64;
    return attr & 0x400 ? CodeSize::bits32 : CodeSize::bits16;
}

void add_vectors(Rows& rows) {
    for (auto const& entry : std::filesystem::directory_iterator(RAMET_VECTOR_DATA)) {
        auto const file = vectors::VectorFile::load(entry.path());
        ASSERT_TRUE(file) << file.error().text;
        CodeSize const size = code_size(file->header().segments[CS].attr, file->header().mode == vectors::Mode::long64);
        for (u32 i = 0; i < file->size(); ++i) add(rows, file->parse(i).instruction, size);
    }
}

/// What stands at CS:RIP before each instruction, wherever code is mapped one to one.
void add_guest(Rows& rows, const std::string& name) {
    constexpr u64 EFER_LMA = 0x400, steps_max = 20'000;
    Guest const guest = read_guest(name);
    auto machine = guest.machine();
    auto const look = [&](std::unique_ptr<Machine>& m) {
        const Cpu& cpu = m->cpu();
        std::array<u8, instruction_length_max> bytes;
        if (!m->memory().copy_out(GuestPhys{cpu.seg[CS].base + cpu.rip}, bytes)) return;
        add(rows, bytes, code_size(cpu.seg[CS].attr, cpu.efer & EFER_LMA));
    };
    follow(guest, machine, {}, {.piece = [] { return u64{1}; }, .between = look}, steps_max);
}

TEST(Coverage, OfTheTableIsCompleteButForAShrinkingList) {
    Rows tested;
    add_vectors(tested);
    for (const std::string& name : guest_names()) add_guest(tested, name);
    std::set<std::string> listed;
    std::ifstream file{RAMET_UNTESTED};
    ASSERT_TRUE(file) << RAMET_UNTESTED;
    for (std::string line; std::getline(file, line);)
        if (!line.empty() && line[0] != '#') listed.insert(line);
    for (auto const& row : isa::all_rows()) {
        bool const is_listed = listed.erase(std::string{row.name}) != 0;
        if (tested.contains(row.name)) {
            EXPECT_FALSE(is_listed) << row.name << " is tested: take it off tests/x86/untested.txt";
        } else {
            EXPECT_TRUE(is_listed) << row.name << " is executed by no vector and no guest";
        }
    }
    for (const std::string& name : listed) ADD_FAILURE() << name << " in tests/x86/untested.txt is no row of the table";
}

}  // namespace
}  // namespace ramet
