// Our decoder against Zydis: each knows the other's length, or both call the bytes invalid, except for what is listed here.
#include <Zydis/Zydis.h>

#include <algorithm>
#include <string_view>

#include "base/check.h"
#include "targets.h"
#include "x86/decode.h"

namespace ramet::fuzz {

namespace {

struct Machine {
    ZydisMachineMode mode;
    ZydisStackWidth stack;
};
Machine machine_of(CodeSize size) {
    switch (size) {
    case CodeSize::bits16: return {ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16};
    case CodeSize::bits32: return {ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32};
    case CodeSize::bits64: break;
    }
    return {ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64};
}

/// Rows that leave to execution what Zydis rejects (registers that do not exist), hints that Zydis knows as MPX, and UD itself.
bool only_ours(std::string_view row) {
    constexpr std::string_view starts[] = {"MOV_Cd_Rd", "MOV_Rd_Cd", "MOV_Dd_Rd", "MOV_Rd_Dd", "MOV_Sw_Ew", "MOV_Ev_Sw", "NOP_E_1A", "NOP_E_1B"};
    return std::ranges::find(starts, row) != std::end(starts);
}

/// Extensions that neither CPU model has.
bool only_theirs(const ZydisDecodedInstruction& i) {
    constexpr std::string_view modelled[] = {"BASE", "X87", "MMX", "SSE", "SSE2", "SSE3", "SSSE3", "SSE4", "AES", "PCLMULQDQ", "LONGMODE", "LZCNT", "BMI1",
                                             "MOVBE", "RDRAND", "RDSEED", "RDTSCP", "RDWRFSGS", "SMAP", "CLFSH", "PAUSE", "FXSAVE", "FXSAVE64", "XSAVE"};
    std::string_view const extension = ZydisISAExtGetString(i.meta.isa_ext);
    bool const prefetch_of_register = i.mnemonic == ZYDIS_MNEMONIC_NOP;  // 0F 0D with a register: #UD in AMD's processors
    bool const vex = i.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY;
    return vex || prefetch_of_register || std::ranges::find(modelled, extension) == std::end(modelled);
}

}  // namespace

void decode_target(std::span<const u8> input) {
    if (input.empty()) return;
    auto const size = static_cast<CodeSize>(input[0] % 3);
    auto const bytes = input.subspan(1, std::min(input.size() - 1, instruction_length_max));
    Decoded const ours = decode(bytes, size, true);

    Machine const machine = machine_of(size);
    ZydisDecoder decoder;
    ZydisDecodedInstruction theirs;
    CHECK(ZYAN_SUCCESS(ZydisDecoderInit(&decoder, machine.mode, machine.stack)), "Zydis");
    ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_AMD_BRANCHES, ZYAN_TRUE);
    bool const valid = ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, nullptr, bytes.data(), bytes.size(), &theirs));

    if (ours.status != DecodeStatus::ok) {
        require(!valid || only_theirs(theirs), "we reject what Zydis knows", input);
        return;
    }
    std::string_view const name = isa::row(ours.insn.id).name;
    if (only_ours(name)) return;
    require(valid, "Zydis rejects what we know", input);
    require(theirs.length == ours.insn.length, "lengths differ", input);
}

}  // namespace ramet::fuzz
