#include "x86/block.h"

#include <algorithm>
#include <array>
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
    block->mode = mode;
    block->offset = static_cast<u16>(offset);
    block->cost = ops.front().left;
    block->insn_count = static_cast<u16>(insns.size());
    block->op_count = static_cast<u16>(ops.size());
    for (const Insn& insn : insns) offset += insn.length;
    return publish(block, offset);
}

const Block* CodePage::build_straddling(const u8* page, const u8* next_page, unsigned offset, u32 mode, bool model_v2) {
    std::lock_guard const lock(mutex_);
    if (const Block* const other = find(offset, mode)) return other;
    std::array<u8, instruction_length_max> bytes;
    unsigned const here = page_size - offset;
    std::copy_n(page + offset, here, bytes.begin());
    std::copy_n(next_page, bytes.size() - here, bytes.begin() + here);
    Decoded const d = decode(bytes, static_cast<CodeSize>(mode & mode::code_size), model_v2);
    if (d.status != DecodeStatus::ok || d.insn.length <= here) return nullptr;
    Op* const room = allocate(5);
    if (room == nullptr) return nullptr;

    Block* const block = new (room) Block;
    room[1] = straddling_op(d.insn, offset);
    new (room + 2) Links;
    new (room + 3) Insn{d.insn};
    std::copy(bytes.begin() + here, bytes.end(), (new (room + 4) Tail)->bytes.begin());
    block->mode = mode;
    block->offset = static_cast<u16>(offset);
    block->cost = room[1].left;
    block->insn_count = block->op_count = 1;
    return publish(block, page_size);
}

/// Makes a finished block one that find() finds; its code here ends at offset `end`.
const Block* CodePage::publish(Block* block, unsigned end) {
    for (unsigned i = block->offset; i < end; ++i) bytes_.set(i);
    auto& head = buckets_[bucket(block->offset)];
    block->chain = head.load(std::memory_order_relaxed);
    head.store(block, std::memory_order_release);
    return block;
}

}  // namespace ramet
