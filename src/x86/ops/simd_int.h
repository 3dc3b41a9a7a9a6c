// Integer vectors of MMX and SSE2, as pure functions: a is the destination's old value, b the source.
// AMD64 APM volume 4 (128-bit) and volume 5 (64-bit). Operations of later extensions: simd_sse4.h, simd_crypto.h,
// simd_string.h. The host's SSE2 does most of it: integer instructions give the same bits on every CPU.
// Tests: the vectors of groups mmx and sse_int.
#pragma once

#include "x86/ops/simd_lanes.h"

namespace ramet::ops {

// Addition and subtraction: wrapping, signed and unsigned saturating.
inline V128 paddb(V128 a, V128 b) { return guest(_mm_add_epi8(host(a), host(b))); }
inline V128 paddw(V128 a, V128 b) { return guest(_mm_add_epi16(host(a), host(b))); }
inline V128 paddd(V128 a, V128 b) { return guest(_mm_add_epi32(host(a), host(b))); }
inline V128 paddq(V128 a, V128 b) { return guest(_mm_add_epi64(host(a), host(b))); }
inline V128 paddsb(V128 a, V128 b) { return guest(_mm_adds_epi8(host(a), host(b))); }
inline V128 paddsw(V128 a, V128 b) { return guest(_mm_adds_epi16(host(a), host(b))); }
inline V128 paddusb(V128 a, V128 b) { return guest(_mm_adds_epu8(host(a), host(b))); }
inline V128 paddusw(V128 a, V128 b) { return guest(_mm_adds_epu16(host(a), host(b))); }
inline V128 psubb(V128 a, V128 b) { return guest(_mm_sub_epi8(host(a), host(b))); }
inline V128 psubw(V128 a, V128 b) { return guest(_mm_sub_epi16(host(a), host(b))); }
inline V128 psubd(V128 a, V128 b) { return guest(_mm_sub_epi32(host(a), host(b))); }
inline V128 psubq(V128 a, V128 b) { return guest(_mm_sub_epi64(host(a), host(b))); }
inline V128 psubsb(V128 a, V128 b) { return guest(_mm_subs_epi8(host(a), host(b))); }
inline V128 psubsw(V128 a, V128 b) { return guest(_mm_subs_epi16(host(a), host(b))); }
inline V128 psubusb(V128 a, V128 b) { return guest(_mm_subs_epu8(host(a), host(b))); }
inline V128 psubusw(V128 a, V128 b) { return guest(_mm_subs_epu16(host(a), host(b))); }

// Multiplication, averages, extremes, distances.
inline V128 pmullw(V128 a, V128 b) { return guest(_mm_mullo_epi16(host(a), host(b))); }
inline V128 pmulhw(V128 a, V128 b) { return guest(_mm_mulhi_epi16(host(a), host(b))); }
inline V128 pmulhuw(V128 a, V128 b) { return guest(_mm_mulhi_epu16(host(a), host(b))); }
inline V128 pmuludq(V128 a, V128 b) { return guest(_mm_mul_epu32(host(a), host(b))); }
inline V128 pmaddwd(V128 a, V128 b) { return guest(_mm_madd_epi16(host(a), host(b))); }
inline V128 pavgb(V128 a, V128 b) { return guest(_mm_avg_epu8(host(a), host(b))); }
inline V128 pavgw(V128 a, V128 b) { return guest(_mm_avg_epu16(host(a), host(b))); }
inline V128 pminub(V128 a, V128 b) { return guest(_mm_min_epu8(host(a), host(b))); }
inline V128 pmaxub(V128 a, V128 b) { return guest(_mm_max_epu8(host(a), host(b))); }
inline V128 pminsw(V128 a, V128 b) { return guest(_mm_min_epi16(host(a), host(b))); }
inline V128 pmaxsw(V128 a, V128 b) { return guest(_mm_max_epi16(host(a), host(b))); }
inline V128 psadbw(V128 a, V128 b) { return guest(_mm_sad_epu8(host(a), host(b))); }

// Comparison: all ones or all zeros.
inline V128 pcmpeqb(V128 a, V128 b) { return guest(_mm_cmpeq_epi8(host(a), host(b))); }
inline V128 pcmpeqw(V128 a, V128 b) { return guest(_mm_cmpeq_epi16(host(a), host(b))); }
inline V128 pcmpeqd(V128 a, V128 b) { return guest(_mm_cmpeq_epi32(host(a), host(b))); }
inline V128 pcmpgtb(V128 a, V128 b) { return guest(_mm_cmpgt_epi8(host(a), host(b))); }
inline V128 pcmpgtw(V128 a, V128 b) { return guest(_mm_cmpgt_epi16(host(a), host(b))); }
inline V128 pcmpgtd(V128 a, V128 b) { return guest(_mm_cmpgt_epi32(host(a), host(b))); }

// Logic. ANDPS and its like are these, too.
constexpr V128 pand(V128 a, V128 b) { return {a.lo & b.lo, a.hi & b.hi}; }
constexpr V128 pandn(V128 a, V128 b) { return {~a.lo & b.lo, ~a.hi & b.hi}; }
constexpr V128 por(V128 a, V128 b) { return {a.lo | b.lo, a.hi | b.hi}; }
constexpr V128 pxor(V128 a, V128 b) { return {a.lo ^ b.lo, a.hi ^ b.hi}; }

// Shifts of lanes by the low quadword of b; counts beyond the lane give zero, or copies of the sign.
inline V128 psllw(V128 a, V128 b) { return guest(_mm_sll_epi16(host(a), host(b))); }
inline V128 pslld(V128 a, V128 b) { return guest(_mm_sll_epi32(host(a), host(b))); }
inline V128 psllq(V128 a, V128 b) { return guest(_mm_sll_epi64(host(a), host(b))); }
inline V128 psrlw(V128 a, V128 b) { return guest(_mm_srl_epi16(host(a), host(b))); }
inline V128 psrld(V128 a, V128 b) { return guest(_mm_srl_epi32(host(a), host(b))); }
inline V128 psrlq(V128 a, V128 b) { return guest(_mm_srl_epi64(host(a), host(b))); }
inline V128 psraw(V128 a, V128 b) { return guest(_mm_sra_epi16(host(a), host(b))); }
inline V128 psrad(V128 a, V128 b) { return guest(_mm_sra_epi32(host(a), host(b))); }

/// The same with the count as an immediate.
template <V128 shift(V128, V128)>
V128 by_immediate(V128 a, u8 imm) {
    return shift(a, {imm, 0});
}

// Shifts of the whole register by bytes.
constexpr V128 pslldq(V128 a, u8 imm) {
    unsigned const bits = (imm & 7) * 8;
    if (imm >= 16) {
        return {};
    }
    if (imm >= 8) {
        return {0, a.lo << bits};
    }
    return bits == 0 ? a : V128{a.lo << bits, a.hi << bits | a.lo >> (64 - bits)};
}
constexpr V128 psrldq(V128 a, u8 imm) {
    unsigned const bits = (imm & 7) * 8;
    if (imm >= 16) {
        return {};
    }
    if (imm >= 8) {
        return {a.hi >> bits, 0};
    }
    return bits == 0 ? a : V128{a.lo >> bits | a.hi << (64 - bits), a.hi >> bits};
}
static_assert(pslldq({0x11, 0x22}, 9) == V128{0, 0x1100});
static_assert(psrldq({0x11, 0x2233}, 1) == V128{0x33ull << 56, 0x22});

// Interleaving, the lower or the upper halves of both.
inline V128 punpcklbw(V128 a, V128 b) { return guest(_mm_unpacklo_epi8(host(a), host(b))); }
inline V128 punpcklwd(V128 a, V128 b) { return guest(_mm_unpacklo_epi16(host(a), host(b))); }
inline V128 punpckldq(V128 a, V128 b) { return guest(_mm_unpacklo_epi32(host(a), host(b))); }
constexpr V128 punpcklqdq(V128 a, V128 b) { return {a.lo, b.lo}; }
inline V128 punpckhbw(V128 a, V128 b) { return guest(_mm_unpackhi_epi8(host(a), host(b))); }
inline V128 punpckhwd(V128 a, V128 b) { return guest(_mm_unpackhi_epi16(host(a), host(b))); }
inline V128 punpckhdq(V128 a, V128 b) { return guest(_mm_unpackhi_epi32(host(a), host(b))); }
constexpr V128 punpckhqdq(V128 a, V128 b) { return {a.hi, b.hi}; }
inline V128 punpckhbw_mm(V128 a, V128 b) { return {punpcklbw(a, b).hi, 0}; }
inline V128 punpckhwd_mm(V128 a, V128 b) { return {punpcklwd(a, b).hi, 0}; }
inline V128 punpckhdq_mm(V128 a, V128 b) { return {punpckldq(a, b).hi, 0}; }

// Packing with saturation.
inline V128 packsswb(V128 a, V128 b) { return guest(_mm_packs_epi16(host(a), host(b))); }
inline V128 packssdw(V128 a, V128 b) { return guest(_mm_packs_epi32(host(a), host(b))); }
inline V128 packuswb(V128 a, V128 b) { return guest(_mm_packus_epi16(host(a), host(b))); }
inline V128 packsswb_mm(V128 a, V128 b) { return packsswb(joined(a, b), {}); }
inline V128 packssdw_mm(V128 a, V128 b) { return packssdw(joined(a, b), {}); }
inline V128 packuswb_mm(V128 a, V128 b) { return packuswb(joined(a, b), {}); }

// Shuffles by an immediate: two bits for each lane of the result.
constexpr u64 shuffle_words(u64 words, u8 imm) {
    u64 result = 0;
    for (unsigned i = 0; i < 4; ++i) {
        result |= (words >> (imm >> 2 * i & 3) * 16 & 0xffff) << 16 * i;
    }
    return result;
}
constexpr V128 pshuflw(V128, V128 b, u8 imm) { return {shuffle_words(b.lo, imm), b.hi}; }
constexpr V128 pshufhw(V128, V128 b, u8 imm) { return {b.lo, shuffle_words(b.hi, imm)}; }
constexpr V128 pshufw_mm(V128, V128 b, u8 imm) { return {shuffle_words(b.lo, imm), 0}; }
constexpr V128 shufps(V128 a, V128 b, u8 imm) {
    auto const x = lanes<u32>(a);
    auto const y = lanes<u32>(b);
    return from_lanes(Lanes<u32>{x[imm & 3], x[imm >> 2 & 3], y[imm >> 4 & 3], y[imm >> 6]});
}
constexpr V128 pshufd(V128, V128 b, u8 imm) { return shufps(b, b, imm); }
constexpr V128 shufpd(V128 a, V128 b, u8 imm) { return {imm & 1 ? a.hi : a.lo, imm & 2 ? b.hi : b.lo}; }
static_assert(pshuflw({}, {0x0004000300020001, 7}, 0x1b) == V128{0x0001000200030004, 7});

// One word in or out.
constexpr V128 pinsrw(V128 a, u64 word, u8 imm) {
    auto x = lanes<u16>(a);
    x[imm & 7] = static_cast<u16>(word);
    return from_lanes(x);
}
constexpr u64 pextrw(V128 b, u8 imm) { return lanes<u16>(b)[imm & 7]; }
constexpr V128 pinsrw_mm(V128 a, u64 word, u8 imm) { return pinsrw(a, word, imm & 3); }
constexpr u64 pextrw_mm(V128 b, u8 imm) { return pextrw(b, imm & 3); }

// Sign bits as an integer.
inline u64 pmovmskb(V128 b) { return static_cast<u32>(_mm_movemask_epi8(host(b))); }
constexpr u64 movmskpd(V128 b) { return b.lo >> 63 | b.hi >> 63 << 1; }
constexpr u64 movmskps(V128 b) {
    return (b.lo >> 31 & 1) | (b.lo >> 63) << 1 | (b.hi >> 31 & 1) << 2 | (b.hi >> 63) << 3;
}

/// Bytes of a where the sign of the mask's byte is set, for MASKMOVDQU and MASKMOVQ.
constexpr u16 byte_mask(V128 mask) {
    auto const x = lanes<i8>(mask);
    u16 bits = 0;
    for (unsigned i = 0; i < 16; ++i) {
        bits = static_cast<u16>(bits | (x[i] < 0) << i);
    }
    return bits;
}

}  // namespace ramet::ops
