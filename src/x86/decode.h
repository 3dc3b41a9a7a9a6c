// Decoder: bytes and code size → Insn. Pure; knows no CPU. Prefix rules and field order: AMD64 APM volume 3, chapter 1.
#pragma once

#include <span>

#include "x86/insn.h"

namespace ramet {

enum class CodeSize : u8 { bits16, bits32, bits64 };

enum class DecodeStatus : u8 {
    ok,
    truncated,  ///< the bytes given end inside the instruction
    invalid,    ///< #UD; `length` bytes were needed to know
    too_long,   ///< more than 15 bytes: #GP
};

struct Decoded {
    DecodeStatus status = DecodeStatus::invalid;
    Insn insn = {};
};

inline constexpr std::size_t instruction_length_max = 15;

Decoded decode(std::span<const u8> bytes, CodeSize size, bool model_v2);

}  // namespace ramet
