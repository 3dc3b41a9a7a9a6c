#include "x86/choose.h"

#include <cstddef>

namespace ramet {

namespace {

using fast::Address;
using isa::Id;
using isa::Kind;

constexpr u8 zero_slot = offsetof(Core, zero);
constexpr u8 rip_slot = offsetof(Core, rip_base);
constexpr std::size_t gpr_slots = offsetof(Core, cpu) + offsetof(Cpu, gpr);
static_assert(gpr_slots + 16 * sizeof(u64) < 256, "register operands are one byte");

u8 gpr_slot(unsigned n) { return static_cast<u8>(gpr_slots + n * sizeof(u64)); }
/// AH..BH are the second bytes of the first four registers unless there is a REX prefix.
u8 slot_of(const Insn& insn, unsigned n, unsigned size) {
    bool const high = size == 1 && insn.rex == 0 && n >= 4 && n < 8;
    return high ? static_cast<u8>(gpr_slot(n - 4) + 1) : gpr_slot(n);
}

/// Puts the memory operand into the op; false when only the exact path can address it.
bool choose_address(Choice& c) {
    const Insn& insn = c.insn;
    if (insn.address_size == 2 || !(c.mode & mode::flat)) return false;
    bool const based = insn.segment == FS || insn.segment == GS;
    if (based ? !c.code64() || insn.address_size != 8 : insn.segment == CS && !c.code64()) return false;
    i64 displacement = insn.displacement;
    c.op.base = insn.base == no_register ? zero_slot : insn.base == rip_register ? rip_slot : gpr_slot(insn.base);
    if (insn.base == rip_register) displacement += c.op.next_offset();
    if (displacement != static_cast<i32>(displacement)) return false;
    c.op.displacement = static_cast<i32>(displacement);
    c.op.index = insn.index == no_register ? zero_slot : gpr_slot(insn.index);
    c.op.scale = insn.scale;
    c.op.aux = insn.segment;
    bool const indexed = insn.index != no_register;
    if (based) c.form = Address::segment64;
    else if (insn.address_size == 8) c.form = indexed ? Address::index64 : Address::base64;
    else c.form = indexed ? Address::index32 : Address::base32;
    return true;
}

unsigned size_index(unsigned size) { return size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3; }

unsigned operand_size(isa::Operand o, const Insn& insn) {
    switch (o.size) {
    case isa::Size::b: return 1;
    case isa::Size::w: return 2;
    case isa::Size::d: return 4;
    case isa::Size::q: return 8;
    default: return insn.operand_size;
    }
}

/// The register of an operand that is one.
unsigned register_of(isa::Operand o, const Insn& insn) {
    switch (o.kind) {
    case Kind::G: return insn.reg();
    case Kind::Z: return insn.opcode_reg();
    case Kind::AL:
    case Kind::eAX: return RAX;
    default: return insn.rm();
    }
}

Handler choose_alu(Choice& c, const fast::AluBySize& forms) {
    auto const& o = c.row.operands.list;
    unsigned const size = operand_size(o[0], c.insn);
    auto const& f = forms[size_index(size)];
    bool const memory_first = o[0].kind == Kind::E && c.insn.memory(), memory_second = o[1].kind == Kind::E && c.insn.memory();
    if ((memory_first || memory_second) && !c.addressable) return nullptr;
    bool const immediate = o[1].kind == Kind::I;
    if (immediate) c.op.imm = c.insn.immediate;
    else if (!memory_second) c.op.src = slot_of(c.insn, register_of(o[1], c.insn), size);
    if (memory_first) return immediate ? f.mem_imm[c.at()] : f.mem_reg[c.at()];
    c.op.dst = slot_of(c.insn, register_of(o[0], c.insn), size);
    if (memory_second) return f.reg_mem[c.at()];
    bool const reads = c.row.operation == "adc" || c.row.operation == "sbb";
    c.flow = c.row.operation == "mov" ? Flow::passes : reads ? Flow::looks : Flow::sets;
    c.quiet = immediate ? f.quiet_imm : f.quiet_reg;
    return immediate ? f.reg_imm : f.reg_reg;
}

Handler choose_unary(Choice& c, const fast::UnaryBySize& forms) {
    auto const& o = c.row.operands.list[0];
    unsigned const size = operand_size(o, c.insn);
    auto const& f = forms[size_index(size)];
    if (o.kind == Kind::E && c.insn.memory()) return c.addressable ? f.mem[c.at()] : nullptr;
    c.op.dst = slot_of(c.insn, register_of(o, c.insn), size);
    bool const keeps_carry = c.row.operation == "inc" || c.row.operation == "dec";
    c.flow = c.row.operation == "not_" ? Flow::passes : keeps_carry ? Flow::alters : Flow::sets;
    c.quiet = f.quiet;
    return f.reg;
}

Handler choose_shift(Choice& c, const fast::ShiftBySize& forms) {
    auto const& o = c.row.operands.list;
    bool const memory = c.insn.memory();
    if (memory && !c.addressable) return nullptr;
    unsigned const size = operand_size(o[0], c.insn);
    auto const& f = forms[size_index(size)];
    if (!memory) c.op.dst = slot_of(c.insn, c.insn.rm(), size);
    if (o[1].kind == Kind::CL) return memory ? f.mem_cl[c.at()] : f.cl;
    c.op.imm = o[1].kind == Kind::one ? 1 : c.insn.immediate;
    if ((c.op.imm & (size == 8 ? 63 : 31)) == 0) return nullptr;
    if (memory) return f.mem_imm[c.at()];
    c.quiet = f.quiet;
    bool const rotates = c.row.operation == "rol" || c.row.operation == "ror";
    c.flow = rotates ? Flow::alters : Flow::sets;
    return f.imm;
}

/// A register destination and an r/m source of its own size.
Handler choose_load(Choice& c, const fast::LoadForms& forms, unsigned source_size) {
    c.op.dst = gpr_slot(c.insn.reg());
    if (c.insn.memory()) return c.addressable ? forms.mem[c.at()] : nullptr;
    c.op.src = slot_of(c.insn, c.insn.rm(), source_size);
    return forms.reg;
}

Handler choose_accumulate(Choice& c, const fast::LoadForms& forms) {
    if (c.form == Address::segment64) return nullptr;
    c.op.aux = static_cast<u8>(c.row.cost - 1);
    c.op.src = gpr_slot(c.insn.rm());
    if (c.insn.memory()) return c.addressable ? forms.mem[c.at()] : nullptr;
    return forms.reg;
}

Handler choose_multiply(Choice& c) {
    if (c.insn.operand_size == 2 || c.form == Address::segment64) return nullptr;
    bool const three = c.row.operands.count == 3;
    c.op.imm = c.insn.immediate;
    c.op.aux = static_cast<u8>(c.row.cost - 1);
    if (!c.insn.memory()) c.flow = Flow::alters;
    return choose_load(c, three ? fast::multiply_immediate(c.insn.operand_size) : fast::multiply(c.insn.operand_size), c.insn.operand_size);
}

Handler choose_bits(Choice& c, const fast::BitForms& forms) {
    c.op.dst = gpr_slot(c.insn.rm());
    if (c.row.operands.list[1].kind == Kind::I) c.op.imm = c.insn.immediate;
    else c.op.src = gpr_slot(c.insn.reg());
    if (c.insn.memory()) return c.addressable ? forms.mem[c.at()] : nullptr;
    c.quiet = forms.quiet;
    c.flow = Flow::alters;
    return forms.reg;
}

Handler choose_double_shift(Choice& c, const fast::ShiftForms& forms) {
    if (c.insn.memory()) return nullptr;
    c.op.dst = gpr_slot(c.insn.rm());
    c.op.src = gpr_slot(c.insn.reg());
    if (c.row.operands.list[2].kind == Kind::CL) return forms.cl;
    c.op.imm = c.insn.immediate & (c.insn.operand_size == 8 ? 63 : 31);
    if (c.op.imm == 0) return nullptr;
    c.quiet = forms.quiet;
    c.flow = Flow::sets;
    return forms.imm;
}

/// Bytes and words have no such handlers, so the register is one of sixteen.
Handler choose_exchange(Choice& c, const fast::LoadForms& forms) {
    c.op.dst = gpr_slot(c.insn.rm());
    c.op.src = gpr_slot(c.insn.reg());
    if (c.insn.memory()) return c.addressable ? forms.mem[c.at()] : nullptr;
    return forms.reg;
}

/// The pure operations of the table.
Handler choose_operation(Choice& c) {
    auto const& name = c.row.operation;
    auto const& o = c.row.operands.list;
    if (auto const* forms = fast::alu(name)) return choose_alu(c, *forms);
    if (auto const* forms = fast::unary(name)) return choose_unary(c, *forms);
    if (auto const* forms = fast::shift(name)) return choose_shift(c, *forms);
    if (name == "movzx" || name == "movsx" || name == "movsxd") {
        unsigned const source = operand_size(o[1], c.insn);
        if (name == "movsxd" && c.insn.operand_size != 8) return nullptr;
        if (!c.insn.memory()) c.flow = Flow::passes;
        return choose_load(c, fast::extend(name != "movzx", source, c.insn.operand_size), source);
    }
    if (name == "imul2") return choose_multiply(c);
    if (name == "bswap") {
        c.op.dst = gpr_slot(c.insn.opcode_reg());
        c.flow = Flow::passes;
        return fast::swap_bytes(c.insn.operand_size);
    }
    if (auto const* forms = fast::bit_operation(name, c.insn.operand_size, o[1].kind == Kind::I)) return choose_bits(c, *forms);
    if (auto const* forms = fast::double_shift(name, c.insn.operand_size)) return choose_double_shift(c, *forms);
    if (auto const* forms = fast::exchange(name, operand_size(o[0], c.insn))) return choose_exchange(c, *forms);
    return nullptr;
}

/// The stack is flat, and as wide as the operand.
bool plain_stack(const Choice& c) {
    if (!(c.mode & mode::flat)) return false;
    return c.code64() ? c.insn.operand_size == 8 : (c.mode & mode::stack32) && c.insn.operand_size == 4;
}

/// A branch whose target and return address are as wide as the code: RIP needs no truncation to 16 bits.
bool plain_branch(const Choice& c) {
    if (!(c.mode & mode::flat_code)) return false;
    return c.code64() ? c.insn.operand_size == 8 : (c.mode & mode::code_size) == 1 && c.insn.operand_size == 4;
}

Handler choose_jump(Choice& c) {
    if (!plain_branch(c)) return nullptr;
    unsigned const size = c.insn.operand_size;
    u64 const fall = c.op.next_offset(), target = fall + c.insn.immediate;
    c.op.imm = target;
    switch (c.insn.id) {
    case Id::Jcc_Jb:
    case Id::Jcc_Jz:
        return in_page(target) && in_page(fall) ? fast::jump_if_in_page(c.insn.cc()) : fast::jump_if_out_of_page(c.insn.cc(), size);
    case Id::JMP_Jb:
    case Id::JMP_Jz: return in_page(target) ? fast::jump_in_page() : fast::jump_out_of_page(size);
    default: break;
    }
    if (!plain_stack(c) && c.insn.id != Id::JMP_Ev) return nullptr;
    auto const& calls = fast::calls(size);
    bool const memory = c.insn.memory();
    switch (c.insn.id) {
    case Id::CALL_Jz: return in_page(target) ? calls.in_page : calls.out_of_page;
    case Id::RET: return calls.ret;
    case Id::RET_Iw: return c.op.imm = c.insn.immediate, calls.ret_imm;
    case Id::CALL_Ev:
    case Id::JMP_Ev:
        if (memory && !c.addressable) return nullptr;
        c.op.src = gpr_slot(c.insn.rm());
        if (c.insn.id == Id::CALL_Ev) return memory ? calls.mem[c.at()] : calls.reg;
        return memory ? calls.jump_mem[c.at()] : calls.jump_reg;
    default: return nullptr;
    }
}

Handler choose_stack(Choice& c) {
    if (!plain_stack(c)) return nullptr;
    auto const& forms = fast::stack(c.insn.operand_size);
    c.op.imm = c.insn.immediate;
    c.op.src = c.op.dst = gpr_slot(c.insn.opcode_reg());
    switch (c.insn.id) {
    case Id::PUSH_Zv: return forms.push_reg;
    case Id::POP_Zv: return forms.pop_reg;
    case Id::PUSH_Iz:
    case Id::PUSH_Is: return forms.push_imm;
    case Id::LEAVE: return forms.leave;
    case Id::PUSH_Ev:
        c.op.src = gpr_slot(c.insn.rm());
        return !c.insn.memory() ? forms.push_reg : c.addressable ? forms.push_mem[c.at()] : nullptr;
    default: return nullptr;
    }
}

/// LEA checks no segment, so any segment will do.
Handler choose_lea(Choice& c) {
    if (c.insn.address_size == 2 || c.insn.operand_size == 2) return nullptr;
    Insn plain = c.insn;
    plain.segment = DS;
    Choice address{plain, c.row, c.mode | mode::flat, c.op};
    if (!choose_address(address)) return nullptr;
    c.op = address.op;
    c.op.dst = gpr_slot(c.insn.reg());
    c.flow = Flow::passes;
    return fast::load_effective(address.form, c.insn.operand_size);
}

Handler choose_simd(Choice& c) {
    auto const choice = fast::simd(c.insn.id, c.insn.operand_size == 8);
    if (!choice) return nullptr;
    auto const slot = [](bool vector, unsigned n) { return vector ? static_cast<u8>(n * sizeof(V128)) : gpr_slot(n); };
    unsigned const reg = c.insn.reg(), rm = c.insn.rm();
    c.op.imm = c.insn.immediate;
    c.op.dst = slot(choice->vector_destination, choice->destination_in_rm ? rm : reg);
    c.op.src = slot(choice->vector_source, choice->destination_in_rm ? reg : rm);
    if (c.insn.memory()) return c.addressable ? choice->forms.mem[c.at()] : nullptr;
    return choice->forms.reg;
}

}  // namespace

Handler choose(Choice& c) {
    const Insn& insn = c.insn;
    c.addressable = insn.memory() && choose_address(c);
    if (c.row.has(isa::sse)) return c.mode & mode::sse ? choose_simd(c) : nullptr;
    switch (insn.id) {
    case Id::Jcc_Jb:
    case Id::Jcc_Jz:
    case Id::JMP_Jb:
    case Id::JMP_Jz:
    case Id::CALL_Jz:
    case Id::CALL_Ev:
    case Id::JMP_Ev:
    case Id::RET:
    case Id::RET_Iw: return choose_jump(c);
    case Id::PUSH_Zv:
    case Id::POP_Zv:
    case Id::PUSH_Iz:
    case Id::PUSH_Is:
    case Id::PUSH_Ev:
    case Id::LEAVE: return choose_stack(c);
    case Id::LEA_Gv_Ma: return choose_lea(c);
    case Id::CMOVcc_Gv_Ev: return choose_load(c, fast::conditional_move(insn.cc(), insn.operand_size), insn.operand_size);
    case Id::SETcc_Eb: return insn.memory() ? nullptr : (c.op.dst = slot_of(insn, insn.rm(), 1), fast::set_condition(insn.cc()));
    case Id::NOP_E_1F:
    case Id::PAUSE: return fast::do_nothing();
    case Id::MUL_Ev:
    case Id::IMUL_Ev:
    case Id::DIV_Ev:
    case Id::IDIV_Ev: {
        auto const* const forms = fast::accumulate(c.row.operation, insn.operand_size);
        return forms == nullptr ? nullptr : choose_accumulate(c, *forms);
    }
    case Id::NOP: return insn.rex & 1 ? nullptr : fast::do_nothing();
    case Id::CBW: return fast::widen_accumulator(insn.operand_size);
    case Id::CWD: return fast::sign_into_data(insn.operand_size);
    default: return choose_operation(c);
    }
}

Handler choose_fused(Choice& c, const Insn& jump) {
    if (jump.id != Id::Jcc_Jb && jump.id != Id::Jcc_Jz) return nullptr;
    Choice second{jump, isa::row(jump.id), c.mode, {}};
    unsigned const fall = c.op.next_offset() + jump.length;
    if (!plain_branch(second) || !in_page(fall) || !in_page(fall + jump.immediate)) return nullptr;
    auto const& o = c.row.operands.list;
    unsigned const size = operand_size(o[0], c.insn);
    if (c.row.operands.count == 1) return c.insn.memory() ? nullptr : fast::fused(c.row.operation, size, jump.cc(), false);
    if (c.row.operands.count != 2) return nullptr;
    bool const immediate = o[1].kind == Kind::I;
    if (!c.insn.memory()) return fast::fused(c.row.operation, size, jump.cc(), immediate);
    if (!c.addressable) return nullptr;
    bool const memory_first = o[0].kind == Kind::E;
    Handler const both = fast::fused_memory(c.row.operation, size, jump.cc(), c.form, memory_first, immediate);
    if (both != nullptr && !memory_first) c.op.src = c.op.dst;  // an op that stays alone keeps its operands
    return both;
}

}  // namespace ramet
