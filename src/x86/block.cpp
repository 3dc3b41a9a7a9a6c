#include "x86/block.h"

#include <algorithm>
#include <memory>

#include "x86/decode.h"
#include "x86/translate.h"

namespace ramet {

namespace {

/// The instructions of the block at `offset` that lie wholly in the page.
std::vector<Insn> decode_run(const u8* page, unsigned offset, u32 mode, bool model_v2) {
    std::vector<Insn> insns;
    while (insns.size() < block_length_max && offset < page_size) {
        std::size_t const room = std::min<std::size_t>(instruction_length_max, page_size - offset);
        Decoded const d = decode({page + offset, room}, static_cast<CodeSize>(mode & mode::code_size), model_v2);
        if (d.status != DecodeStatus::ok) break;
        insns.push_back(d.insn);
        offset += d.insn.length;
        if (ends_block(d.insn)) break;
    }
    return insns;
}

}  // namespace

Op* CodePage::allocate(std::size_t ops) {
    if (ops > free_) {
        if (used_ + sizeof(Chunk) > bytes_max) return nullptr;
        chunks_.push_back(std::make_unique<Chunk>());
        free_ = chunk_ops;
        used_ += sizeof(Chunk);
    }
    Op* const made = chunks_.back()->data() + (chunk_ops - free_);
    free_ -= ops;
    return made;
}

const Block* CodePage::build(const u8* page, unsigned offset, u32 mode, bool model_v2) {
    std::lock_guard const lock(mutex_);
    if (const Block* const other = find(offset, mode)) return other;
    std::vector<Insn> const insns = decode_run(page, offset, mode, model_v2);
    if (insns.empty()) return nullptr;
    std::vector<Op> const ops = translate(insns, offset, mode);
    Op* const room = allocate(1 + ops.size() + 1 + insns.size());
    if (room == nullptr) return nullptr;

    Block* const block = new (room) Block;
    std::copy(ops.begin(), ops.end(), room + 1);
    new (room + 1 + ops.size()) Links;
    std::uninitialized_copy(insns.begin(), insns.end(), reinterpret_cast<Insn*>(room + 2 + ops.size()));
    unsigned end = offset;
    for (const Insn& insn : insns) end += insn.length;
    for (unsigned i = offset; i < end; ++i) bytes_.set(i);
    auto& head = buckets_[bucket(offset)];
    block->chain = head.load(std::memory_order_relaxed);
    block->mode = mode;
    block->offset = static_cast<u16>(offset);
    block->cost = ops.front().left;
    block->insn_count = static_cast<u16>(insns.size());
    block->op_count = static_cast<u16>(ops.size());
    head.store(block, std::memory_order_release);
    return block;
}

}  // namespace ramet
