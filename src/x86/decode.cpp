#include "x86/decode.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "x86/cpu.h"

namespace ramet {

namespace {

using isa::Form;
using isa::Id;
using isa::Kind;
using isa::Prefix;
using isa::Row;
using isa::Size;

enum PrefixClass : u8 { class_none, class_66, class_F3, class_F2 };

/// Rows by map and opcode, and the row for each prefix class, ModRM.reg and "ModRM names a register".
class Index {
public:
    Index(bool mode64, bool model_v2) {
        shapes_.fill(Id::count);
        for (auto const& row : isa::all_rows()) note_shape(row);
        for (auto const& row : isa::all_rows()) {
            if (row.has(mode64 ? isa::no64 : isa::only64)) continue;
            if (row.has(isa::v2) && !model_v2) continue;
            for (unsigned i = 0; i < span(row); ++i) at(row.encoding.map, static_cast<u8>(row.encoding.opcode + i)).push_back(row.id);
        }
        for (unsigned map = 0; map < 4; ++map)
            for (unsigned opcode = 0; opcode < 256; ++opcode) fill(map, opcode);
    }

    bool has_modrm(unsigned map, u8 opcode) const { return modrm_[map * 256 + opcode]; }
    /// A row that tells which bytes belong to an instruction that may not exist in this mode or with this ModRM: what the processor
    /// fetches before it knows that it is invalid. Id::count: no such opcode anywhere.
    Id shape(unsigned map, u8 opcode, PrefixClass prefix) const {
        Id const id = shapes_[(map * 256 + opcode) * 4 + prefix];
        return id != Id::count ? id : shapes_[(map * 256 + opcode) * 4 + class_none];
    }

    /// The row, or Id::count.
    Id find(unsigned map, u8 opcode, PrefixClass prefix, u8 modrm) const {
        unsigned const slot = ((map * 256 + opcode) * 4 + prefix) * 16 + ((modrm >> 3 & 7) | (modrm >= 0xc0 ? 8 : 0));
        Id const id = table_[slot];
        return id == ambiguous ? best(map, opcode, prefix, modrm) : id;
    }

private:
    static constexpr Id ambiguous = Id{0xffff};

    std::vector<Id>& at(unsigned map, u8 opcode) { return lists_[map * 256 + opcode]; }

    static unsigned span(const Row& row) { return row.encoding.plus_r ? 8 : row.encoding.plus_cc ? 16 : 1; }

    /// The first row of an opcode for each prefix class; the first of all for no prefix.
    void note_shape(const Row& row) {
        for (unsigned i = 0; i < span(row); ++i) {
            unsigned const cell = row.encoding.map * 256u + row.encoding.opcode + i;
            modrm_[cell] = modrm_[cell] || row.encoding.modrm;
            for (unsigned prefix = 0; prefix < 4; ++prefix) {
                Id& shape = shapes_[cell * 4 + prefix];
                if (shape == Id::count && (prefix == class_none || prefix_rank(row.encoding.prefix, PrefixClass(prefix)) != 0)) shape = row.id;
            }
        }
    }

    static int prefix_rank(Prefix want, PrefixClass have) {
        switch (want) {
        case Prefix::any: return 1;
        case Prefix::np: return have == class_none ? 2 : 0;
        case Prefix::p66: return have == class_66 ? 2 : 0;
        case Prefix::pF3: return have == class_F3 ? 2 : 0;
        case Prefix::pF2: return have == class_F2 ? 2 : 0;
        }
        return 0;
    }

    /// More specific wins: an exact ModRM byte over an extension, a mandatory prefix over none.
    static int rank(const Row& row, PrefixClass prefix, u8 modrm) {
        auto const& e = row.encoding;
        if (e.exact >= 0 && e.exact != modrm) return 0;
        if (e.digit >= 0 && e.digit != (modrm >> 3 & 7)) return 0;
        Form const form = row.form();
        if (form == Form::memory && modrm >= 0xc0) return 0;
        if (form == Form::reg && modrm < 0xc0) return 0;
        int const p = prefix_rank(e.prefix, prefix);
        if (p == 0) return 0;
        return p + (e.exact >= 0 ? 8 : 0) + (e.digit >= 0 ? 4 : 0);
    }

    Id best(unsigned map, u8 opcode, PrefixClass prefix, u8 modrm) const {
        Id found = Id::count;
        int found_rank = 0;
        for (Id const id : lists_[map * 256 + opcode]) {
            int const r = rank(isa::row(id), prefix, modrm);
            if (r > found_rank) found = id, found_rank = r;
        }
        return found;
    }

