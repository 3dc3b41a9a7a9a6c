// Insn: one decoded instruction, a plain value of 32 bytes.
#pragma once

#include "base/types.h"
#include "x86/isa.h"

namespace ramet {

/// Register numbers of an effective address beyond the sixteen: absent, and the next instruction's address.
inline constexpr u8 no_register = 16;
inline constexpr u8 rip_register = 17;

struct Insn {
    isa::Id id = {};
    u8 length = 0;
    u8 operand_size = 0;  ///< 2, 4 or 8 bytes
    u8 address_size = 0;  ///< 2, 4 or 8 bytes
    u8 segment = 0;       ///< of the memory operand, overrides applied
    u8 repeat = 0;        ///< 0, F2 or F3
    u8 prefixes = 0;      ///< Insn::Flag
    u8 modrm = 0;
    u8 rex = 0;           ///< 40..4F, or 0
    u8 base = no_register;
    u8 index = no_register;
    u8 scale = 0;         ///< shift: 0..3
    u8 opcode = 0;        ///< last opcode byte: condition or register in its low bits
    u16 selector = 0;     ///< second immediate: far selector, ENTER's level
    i32 displacement = 0;
    u64 immediate = 0;    ///< sign-extended where the operand says so

    enum Flag : u8 { locked = 1, operand_prefix = 2, segment_override = 4 };

    constexpr bool memory() const { return modrm < 0xc0; }
    constexpr unsigned reg() const { return (modrm >> 3 & 7u) | (rex & 4u) << 1; }
    constexpr unsigned rm() const { return (modrm & 7u) | (rex & 1u) << 3; }
    constexpr unsigned opcode_reg() const { return (opcode & 7u) | (rex & 1u) << 3; }
    constexpr unsigned cc() const { return opcode & 15u; }
};

static_assert(sizeof(Insn) == 32);

}  // namespace ramet
