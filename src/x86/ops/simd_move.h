// Moves that keep, duplicate or clear a part of the destination: a is its old value, b the source. Scalar sources come in
// the low lane, zero-extended. AMD64 APM volume 4. Tests: vectors of group sse_mov.
#pragma once

#include "x86/ops/simd_lanes.h"

namespace ramet::ops {

constexpr u64 low_single = 0xffffffff;

/// Whole value; also loads, whose operand already is zero-extended to the register.
constexpr V128 move(V128, V128 b) { return b; }
constexpr V128 move_low_quad(V128, V128 b) { return {b.lo, 0}; }

/// MOVD and MOVQ between integer and vector registers.
constexpr V128 move_integer(V128, u64 b) { return {b, 0}; }
constexpr u64 low_integer(V128 b) { return b.lo; }

/// Register forms of MOVSS and MOVSD keep the rest.
constexpr V128 merge_single(V128 a, V128 b) { return {(a.lo & ~low_single) | (b.lo & low_single), a.hi}; }
constexpr V128 merge_low(V128 a, V128 b) { return {b.lo, a.hi}; }
/// MOVHPS and MOVLHPS; MOVHLPS.
constexpr V128 merge_high(V128 a, V128 b) { return {a.lo, b.lo}; }
constexpr V128 movhlps(V128 a, V128 b) { return {b.hi, a.hi}; }
/// MOVHPS to memory.
constexpr V128 high_half(V128, V128 b) { return {b.hi, 0}; }

constexpr V128 movddup(V128, V128 b) { return {b.lo, b.lo}; }
constexpr V128 movsldup(V128, V128 b) {
    auto const x = lanes<u32>(b);
    return from_lanes(Lanes<u32>{x[0], x[0], x[2], x[2]});
}
constexpr V128 movshdup(V128, V128 b) {
    auto const x = lanes<u32>(b);
    return from_lanes(Lanes<u32>{x[1], x[1], x[3], x[3]});
}

}  // namespace ramet::ops
