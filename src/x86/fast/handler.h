// What every fast handler is made of: how it goes on, registers, memory through the TLB, and the exits to the exact path.
//
// A handler may only do what cannot fault once its TLB probe has hit. Everything else is `return exact(c, o, budget)`: the
// instruction runs again from its Insn, on the exact path. So a handler changes nothing before its last probe.
#pragma once

#include <cstring>

#include "x86/block.h"

namespace ramet::fast {

#if RAMET_TAIL_CALLS
#if defined(__clang__)
#define RAMET_TAIL [[clang::musttail]]
#else
#define RAMET_TAIL
#endif
#define RAMET_HANDLER void
#define RAMET_GO(op)                                     \
    do {                                                 \
        const Op* const go_to = (op);                    \
        RAMET_TAIL return go_to->run(c, go_to, budget);  \
    } while (false)
#define RAMET_LEAVE return
#else
#define RAMET_TAIL
#define RAMET_HANDLER const Op*
#define RAMET_GO(op)                    \
    do {                                \
        static_cast<void>(c);           \
        static_cast<void>(budget);      \
        return (op);                    \
    } while (false)
#define RAMET_LEAVE return nullptr
#endif
#define RAMET_NEXT RAMET_GO(o + 1)

/// An instruction without a fast handler: runs it by the function in `imm`, then the next op; or, at the end of a block, what RIP points at.
RAMET_HANDLER generic(Core* c, const Op* o, Budget budget);
RAMET_HANDLER generic_end(Core* c, const Op* o, Budget budget);
/// The only op of a block that straddles two pages.
RAMET_HANDLER straddling(Core* c, const Op* o, Budget budget);
/// The instruction of an op whose fast handler cannot go on, on the exact path; then the next op.
RAMET_HANDLER exact(Core* c, const Op* o, Budget budget);
/// The TLB lacks the page of the memory operand: asks for it and tries again, or goes the exact way.
RAMET_HANDLER missed(Core* c, const Op* o, Budget budget);
/// The same as exact() for the last op of a block: goes on where RIP points.
RAMET_HANDLER exact_end(Core* c, const Op* o, Budget budget);
/// The jump of a fused op, whose first half is done.
RAMET_HANDLER exact_jump(Core* c, const Op* o, Budget budget);
/// An in-page call whose link is not known yet, or whose push misses: runs it exactly and remembers the link.
RAMET_HANDLER exact_call(Core* c, const Op* o, Budget budget);
/// A link is not known yet: finds or builds the block it leads to, remembers it, and goes there.
RAMET_HANDLER resolve_taken(Core* c, const Op* o, Budget budget);
RAMET_HANDLER resolve_fall(Core* c, const Op* o, Budget budget);
/// Back to the run loop, which goes on at the instruction after this op; or where RIP points.
RAMET_HANDLER leave_next(Core* c, const Op* o, Budget budget);
RAMET_HANDLER leave_here(Core* c, const Op* o, Budget budget);
/// The block does not fit into the budget.
RAMET_HANDLER cut_short(Core* c, const Op* o, Budget budget);

template <class T>
T& reg(Core* c, unsigned offset) {
    return *reinterpret_cast<T*>(reinterpret_cast<u8*>(c) + offset);
}
template <class T>
T get(Core* c, unsigned offset) {
    return reg<T>(c, offset);
}
template <class T>
void put(Core* c, unsigned offset, T value) {
    if constexpr (sizeof(T) == 4) reg<u64>(c, offset) = value;
    else reg<T>(c, offset) = value;
}

/// Forms of an effective address, each with its own handlers.
enum class Address : u8 { base64, index64, segment64, base32, index32 };
inline constexpr unsigned address_forms = 5;

template <Address A>
u64 effective(Core* c, const Op* o) {
    u64 const base = get<u64>(c, o->base) + static_cast<u64>(static_cast<i64>(o->displacement));
    if constexpr (A == Address::base64) return base;
    else if constexpr (A == Address::base32) return static_cast<u32>(base);
    else {
        u64 const sum = base + (get<u64>(c, o->index) << o->scale);
        if constexpr (A == Address::index64) return sum;
        else if constexpr (A == Address::index32) return static_cast<u32>(sum);
        else return sum + c->cpu.seg[o->aux].base;
    }
}

/// Host address of a readable (writable) operand, or nullptr.
template <unsigned size>
const u8* readable(Core* c, u64 linear) {
    TlbEntry const& e = c->tlb[Tlb::slot(linear)];
    return e.read_tag == ((linear + (size - 1)) & ~(page_size - 1)) ? reinterpret_cast<const u8*>(linear + e.addend) : nullptr;
}
template <unsigned size>
u8* writable(Core* c, u64 linear) {
    TlbEntry const& e = c->tlb[Tlb::slot(linear)];
    return e.write_tag == ((linear + (size - 1)) & ~(page_size - 1)) ? reinterpret_cast<u8*>(linear + e.addend) : nullptr;
}
template <class T>
T load(const u8* at) {
    T value;
    std::memcpy(&value, at, sizeof(T));
    return value;
}
template <class T>
void store(u8* at, T value) {
    std::memcpy(at, &value, sizeof(T));
}

inline const Links& links_of(const Op* o) { return *reinterpret_cast<const Links*>(o + 1); }

}  // namespace ramet::fast

/// Goes to a block of this page through the link `taken` or `fall`.
#define RAMET_FOLLOW(link)                                                              \
    do {                                                                                \
        const Block* const to = links_of(o).link.load(std::memory_order_acquire);       \
        if (to == nullptr) [[unlikely]] RAMET_TAIL return resolve_##link(c, o, budget); \
        budget -= to->cost;                                                             \
        if (budget < 0) [[unlikely]] {                                                  \
            c->cut = to;                                                                \
            RAMET_TAIL return cut_short(c, o, budget);                                  \
        }                                                                               \
        RAMET_GO(to->ops());                                                            \
    } while (false)

/// Goes to a RIP through the jump cache; `otherwise` is the handler that does it the exact way. `commit` runs when it is found.
#define RAMET_JUMP(rip, commit, otherwise)                                       \
    do {                                                                         \
        u64 const jump_rip = (rip);                                              \
        JumpCache::Entry const& entry = c->caches->jumps.at(jump_rip);                \
        if (entry.key != JumpCache::key(jump_rip, c->mode_key)) [[unlikely]]    \
            RAMET_TAIL return otherwise(c, o, budget);                           \
        commit;                                                                  \
        c->rip_base = jump_rip - entry.block->offset;                            \
        budget -= entry.block->cost;                                             \
        if (budget < 0) [[unlikely]] {                                           \
            c->cut = entry.block;                                                \
            RAMET_TAIL return cut_short(c, o, budget);                           \
        }                                                                        \
        RAMET_GO(entry.block->ops());                                            \
    } while (false)
