// The instruction set as one table. Each line of isa/*.def is a Row: encoding, operands, operation, flags, traits, cost.
// Decoder index, dispatch, coverage lists and documentation are derived from it; nobody else knows an opcode.
//
//  OP     (id, encoding, operands, operation, flags, traits, cost)  a pure operation of x86/ops, sized by its first operand
//  SIMD   (…)                                                       a pure operation on vectors (x86/exec/simd.h)
//  X87    (…)                                                       a function on the x87 unit (x86/exec/x87.h)
//  SIZED  (…)                                                       a template <Word T> Fault f(Core&, const Insn&) of x86/exec
//  SPECIAL(…)                                                       a function Fault f(Core&, const Insn&) of x86/exec
//
// Encoding: an optional mandatory prefix (NP, 66, F2, F3), the opcode bytes in hex (0F, 0F 38, 0F 3A maps), then one of
//   /r (ModRM), /0../7 (opcode extension in ModRM.reg), a hex byte (the exact ModRM byte); "+r": low three opcode bits
//   name a register; "+cc": low four opcode bits name a condition.
// Operands: "E" r/m, "G" reg, "M" memory only, "R" register only in r/m, "Z" register of +r, "I" immediate, "J" relative,
//   "O" offset address, "A" far address in the instruction, "S" segment register, "C"/"D" control/debug register,
//   "X"/"Y" string source DS:rSI / destination ES:rDI,
//   "V" xmm in reg, "W" xmm or memory, "U" xmm only in r/m, "P" mm in reg, "Q" mm or memory, "N" mm only in r/m,
//   "ST" x87 stack register in r/m; fixed AL, eAX (accumulator of the operand size), CL, DX, 1;
//   then the size: b w d q (1, 2, 4, 8 bytes), v (operand size), z (operand size, at most 4), y (4 or 8), x (16), u (16, any
//   alignment), t (10), p (far pointer), a (address only), s (sign-extended byte). Access after a colon: r, w, rw.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "base/types.h"

namespace ramet::isa {

enum class Id : u16 {
#define OP(id, ...) id,
#define SIMD(id, ...) id,
#define X87(id, ...) id,
#define SIZED(id, ...) id,
#define SPECIAL(id, ...) id,
#include "x86/isa/all.def"
#undef OP
#undef SIMD
#undef X87
#undef SIZED
#undef SPECIAL
    count
};
inline constexpr std::size_t row_count = static_cast<std::size_t>(Id::count);

/// Properties of a row beyond its operands; combined with |.
enum Trait : u32 {
    none = 0,
    lock = 1 << 0,     ///< LOCK allowed with a memory destination
    ends = 1 << 1,     ///< may change RIP, mode or interrupt state: last in its block
    no64 = 1 << 2,     ///< #UD in 64-bit mode
    only64 = 1 << 3,   ///< exists in 64-bit mode only
    def64 = 1 << 4,    ///< operand size 64 by default in 64-bit mode (32 cannot be encoded)
    rep = 1 << 5,      ///< a string instruction: REP repeats it, each iteration counts
    sse = 1 << 6,      ///< needs CR0.EM=0, TS=0, CR4.OSFXSR=1
    fp = 1 << 7,       ///< x87: needs CR0.EM=0, TS=0
    mmx = 1 << 8,      ///< MMX: #UD when CR0.EM=1, #NM when TS=1, #MF pending
    v2 = 1 << 9,       ///< part of CPU model ramet-v2 only
    fpwait = 1 << 10,  ///< x87 instruction that first reports a pending #MF
    sse_fp = 1 << 11,  ///< uses MXCSR: may raise #XM
};

enum class Kind : u8 { none, E, G, M, R, Z, I, J, O, A, S, C, D, X, Y, V, W, U, P, Q, N, ST, AL, eAX, CL, DX, one };
enum class Size : u8 { none, b, w, d, q, v, z, y, x, u, t, p, a, s };
enum class Access : u8 { none, r, w, rw };

struct Operand {
    Kind kind = Kind::none;
    Size size = Size::none;
    Access access = Access::none;
};
inline constexpr std::size_t operand_max = 4;
struct Operands {
    std::array<Operand, operand_max> list = {};
    u8 count = 0;
};

enum class Prefix : u8 { any, np, p66, pF3, pF2 };
enum class Form : u8 { any, memory, reg };  ///< which ModRM.mod a row accepts

struct Encoding {
    Prefix prefix = Prefix::any;
    u8 map = 0;           ///< 0: one byte, 1: 0F, 2: 0F 38, 3: 0F 3A
    u8 opcode = 0;
    bool modrm = false;
    bool plus_r = false;
    bool plus_cc = false;
    i8 digit = -1;        ///< ModRM.reg, or -1
    i16 exact = -1;       ///< the whole ModRM byte, or -1
};

struct Row {
    Id id = {};
    std::string_view name;
    Encoding encoding;
    Operands operands;
    std::string_view operation;
    std::string_view flags;
    u32 traits = 0;
    u16 cost = 1;

