#include "x86/translate.h"

#include "x86/choose.h"
#include "x86/exec/driver.h"

namespace ramet {

namespace {

/// Ends a block that no branch ended.
Op fall_op(unsigned offset) {
    Op op{};
    op.run = in_page(offset) ? fast::fall_through() : fast::fall_out_of_page();
    op.next = static_cast<u16>(offset);
    return op;
}

/// No fast handler: the function that executes the instruction.
void make_generic(Op& op, const Insn& insn) {
    op.run = ends_block(insn) ? &fast::generic_end : &fast::generic;
    op.imm = reinterpret_cast<u64>(exec::exec_of(insn));
}

/// Ops whose flags are overwritten before anybody looks leave them alone.
void silence(std::span<Op> ops, std::span<const Choice> choices) {
    bool seen = true;
    for (std::size_t k = choices.size(); k-- > 0;) {
        Choice const& c = choices[k];
        if (!seen && c.quiet != nullptr) ops[k].run = c.quiet;
        if (c.flow == Flow::sets) seen = false;
        if (c.flow == Flow::looks) seen = true;
    }
}

}  // namespace

bool ends_block(const Insn& insn) { return isa::row(insn.id).has(isa::ends); }

Op straddling_op(const Insn& insn, unsigned offset) {
    Op op{};
    op.run = &fast::straddling;
    op.imm = reinterpret_cast<u64>(exec::exec_of(insn));
    op.next = static_cast<u16>(offset + insn.length);
    op.left = static_cast<u16>(isa::row(insn.id).cost);
    op.insn = 2;  // behind the links
    return op;
}

std::vector<Op> translate(std::span<const Insn> insns, unsigned offset, u32 mode) {
    std::vector<Op> ops;
    std::vector<Choice> choices;
    std::vector<std::size_t> first;  // index of each op's first instruction
    for (std::size_t i = 0; i < insns.size(); ++i) {
        Choice c{insns[i], isa::row(insns[i].id), mode, {}};
        offset += insns[i].length;
        c.op.next = static_cast<u16>(offset);
        Handler run = choose(c);
        first.push_back(i);
        if (Handler const both = run != nullptr && i + 1 < insns.size() ? choose_fused(c, insns[i + 1]) : nullptr) {
            run = both;
            c.quiet = nullptr;  // the flow stays that of the first half: what this keeps, the jump may look at
            offset += insns[++i].length;
            c.op.next = static_cast<u16>(offset | Op::fused);
        }
        c.op.run = run;
        if (run == nullptr) {
            c.flow = Flow::looks;
            make_generic(c.op, c.insn);
        }
        ops.push_back(c.op);
        choices.push_back(c);
    }
    silence(ops, choices);
    if (!ends_block(insns.back())) {
        ops.push_back(fall_op(offset));
        first.push_back(insns.size());
    }
    unsigned left = 0;
    for (std::size_t k = ops.size(), i = insns.size(); k-- > 0;) {
        for (; i > first[k]; --i) left += isa::row(insns[i - 1].id).cost;
        ops[k].left = static_cast<u16>(left);
        ops[k].insn = static_cast<u16>(ops.size() + 1 - k + first[k]);
    }
    return ops;
}

}  // namespace ramet
