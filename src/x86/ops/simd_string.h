// PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM: string comparison as the manual's four steps. AMD64 APM volume 4,
// "PCMPESTRI": compare all pairs, override for bytes beyond the ends, aggregate, negate; then an index or a mask.
// Tests: the vectors of group sse41 (the set calls SSE4.2 so, too).
#pragma once

#include "x86/ops/flags.h"
#include "x86/ops/simd_lanes.h"

namespace ramet::ops {

/// Fields of the immediate.
struct StringControl {
    u8 imm;

    constexpr bool words() const { return imm & 1; }
    constexpr bool is_signed() const { return imm & 2; }
    constexpr unsigned aggregation() const { return imm >> 2 & 3; }
    constexpr unsigned polarity() const { return imm >> 4 & 3; }
    constexpr bool top() const { return imm & 0x40; }  ///< last index, or lanes instead of bits
    constexpr unsigned count() const { return words() ? 8 : 16; }
};

struct StringOperand {
    std::array<i32, 16> element = {};
    unsigned length = 0;
};

struct StringResult {
    u32 bits = 0;  ///< IntRes2
    Flags flags;
};

constexpr StringOperand string_operand(V128 v, StringControl control) {
    StringOperand s;
    for (unsigned i = 0; i < control.count(); ++i) {
        if (control.words()) {
            s.element[i] = control.is_signed() ? lanes<i16>(v)[i] : lanes<u16>(v)[i];
        } else {
            s.element[i] = control.is_signed() ? lanes<i8>(v)[i] : lanes<u8>(v)[i];
        }
    }
    return s;
}
/// The string ends at its first zero element.
constexpr StringOperand implicit_string(V128 v, StringControl control) {
    auto s = string_operand(v, control);
    while (s.length < control.count() && s.element[s.length] != 0) {
        ++s.length;
    }
    return s;
}
/// The length is the absolute value of a register, at most the number of elements.
constexpr StringOperand explicit_string(V128 v, i64 length, StringControl control) {
    auto s = string_operand(v, control);
    u64 const size = length < 0 ? u64{0} - static_cast<u64>(length) : static_cast<u64>(length);
    s.length = static_cast<unsigned>(size > control.count() ? control.count() : size);
    return s;
}

/// Step 3 for element j of b.
constexpr bool aggregate(const StringOperand& a, const StringOperand& b, unsigned j, StringControl control) {
    bool const b_valid = j < b.length;
    bool result = false;
    switch (control.aggregation()) {
    case 0:  // equal any: is the element in the set a?
        for (unsigned i = 0; i < a.length; ++i) {
            result |= b_valid && a.element[i] == b.element[j];
        }
        return result;
    case 1:  // ranges: is it between a pair of a?
        for (unsigned i = 0; i + 1 < a.length; i += 2) {
            result |= b_valid && a.element[i] <= b.element[j] && b.element[j] <= a.element[i + 1];
        }
        return result;
    case 2:  // equal each; beyond both ends is equal
        return j < a.length ? b_valid && a.element[j] == b.element[j] : !b_valid;
    default:  // equal ordered: does a start here? What lies beyond the register counts as equal.
        for (unsigned i = 0; i < a.length && j + i < control.count(); ++i) {
            if (j + i >= b.length || a.element[i] != b.element[j + i]) {
                return false;
            }
        }
        return true;
    }
}

constexpr StringResult compare_strings(const StringOperand& a, const StringOperand& b, StringControl control) {
    StringResult r;
    for (unsigned j = 0; j < control.count(); ++j) {
        bool const negated = control.polarity() == 1 || (control.polarity() == 3 && j < b.length);
        r.bits |= static_cast<u32>(aggregate(a, b, j, control) != negated) << j;
    }
    r.flags = Flags{}.c(r.bits != 0).z(b.length < control.count()).s(a.length < control.count()).o(r.bits & 1);
    return r;
}

/// For ECX.
constexpr u32 string_index(u32 bits, StringControl control) {
    if (bits == 0) {
        return control.count();
    }
    if (control.top()) {
        return static_cast<u32>(std::bit_width(bits)) - 1;
    }
    return static_cast<u32>(std::countr_zero(bits));
}
/// For XMM0.
constexpr V128 string_mask(u32 bits, StringControl control) {
    if (!control.top()) {
        return {bits, 0};
    }
    Lanes<u8> r = {};
    unsigned const width = 16 / control.count();
    for (unsigned i = 0; i < 16; ++i) {
        r[i] = bits >> i / width & 1 ? 0xff : 0;
    }
    return from_lanes(r);
}

}  // namespace ramet::ops
