// Dispatch of the MMX and SSE rows.
#include "x86/exec/simd.h"
#include "x86/exec/tables.h"
#include "x86/fpu/sse_arith.h"
#include "x86/fpu/sse_extended.h"
#include "x86/ops/simd_crypto.h"
#include "x86/ops/simd_move.h"
#include "x86/ops/simd_sse4.h"

namespace ramet::exec {

namespace {

/// Where rows find their operations.
namespace vector {
using namespace ops;
using namespace fpu;
}  // namespace vector

using namespace isa;

}  // namespace

#define SIMD(id, encoding, operands, operation, flags, traits, cost) \
    simd<parse_operands(operands), (traits),                         \
         [](auto... inputs) requires requires { vector::operation(inputs...); } { return vector::operation(inputs...); }>(),
#define SPECIAL(id, encoding, operands, operation, flags, traits, cost) special(&operation),

constexpr ExecSet mmx_table[] = {
#include "x86/isa/mmx.def"
};
constexpr ExecSet sse_table[] = {
#include "x86/isa/sse.def"
};

std::span<const ExecSet> mmx_rows() { return mmx_table; }
std::span<const ExecSet> sse_rows() { return sse_table; }

}  // namespace ramet::exec