    /// Opcodes without a row of their own for one ModRM byte need only one look for each register field.
    void fill(unsigned map, unsigned opcode) {
        unsigned const cell = map * 256 + opcode;
        bool const exact = std::ranges::any_of(lists_[cell], [](Id id) { return isa::row(id).encoding.exact >= 0; });
        for (unsigned prefix = 0; prefix < 4; ++prefix)
            for (unsigned c = 0; c < 16; ++c) {
                u8 const first = static_cast<u8>((c & 7) << 3 | (c & 8 ? 0xc0 : 0));
                Id const id = best(map, static_cast<u8>(opcode), PrefixClass(prefix), first);
                bool same = true;
                for (u8 rm = 1; exact && rm < 8; ++rm)
                    same = same && best(map, static_cast<u8>(opcode), PrefixClass(prefix), first | rm) == id;
                table_[(cell * 4 + prefix) * 16 + c] = same ? id : ambiguous;
            }
    }

    std::array<std::vector<Id>, 1024> lists_;
    std::array<bool, 1024> modrm_ = {};
    std::array<Id, 1024 * 4> shapes_;
    std::array<Id, 1024 * 64> table_;
};

/// Made when it is first asked for: a process that runs one instruction needs one of the four.
template <bool Mode64, bool ModelV2>
const Index& index_of() {
    static const auto made = std::make_unique<const Index>(Mode64, ModelV2);
    return *made;
}

const Index& index_for(bool mode64, bool model_v2) {
    if (model_v2) return mode64 ? index_of<true, true>() : index_of<false, true>();
    return mode64 ? index_of<true, false>() : index_of<false, false>();
}

/// The bytes, read once from the front; reading past the end is remembered and gives zeros.
struct Cursor {
    std::span<const u8> bytes;
    std::size_t at = 0;

