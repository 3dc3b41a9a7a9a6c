// Chooses a fast handler for one decoded instruction, and fills in its op.
#pragma once

#include "x86/block.h"
#include "x86/fast/tables.h"

namespace ramet {

/// What an op means for the flags of the ops before it.
enum class Flow : u8 {
    passes,  ///< neither reads nor writes flags, cannot fault
    sets,    ///< writes all of them, reads none, cannot fault
    alters,  ///< writes some and keeps the others, reads none, cannot fault
    looks,   ///< reads some, or may end the block here: they must be right before it
};

/// One instruction on its way to an op.
struct Choice {
    const Insn& insn;
    const isa::Row& row;
    u32 mode;
    Op op;
    fast::Address form = fast::Address::base64;
    bool addressable = false;  ///< the memory operand has a fast form
    Handler quiet = nullptr;   ///< for where nobody looks at the flags
    Flow flow = Flow::looks;

    bool code64() const { return (mode & mode::code_size) == 2; }
    std::size_t at() const { return static_cast<std::size_t>(form); }
};

inline bool in_page(u64 offset) { return offset < page_size; }

/// nullptr: there is none, or not for these operands or in this mode.
Handler choose(Choice& c);
/// One handler for a comparison and the jump behind it; nullptr where they stay two.
Handler choose_fused(Choice& c, const Insn& jump);

}  // namespace ramet
