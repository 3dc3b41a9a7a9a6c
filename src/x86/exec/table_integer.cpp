// Dispatch of the integer and system rows.
#include "x86/exec/tables.h"
#include "x86/ops/alu.h"
#include "x86/ops/bits.h"
#include "x86/ops/muldiv.h"
#include "x86/ops/shift.h"

namespace ramet::exec {

#define OP(id, encoding, operands, operation, flags, traits, cost)           \
    drive_all<isa::parse_operands(operands),                                 \
              []<class T>(auto... inputs) requires requires { ops::operation<T>(inputs...); } { return ops::operation<T>(inputs...); }>(),
#define SIZED(id, encoding, operands, operation, flags, traits, cost) \
    sized<isa::parse_operands(operands)>(&operation<u8>, &operation<u16>, &operation<u32>, &operation<u64>),
#define SPECIAL(id, encoding, operands, operation, flags, traits, cost) special(&operation),
#define SIMD(...)

constexpr ExecSet integer_table[] = {
#include "x86/isa/integer.def"
};
constexpr ExecSet integer_0f_table[] = {
#include "x86/isa/integer_0f.def"
};
constexpr ExecSet system_table[] = {
#include "x86/isa/system.def"
};

std::span<const ExecSet> integer_rows() { return integer_table; }
std::span<const ExecSet> integer_0f_rows() { return integer_0f_table; }
std::span<const ExecSet> system_rows() { return system_table; }

}  // namespace ramet::exec
