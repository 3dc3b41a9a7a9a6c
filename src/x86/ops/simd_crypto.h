// AES and carry-less multiplication, in portable C++. FIPS 197 for AES; AMD64 APM volume 4 for the instructions.
// The S-box is computed at compile time from its definition. Not constant-time: guests' secrets are not our host's.
// Tests: the vectors of group aes_pclmul.
#pragma once

#include "x86/ops/simd_lanes.h"

namespace ramet::ops {

namespace aes {

/// Product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1.
constexpr u8 multiply(u8 a, u8 b) {
    unsigned product = 0;
    unsigned shifted = a;
    for (unsigned bits = b; bits != 0; bits >>= 1) {
        product ^= bits & 1 ? shifted : 0;
        shifted = shifted << 1 ^ (shifted & 0x80 ? 0x11b : 0);
    }
    return static_cast<u8>(product);
}

/// Inverse in the field (a^254), then the affine transformation.
constexpr u8 substitute(u8 a) {
    u8 inverse = 1;
    for (unsigned i = 0; i < 254; ++i) {
        inverse = multiply(inverse, a);
    }
    return static_cast<u8>(inverse ^ std::rotl(inverse, 1) ^ std::rotl(inverse, 2) ^ std::rotl(inverse, 3) ^
                           std::rotl(inverse, 4) ^ 0x63);
}

struct Boxes {
    std::array<u8, 256> forward = {};
    std::array<u8, 256> inverse = {};
};
constexpr Boxes make_boxes() {
    Boxes boxes;
    // 3 generates the field, and f6 is its inverse: walk through all pairs of inverses instead of searching them.
    u8 p = 1;
    u8 q = 1;
    boxes.forward[0] = 0x63;
    do {
        p = multiply(p, 3);
        q = multiply(q, 0xf6);
        boxes.forward[p] = static_cast<u8>(q ^ std::rotl(q, 1) ^ std::rotl(q, 2) ^ std::rotl(q, 3) ^ std::rotl(q, 4) ^ 0x63);
    } while (p != 1);
    for (unsigned i = 0; i < 256; ++i) {
        boxes.inverse[boxes.forward[i]] = static_cast<u8>(i);
    }
    return boxes;
}
inline constexpr Boxes boxes = make_boxes();
static_assert(boxes.forward[0x53] == 0xed && boxes.forward[0x53] == substitute(0x53) && boxes.inverse[0xed] == 0x53);

/// Row r of the state (byte r of each column) rotates by r columns; step 1 forward, 3 back.
constexpr V128 shift_rows(V128 state, unsigned step) {
    auto const x = lanes<u8>(state);
    Lanes<u8> r = {};
    for (unsigned i = 0; i < 16; ++i) {
        r[i] = x[(i + 4 * step * (i & 3)) & 15];
    }
    return from_lanes(r);
}
constexpr V128 substitute_bytes(V128 state, const std::array<u8, 256>& box) {
    return each<u8>(state, [&](u8 byte) { return box[byte]; });
}
/// Each column times the polynomial with these coefficients.
constexpr V128 mix_columns(V128 state, std::array<u8, 4> factor) {
    auto const x = lanes<u8>(state);
    Lanes<u8> r = {};
    for (unsigned i = 0; i < 16; ++i) {
        for (unsigned j = 0; j < 4; ++j) {
            r[i] = static_cast<u8>(r[i] ^ multiply(x[(i & 12) + j], factor[(j - i) & 3]));
        }
    }
    return from_lanes(r);
}
inline constexpr std::array<u8, 4> forward_column = {2, 3, 1, 1};
inline constexpr std::array<u8, 4> inverse_column = {0xe, 0xb, 0xd, 9};

constexpr V128 add_key(V128 a, V128 key) { return {a.lo ^ key.lo, a.hi ^ key.hi}; }

}  // namespace aes

constexpr V128 aesenclast(V128 a, V128 b) {
    return aes::add_key(aes::substitute_bytes(aes::shift_rows(a, 1), aes::boxes.forward), b);
}
constexpr V128 aesenc(V128 a, V128 b) {
    return aes::add_key(aes::mix_columns(aesenclast(a, {}), aes::forward_column), b);
}
constexpr V128 aesdeclast(V128 a, V128 b) {
    return aes::add_key(aes::substitute_bytes(aes::shift_rows(a, 3), aes::boxes.inverse), b);
}
constexpr V128 aesdec(V128 a, V128 b) {
    return aes::add_key(aes::mix_columns(aesdeclast(a, {}), aes::inverse_column), b);
}
constexpr V128 aesimc(V128, V128 b) { return aes::mix_columns(b, aes::inverse_column); }
constexpr V128 aeskeygenassist(V128, V128 b, u8 imm) {
    auto const x = lanes<u32>(aes::substitute_bytes(b, aes::boxes.forward));
    return from_lanes(Lanes<u32>{x[1], std::rotr(x[1], 8) ^ imm, x[3], std::rotr(x[3], 8) ^ imm});
}

constexpr V128 pclmulqdq(V128 a, V128 b, u8 imm) {
    u64 const x = imm & 1 ? a.hi : a.lo;
    u64 const y = imm & 0x10 ? b.hi : b.lo;
    V128 r = {};
    for (unsigned i = 0; i < 64; ++i) {
        if (y >> i & 1) {
            r.lo ^= x << i;
            r.hi ^= i == 0 ? 0 : x >> (64 - i);
        }
    }
    return r;
}
static_assert(pclmulqdq({3, 0}, {0, 3}, 0x10) == V128{5, 0});

}  // namespace ramet::ops
