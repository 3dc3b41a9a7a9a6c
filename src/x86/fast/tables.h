// The fast handlers by operation, operand size and operand form; what x86/translate.cpp chooses from.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "x86/fast/handler.h"

namespace ramet::fast {

using ByAddress = std::array<Handler, address_forms>;

/// Two operands: destination ← destination ∘ source.
/// The quiet handlers leave the flags alone, for where nobody will look at them; nullptr: there are none.
struct AluForms {
    Handler quiet_reg, quiet_imm;
    Handler reg_reg, reg_imm;
    ByAddress reg_mem, mem_reg, mem_imm;
};
using AluBySize = std::array<AluForms, 4>;  // 1, 2, 4, 8 bytes

/// nullptr: no fast handlers for this operation of the instruction table.
const AluBySize* alu(std::string_view operation);
const AluBySize* alu_logic(std::string_view operation);  ///< the part of it in alu_logic.cpp

/// One operand: INC, DEC, NEG, NOT in a register or in memory.
struct UnaryForms {
    Handler quiet, reg;
    ByAddress mem;
};
using UnaryBySize = std::array<UnaryForms, 4>;
const UnaryBySize* unary(std::string_view operation);

/// Shifts and rotations of a register or of memory by an immediate that is not zero when masked, or by CL.
struct ShiftForms {
    Handler quiet, imm, cl;
    ByAddress mem_imm, mem_cl;
};
using ShiftBySize = std::array<ShiftForms, 4>;
const ShiftBySize* shift(std::string_view operation);

/// A register receives something else from a register or from memory.
struct LoadForms {
    Handler reg;
    ByAddress mem;
};
/// MOVZX, MOVSX, MOVSXD by source size (b, w, d) and destination size (w, d, q).
const LoadForms& extend(bool is_signed, unsigned source_size, unsigned destination_size);
/// CMOVcc (2, 4, 8 bytes); IMUL with two and three operands (4, 8 bytes).
const LoadForms& conditional_move(unsigned condition, unsigned size);
const LoadForms& multiply(unsigned size);
const LoadForms& multiply_immediate(unsigned size);
/// MUL, IMUL, DIV, IDIV of the double accumulator (4, 8 bytes); nullptr for others.
const LoadForms* accumulate(std::string_view operation, unsigned size);

Handler set_condition(unsigned condition);
Handler load_effective(Address form, unsigned size);
/// BT, BTS, BTR, BTC (4, 8 bytes) of a register or of memory, by an immediate or a register; nullptr if there is none.
using BitForms = UnaryForms;
const BitForms* bit_operation(std::string_view operation, unsigned size, bool immediate);
/// SHLD, SHRD of a register (4, 8 bytes), as shift(), without forms of memory.
const ShiftForms* double_shift(std::string_view operation, unsigned size);
/// XCHG, XADD, CMPXCHG (4, 8 bytes) of memory and a register; `reg`, of two registers, may be nullptr.
const LoadForms* exchange(std::string_view operation, unsigned size);
Handler swap_bytes(unsigned size);
Handler widen_accumulator(unsigned size);      ///< CBW and its like
Handler sign_into_data(unsigned size);         ///< CWD and its like
Handler do_nothing();

/// size: of the stack and the operand, 8 or 4 bytes.
struct StackForms {
    Handler push_reg, push_imm, pop_reg, leave;
    ByAddress push_mem;
};
const StackForms& stack(unsigned size);

/// Branches. In-page ones follow links, the others use the jump cache.
Handler jump_in_page();
Handler jump_out_of_page(unsigned size);
Handler jump_if_in_page(unsigned condition);
Handler jump_if_out_of_page(unsigned condition, unsigned size);
Handler fall_through();        ///< the block ended, the page goes on
Handler fall_out_of_page();    ///< the page ended
struct CallForms {
    Handler in_page, out_of_page, reg, ret, ret_imm, jump_reg;
    ByAddress mem, jump_mem;
};
const CallForms& calls(unsigned size);

/// CMP, TEST, ADD, SUB, AND, INC, DEC and an in-page Jcc in one op; nullptr where there is none.
Handler fused(std::string_view operation, unsigned size, unsigned condition, bool immediate);
Handler fused_memory(std::string_view operation, unsigned size, unsigned condition, Address form, bool memory_first, bool immediate);

/// SSE rows. XMM registers are byte offsets from the first one.
struct SimdChoice {
    LoadForms forms;  ///< register form, and with memory as source or destination; nullptr where there is none
    bool destination_in_rm;
    bool vector_destination, vector_source;
};
std::optional<SimdChoice> simd(isa::Id id, bool wide);

}  // namespace ramet::fast
