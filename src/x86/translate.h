// Makes the ops of a block: a fast handler for each decoded instruction or for a comparison with the jump behind it, as x86/choose.h has them. What has none
// gets the one that runs the instruction exactly: the fast handlers are a list of optimisations, not the semantics.
#pragma once

#include <span>
#include <vector>

#include "x86/block.h"

namespace ramet {

/// Ops of a block that starts at page offset `offset`, all with `left`, `next` and `insn` set. The last one ends the block.
std::vector<Op> translate(std::span<const Insn> insns, unsigned offset, u32 mode);

/// The op of an instruction that begins at `offset` and ends on the next page.
Op straddling_op(const Insn& insn, unsigned offset);

/// No instruction of the block may follow this one.
bool ends_block(const Insn& insn);

}  // namespace ramet
