// Decoding: lengths, prefixes, addresses, and what is invalid. Against a disassembler: tests/fuzz/decode.cpp.
#include "x86/decode.h"

#include <gtest/gtest.h>

#include <vector>

namespace ramet {
namespace {

Decoded decode_bytes(std::vector<u8> bytes, CodeSize size) { return decode(bytes, size, true); }

struct Case {
    std::vector<u8> bytes;
    CodeSize size;
    const char* name;
};
const Case cases[] = {
    {{0x90}, CodeSize::bits64, "NOP"},
    {{0xf3, 0x90}, CodeSize::bits64, "PAUSE"},
    {{0x48, 0x01, 0xd8}, CodeSize::bits64, "ADD_Ev_Gv"},
    {{0x66, 0xb8, 0x34, 0x12}, CodeSize::bits32, "MOV_Zv_Iv"},
    {{0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8}, CodeSize::bits64, "MOV_Zv_Iv"},
    {{0x8b, 0x84, 0x24, 0x10, 0, 0, 0}, CodeSize::bits64, "MOV_Gv_Ev"},
    {{0x67, 0x8b, 0x46, 0x10}, CodeSize::bits32, "MOV_Gv_Ev"},
    {{0x66, 0x0f, 0x3a, 0x0f, 0xc1, 0x08}, CodeSize::bits64, "PALIGNR_Vx_Wx_Ib"},
    {{0xf2, 0x0f, 0x38, 0xf1, 0xc1}, CodeSize::bits64, "CRC32_Gd_Ev"},
    {{0x66, 0xe8, 0x01, 0x02}, CodeSize::bits64, "CALL_Jz"},  // 16-bit displacement, as AMD has it
    {{0xd9, 0xd8}, CodeSize::bits64, "FSTP_STi_D9"},
    {{0x0f, 0x22, 0x18}, CodeSize::bits64, "MOV_Cd_Rd"},  // mod is ignored
    {{0xc8, 0x10, 0x00, 0x01}, CodeSize::bits32, "ENTER_Iw_Ib"},
    {{0x9a, 1, 2, 3, 4, 5, 6}, CodeSize::bits32, "CALL_Ap"},
};

TEST(Decode, FindsRowAndLength) {
    for (auto const& c : cases) {
        Decoded const d = decode_bytes(c.bytes, c.size);
        ASSERT_EQ(d.status, DecodeStatus::ok) << c.name;
        EXPECT_EQ(isa::row(d.insn.id).name, c.name);
        EXPECT_EQ(d.insn.length, c.bytes.size()) << c.name;
    }
}

TEST(Decode, EveryPrefixOfAnInstructionIsTruncated) {
    for (auto const& c : cases)
        for (std::size_t n = 0; n < c.bytes.size(); ++n) {
            std::vector<u8> const part(c.bytes.begin(), c.bytes.begin() + static_cast<std::ptrdiff_t>(n));
            EXPECT_EQ(decode(part, c.size, true).status, DecodeStatus::truncated) << c.name << " " << n;
        }
}

TEST(Decode, FifteenBytesAreTheLimit) {
    std::vector<u8> bytes(14, 0x3e);
    bytes.push_back(0x90);
    EXPECT_EQ(decode_bytes(bytes, CodeSize::bits64).status, DecodeStatus::ok);
    bytes.insert(bytes.begin(), 0x3e);
    EXPECT_EQ(decode({bytes.data(), instruction_length_max}, CodeSize::bits64, true).status, DecodeStatus::too_long);
}

TEST(Decode, LockNeedsAMemoryDestinationThatAllowsIt) {
    EXPECT_EQ(decode_bytes({0xf0, 0x01, 0x00}, CodeSize::bits64).status, DecodeStatus::ok);
    EXPECT_EQ(decode_bytes({0xf0, 0x01, 0xc0}, CodeSize::bits64).status, DecodeStatus::invalid);
    EXPECT_EQ(decode_bytes({0xf0, 0x39, 0x00}, CodeSize::bits64).status, DecodeStatus::invalid);
    EXPECT_EQ(decode_bytes({0xf0, 0x90}, CodeSize::bits64).status, DecodeStatus::invalid);
}

TEST(Decode, ModelV1LacksTheExtensions) {
    std::vector<u8> const pshufb = {0x66, 0x0f, 0x38, 0x00, 0xc1};
    EXPECT_EQ(decode(pshufb, CodeSize::bits64, true).status, DecodeStatus::ok);
    EXPECT_EQ(decode(pshufb, CodeSize::bits64, false).status, DecodeStatus::invalid);
}

TEST(Decode, ARexPrefixCountsOnlyBeforeTheOpcode) {
    Decoded const d = decode_bytes({0x48, 0x66, 0x01, 0xd8}, CodeSize::bits64);
    EXPECT_EQ(d.insn.rex, 0);
    EXPECT_EQ(d.insn.operand_size, 2);
}

}  // namespace
}  // namespace ramet
