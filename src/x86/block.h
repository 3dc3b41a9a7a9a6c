// Decoded code: blocks of ready-to-run ops that hang on the page they were decoded from. x86/jump_cache.h finds them again.
//
// A block is a straight run of instructions inside one page: up to 64, ended by a branch, by the page, or by what changes the mode. It is
// keyed by page offset and mode word and knows no address: RIP-relative operands and return addresses are relative to
// Core::rip_base, so relatives share blocks whatever linear address the page has. In memory a block is
//
//     Block │ Op × n │ Links │ Insn × n         all 32 bytes wide
//
// where op i finds the instruction it was made from at op + op->insn. An instruction that reaches into the next page is a block of its own; the bytes
// it has there lie behind its Insn and are compared each time it runs, because that page may be written, and mapped anew. Whatever a fast handler cannot do (a TLB miss, a fault, an
// interrupt) is done by executing that Insn on the exact path: there is one definition of each instruction.
//
// Threads: pages are shared by relatives on other threads. Blocks are immutable once published, links are set atomically and always
// to the same value, building takes the page's lock.
// Tests: tests/guests (pieces, dropped caches, self_modifying, remap_code).
#pragma once

#include <array>
#include <atomic>
#include <bitset>
#include <memory>
#include <mutex>
#include <vector>

#include "cow/page_pool.h"
#include "x86/core.h"

namespace ramet {

struct Op;

/// With tail calls a handler ends by calling the next one, and the budget stays in a register. Without (debug builds, sanitisers,
/// compilers that do not promise tail calls) it returns the next op to a loop. Same handlers, same results.
#if RAMET_TAIL_CALLS
using Budget = i64;
using Handler = void (*)(Core*, const Op*, Budget);
#else
using Budget = i64&;
using Handler = const Op* (*)(Core*, const Op*, Budget);
#endif

/// One decoded instruction, or a comparison fused with the jump that follows. Registers are byte offsets into Core.
struct alignas(32) Op {
    Handler run = nullptr;
    u64 imm = 0;
    i32 displacement = 0;
    u8 dst = 0;
    u8 src = 0;
    u8 base = 0;
    u8 index = 0;
    u8 scale = 0;
    u8 aux = 0;    ///< segment of the memory operand, or cycles beyond one
    u16 left = 0;  ///< cycles from this op to the end of the block
    u16 next = 0;  ///< page offset of the following instruction, and `fused`
    u16 insn = 0;  ///< distance to the first Insn of this op, in ops

    static constexpr u16 fused = 0x8000;
    bool is_fused() const { return next & fused; }
    unsigned next_offset() const { return next & 0x7fffu; }
    const Insn* insns() const { return reinterpret_cast<const Insn*>(this + insn); }
    unsigned length() const { return insns()[0].length + (is_fused() ? insns()[1].length : 0u); }
};
static_assert(sizeof(Op) == 32);

struct Block;

/// After the last op of a block: where it goes on inside the page, once known.
struct alignas(32) Links {
    mutable std::atomic<const Block*> taken = nullptr;
    mutable std::atomic<const Block*> fall = nullptr;
};
static_assert(sizeof(Links) == sizeof(Op));

struct alignas(32) Block {
    const Block* chain = nullptr;  ///< next in the page's bucket
    u32 mode = 0;
    u16 offset = 0;     ///< of the first instruction in the page
    u16 cost = 0;       ///< cycles of all instructions
    u16 insn_count = 0;
    u16 op_count = 0;

    const Op* ops() const { return reinterpret_cast<const Op*>(this + 1); }
    const Insn* insns() const { return reinterpret_cast<const Insn*>(ops() + op_count + 1); }
    /// Its only instruction reaches into the next page.
    bool straddles() const { return offset + insns()[0].length > page_size; }
};
static_assert(sizeof(Block) == 32 && sizeof(Insn) == 32);

/// Behind the Insn of a block that straddles: the bytes on the next page.
struct alignas(32) Tail {
    std::array<u8, 15> bytes = {};
};
static_assert(sizeof(Tail) == sizeof(Op));

inline constexpr unsigned block_length_max = 64;

/// The decoded code of one page.
class CodePage final : public PageAttachment {
public:
    /// Some decoded instruction has a byte in [offset, offset + size). For the exclusive owner of the page.
    bool covers(unsigned offset, unsigned size) const {
        for (unsigned i = offset; i < offset + size; ++i)
            if (bytes_.test(i)) return true;
        return false;
    }

    /// The block, or nullptr when it has not been built.
    const Block* find(unsigned offset, u32 mode) const {
        const Block* b = buckets_[bucket(offset)].load(std::memory_order_acquire);
        while (b != nullptr && (b->offset != offset || b->mode != mode)) b = b->chain;
        return b;
    }
    /// Decodes the block at `offset` of the page's bytes. nullptr when its first instruction does not lie wholly in the page, is
    /// invalid, or when the page has no room for more code: then the exact path runs it.
    const Block* build(const u8* page, unsigned offset, u32 mode, bool model_v2);
    /// The block of the instruction that begins at `offset` and ends on the next page. nullptr as above.
    const Block* build_straddling(const u8* page, const u8* next_page, unsigned offset, u32 mode, bool model_v2);

    u64 byte_count() const { return used_.load(std::memory_order_relaxed); }

private:
    static constexpr unsigned bucket_count = 128;
    static constexpr std::size_t chunk_ops = 256;  // at least the longest block: 2 * block_length_max + 3
    using Chunk = std::array<Op, chunk_ops>;
    static constexpr u64 bytes_max = u64{1} << 20;  // one block at each offset of a page stays below

    static unsigned bucket(unsigned offset) { return (offset ^ offset >> 7) % bucket_count; }
    Op* allocate(std::size_t ops);
    const Block* publish(Block* block, unsigned end);

    std::array<std::atomic<const Block*>, bucket_count> buckets_ = {};
    std::bitset<page_size> bytes_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Chunk>> chunks_;
    std::size_t free_ = 0;  // ops left in the last chunk
    std::atomic<u64> used_ = 0;
};

}  // namespace ramet