    constexpr bool has(u32 trait) const { return traits & trait; }
    constexpr Form form() const {
        for (auto const& o : operands.list) {
            if (o.kind == Kind::M) return Form::memory;
            if (o.kind == Kind::R || o.kind == Kind::U || o.kind == Kind::N || o.kind == Kind::ST) return Form::reg;
        }
        return Form::any;
    }
};

namespace detail {

consteval int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}
consteval int hex_byte(std::string_view word) {
    if (word.size() < 2 || hex_digit(word[0]) < 0 || hex_digit(word[1]) < 0) return -1;
    return hex_digit(word[0]) * 16 + hex_digit(word[1]);
}
consteval std::string_view next_word(std::string_view& text, char separator = ' ') {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    std::size_t const end = text.find(separator) == std::string_view::npos ? text.size() : text.find(separator);
    auto const word = text.substr(0, end);
    text.remove_prefix(end < text.size() ? end + 1 : end);
    return word;
}

}  // namespace detail

consteval Encoding parse_encoding(std::string_view text) {
    Encoding e;
    bool have_opcode = false, second_byte = false;
    for (auto word = detail::next_word(text); !word.empty(); word = detail::next_word(text)) {
        if (word == "NP") e.prefix = Prefix::np;
        else if (word == "/r") e.modrm = true;
        else if (word[0] == '/') {
            if (word.size() != 2 || word[1] < '0' || word[1] > '7') throw "bad opcode extension";
            e.modrm = true;
            e.digit = static_cast<i8>(word[1] - '0');
        } else {
            int const byte = detail::hex_byte(word);
            if (byte < 0) throw "bad hex byte";
            if (have_opcode) {
                e.modrm = true;
                e.exact = static_cast<i16>(byte);
            } else if (!second_byte && word.size() == 2 && byte == 0x0F) second_byte = true, e.map = 1;
            else if (!second_byte && e.prefix == Prefix::any && word.size() == 2 && text.size() >= 2 && text.substr(0, 2) == "0F" &&
                     (byte == 0x66 || byte == 0xF2 || byte == 0xF3)) {
                e.prefix = byte == 0x66 ? Prefix::p66 : byte == 0xF2 ? Prefix::pF2 : Prefix::pF3;
            } else if (!second_byte && byte == 0xF3 && text == "90") e.prefix = Prefix::pF3;
            else if (second_byte && e.map == 1 && byte == 0x38) e.map = 2;
            else if (second_byte && e.map == 1 && byte == 0x3A) e.map = 3;
            else {
                e.opcode = static_cast<u8>(byte);
                have_opcode = true;
                auto const rest = word.substr(2);
                if (rest == "+r") e.plus_r = true;
                else if (rest == "+cc") e.plus_cc = true;
                else if (!rest.empty()) throw "bad opcode suffix";
            }
        }
    }
    if (!have_opcode) throw "no opcode";
    return e;
}

consteval Operand parse_operand(std::string_view text) {
    Operand o;
    auto const colon = text.find(':');
    auto const what = text.substr(0, colon == std::string_view::npos ? text.size() : colon);
    auto const access = colon == std::string_view::npos ? std::string_view{"r"} : text.substr(colon + 1);
    o.access = access == "r" ? Access::r : access == "w" ? Access::w : access == "rw" ? Access::rw : throw "bad access";
    if (what == "AL") return {Kind::AL, Size::b, o.access};
    if (what == "CL") return {Kind::CL, Size::b, o.access};
    if (what == "DX") return {Kind::DX, Size::w, o.access};
    if (what == "1") return {Kind::one, Size::b, o.access};
    if (what == "eAX") return {Kind::eAX, Size::v, o.access};
    if (what == "STi") return {Kind::ST, Size::t, o.access};
    if (what.size() != 2) throw "an operand is a kind and a size";
    constexpr std::string_view kinds = "EGMRZIJOASCDXYVWUPQN", sizes = "bwdqvzyxutpas";
    constexpr Kind kind_of[] = {Kind::E, Kind::G, Kind::M, Kind::R, Kind::Z, Kind::I, Kind::J, Kind::O, Kind::A,
                                Kind::S, Kind::C, Kind::D, Kind::X, Kind::Y, Kind::V, Kind::W, Kind::U, Kind::P, Kind::Q, Kind::N};
    auto const k = kinds.find(what[0]), s = sizes.find(what[1]);
    if (k == std::string_view::npos || s == std::string_view::npos) throw "unknown operand letter";
    o.kind = kind_of[k];
    o.size = static_cast<Size>(s + 1);
    return o;
}

consteval Operands parse_operands(std::string_view text) {
    Operands list;
    while (!text.empty()) {
        auto const word = detail::next_word(text, ',');
        if (word.empty()) break;
        if (list.count == operand_max) throw "too many operands";
        list.list[list.count++] = parse_operand(word);
    }
    return list;
}

/// The flags column: r:… (read), w:… (written), u:… (undefined, pinned by the operation), letters oszapc and d, i.
consteval std::string_view parse_flags(std::string_view text) {
    for (char const c : text)
        if (std::string_view{"rwu: oszapcdi"}.find(c) == std::string_view::npos) throw "unknown flag letter";
    return text;
}

extern const std::array<Row, row_count> rows;
inline std::span<const Row, row_count> all_rows() { return rows; }
inline const Row& row(Id id) { return rows[static_cast<std::size_t>(id)]; }

}  // namespace ramet::isa
