#include "disassemble.h"

#include <Zydis/Zydis.h>

#include <array>

namespace ramet::vectors {

std::string disassemble(Mode mode, u64 address, std::span<const u8> bytes) {
    ZydisMachineMode machine = ZYDIS_MACHINE_MODE_LONG_64;
    ZydisStackWidth stack = ZYDIS_STACK_WIDTH_64;
    if (mode == Mode::real16) {
        machine = ZYDIS_MACHINE_MODE_REAL_16;
        stack = ZYDIS_STACK_WIDTH_16;
    } else if (mode != Mode::long64) {
        machine = ZYDIS_MACHINE_MODE_LEGACY_32;
        stack = ZYDIS_STACK_WIDTH_32;
    }
    ZydisDecoder decoder;
    ZydisDecodedInstruction instruction;
    std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
    ZydisFormatter formatter;
    std::array<char, 256> text;
    if (!ZYAN_SUCCESS(ZydisDecoderInit(&decoder, machine, stack)) ||
        !ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes.data(), bytes.size(), &instruction, operands.data())) ||
        !ZYAN_SUCCESS(ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL)) ||
        !ZYAN_SUCCESS(ZydisFormatterFormatInstruction(&formatter, &instruction, operands.data(),
                                                      instruction.operand_count_visible, text.data(), text.size(),
                                                      address, nullptr))) {
        return "(invalid)";
    }
    return text.data();
}

}  // namespace ramet::vectors