    u8 next() { return at < bytes.size() ? bytes[at++] : (++at, u8{0}); }
    u8 peek() const { return at < bytes.size() ? bytes[at] : u8{0}; }
    bool past_end() const { return at > bytes.size(); }
    u64 little(unsigned size) {
        u64 value = 0;
        for (unsigned i = 0; i < size; ++i) value |= u64{next()} << (8 * i);
        return value;
    }
    i64 little_signed(unsigned size) {
        unsigned const shift = 64 - 8 * size;
        return static_cast<i64>(little(size) << shift) >> shift;
    }
};

struct Prefixes {
    u8 segment = 0xff;
    bool operand = false, address = false;
};

void read_prefixes(Cursor& in, Insn& insn, Prefixes& p, bool mode64) {
    for (;;) {
        u8 const byte = in.peek();
        switch (byte) {
        case 0x26: p.segment = ES; break;
        case 0x2e: p.segment = CS; break;
        case 0x36: p.segment = SS; break;
        case 0x3e: p.segment = DS; break;
        case 0x64: p.segment = FS; break;
        case 0x65: p.segment = GS; break;
        case 0x66: p.operand = true; break;
        case 0x67: p.address = true; break;
        case 0xf0: insn.prefixes |= Insn::locked; break;
        case 0xf2:
        case 0xf3: insn.repeat = byte; break;
        default:
            if (!mode64 || (byte & 0xf0) != 0x40) return;
            insn.rex = byte;  // takes effect only directly before the opcode
            in.next();
            if (in.at >= instruction_length_max || in.past_end()) return;
            continue;
        }
        insn.rex = 0;
        in.next();
        if (in.at > instruction_length_max || in.past_end()) return;
    }
}

/// 16-bit addressing: base and index registers by ModRM.rm.
constexpr u8 base16[8] = {RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX};
constexpr u8 index16[8] = {RSI, RDI, RSI, RDI, no_register, no_register, no_register, no_register};

void read_address16(Cursor& in, Insn& insn) {
    unsigned const mod = insn.modrm >> 6, rm = insn.modrm & 7;
    if (mod == 0 && rm == 6) {
        insn.displacement = static_cast<i32>(in.little(2));
        return;
    }
    insn.base = base16[rm];
    insn.index = index16[rm];
    if (mod == 1) insn.displacement = static_cast<i32>(in.little_signed(1));
    if (mod == 2) insn.displacement = static_cast<i32>(in.little_signed(2));
}

void read_address(Cursor& in, Insn& insn, bool mode64) {
    unsigned const mod = insn.modrm >> 6;
    unsigned base = insn.modrm & 7;
    if (base == 4) {
        u8 const sib = in.next();
        base = sib & 7;
        unsigned const index = (sib >> 3 & 7u) | (insn.rex & 2u) << 2;
        if (index != 4) {
            insn.index = static_cast<u8>(index);
            insn.scale = sib >> 6;
        }
        if (base == 5 && mod == 0) base = no_register;
    } else if (base == 5 && mod == 0) {
        base = mode64 ? rip_register : no_register;
    }
    if (base == no_register || base == rip_register || mod == 2) insn.displacement = static_cast<i32>(in.little_signed(4));
    else if (mod == 1) insn.displacement = static_cast<i32>(in.little_signed(1));
    insn.base = base < 8 ? static_cast<u8>(base | (insn.rex & 1u) << 3) : static_cast<u8>(base);
}

unsigned immediate_size(isa::Operand o, const Insn& insn) {
    switch (o.size) {
    case Size::w: return 2;
    case Size::z: return insn.operand_size == 2 ? 2 : 4;
    case Size::v: return insn.operand_size;
    default: return 1;
    }
}

void read_immediates(Cursor& in, Insn& insn, const Row& row) {
    bool first = true;
    for (auto const& o : row.operands.list) {
        if (o.kind == Kind::O) insn.immediate = in.little(insn.address_size);
        else if (o.kind == Kind::A) {
            insn.immediate = in.little(insn.operand_size == 2 ? 2 : 4);
            insn.selector = static_cast<u16>(in.little(2));
        } else if (o.kind == Kind::I || o.kind == Kind::J) {
            unsigned const size = immediate_size(o, insn);
            bool const extend = o.kind == Kind::J || o.size == Size::s || o.size == Size::z;
            u64 const value = extend ? static_cast<u64>(in.little_signed(size)) : in.little(size);
            if (first) insn.immediate = value;
            else insn.selector = static_cast<u16>(value);
            first = false;
        }
    }
}

/// Moves of control and debug registers take ModRM.mod as 3 whatever it says.
bool ignores_mod(const Row& row) {
    for (auto const& o : row.operands.list)
        if (o.kind == Kind::C || o.kind == Kind::D) return true;
    return false;
}

bool lock_allowed(const Insn& insn, const Row& row) { return row.has(isa::lock) && row.encoding.modrm && insn.memory(); }

u8 operand_size(const Insn& insn, const Prefixes& p, const Row& row, CodeSize size) {
    if (size == CodeSize::bits64) {
        if (insn.rex & 8) return 8;
        if (p.operand) return 2;
        return row.has(isa::def64) ? 8 : 4;
    }
    return (size == CodeSize::bits32) != p.operand ? 4 : 2;
}

Decoded finish(DecodeStatus status, Cursor const& in, Insn insn) {
    if (in.past_end() && in.bytes.size() < instruction_length_max) return {DecodeStatus::truncated, insn};
    if (in.at > instruction_length_max) return {DecodeStatus::too_long, insn};
    insn.length = static_cast<u8>(in.at);
    return {status, insn};
}

}  // namespace

Decoded decode(std::span<const u8> bytes, CodeSize size, bool model_v2) {
    bool const mode64 = size == CodeSize::bits64;
    Index const& index = index_for(mode64, model_v2);
    Cursor in{bytes};
    Insn insn;
    insn.modrm = 0xc0;
    Prefixes p;
    read_prefixes(in, insn, p, mode64);
    if (p.operand) insn.prefixes |= Insn::operand_prefix;

    unsigned map = 0;
    insn.opcode = in.next();
    if (insn.opcode == 0x0f) {
        map = 1;
        insn.opcode = in.next();
        if (insn.opcode == 0x38 || insn.opcode == 0x3a) {
            map = insn.opcode == 0x38 ? 2 : 3;
            insn.opcode = in.next();
        }
    }
    PrefixClass const prefix = insn.repeat == 0xf3 ? class_F3 : insn.repeat == 0xf2 ? class_F2 : p.operand ? class_66 : class_none;
    Id const shape = index.shape(map, insn.opcode, prefix);
    if (shape == Id::count) return finish(DecodeStatus::invalid, in, insn);
    bool const modrm = index.has_modrm(map, insn.opcode);
    if (modrm) insn.modrm = in.next();
    Id const id = index.find(map, insn.opcode, prefix, insn.modrm);
    Row const& row = isa::row(id != Id::count ? id : shape);
    insn.id = row.id;
    insn.operand_size = operand_size(insn, p, row, size);
    insn.address_size = mode64 ? (p.address ? 4 : 8) : (size == CodeSize::bits32) != p.address ? 4 : 2;

    if (ignores_mod(row)) insn.modrm |= 0xc0;
    if (modrm && insn.memory()) {
        if (insn.address_size == 2) read_address16(in, insn);
        else read_address(in, insn, mode64);
    }
    bool const stack_based = modrm && insn.memory() && (insn.base == RBP || insn.base == RSP);
    insn.segment = stack_based ? SS : DS;
    if (p.segment != 0xff && (!mode64 || p.segment >= FS)) {
        insn.segment = p.segment;
        insn.prefixes |= Insn::segment_override;
    }
    read_immediates(in, insn, row);
    if (id == Id::count) return finish(DecodeStatus::invalid, in, insn);
    if ((insn.prefixes & Insn::locked) && !lock_allowed(insn, row)) return finish(DecodeStatus::invalid, in, insn);
    return finish(DecodeStatus::ok, in, insn);
}

}  // namespace ramet
