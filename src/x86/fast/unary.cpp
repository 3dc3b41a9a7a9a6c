// INC, DEC, NEG, NOT; shifts and rotations; byte swaps and sign extensions of the accumulator.
#include "x86/fast/alu.h"
#include "x86/ops/bits.h"
#include "x86/ops/shift.h"

namespace ramet::fast {

namespace {

struct Neg {
    template <Word T>
    static T apply(LazyFlags& lazy, T a) {
        T const r = ops::neg<T>(a, {}).value;
        lazy.set<T>(FlagKind::sub8, r, a);
        return r;
    }
};
struct Not {
    template <Word T>
    static T apply(LazyFlags&, T a) {
        return ops::not_<T>(a);
    }
};

template <class F, Word T>
RAMET_HANDLER unary_register(Core* c, const Op* o, Budget budget) {
    put<T>(c, o->dst, F::template apply<T>(c->lazy, get<T>(c, o->dst)));
    RAMET_NEXT;
}
template <class F, Word T>
RAMET_HANDLER unary_quiet(Core* c, const Op* o, Budget budget) {
    LazyFlags unseen;
    put<T>(c, o->dst, F::template apply<T>(unseen, get<T>(c, o->dst)));
    RAMET_NEXT;
}
template <class F, Word T, Address A>
RAMET_HANDLER unary_memory(Core* c, const Op* o, Budget budget) {
    u8* const at = writable<sizeof(T)>(c, effective<A>(c, o));
    if (at == nullptr) [[unlikely]] RAMET_TAIL return missed(c, o, budget);
    store<T>(at, F::template apply<T>(c->lazy, load<T>(at)));
    RAMET_NEXT;
}

template <class F, Word T>
constexpr UnaryForms unary_forms() {
    using enum Address;
    return {&unary_quiet<F, T>,
            &unary_register<F, T>,
            {&unary_memory<F, T, base64>, &unary_memory<F, T, index64>, &unary_memory<F, T, segment64>, &unary_memory<F, T, base32>,
             &unary_memory<F, T, index32>}};
}
template <class F>
constexpr UnaryBySize unary_by_size() {
    return {unary_forms<F, u8>(), unary_forms<F, u16>(), unary_forms<F, u32>(), unary_forms<F, u64>()};
}
constexpr UnaryBySize inc_forms = unary_by_size<Inc>(), dec_forms = unary_by_size<Dec>(), neg_forms = unary_by_size<Neg>(), not_forms = unary_by_size<Not>();

/// SF, ZF and PF follow the result of SHL, SHR and SAR; rotations keep them. The masked count is not zero.
#define RAMET_SHIFT(Name, operation, follows)                                          \
    struct Name {                                                                      \
        template <Word T>                                                              \
        static T apply(LazyFlags& lazy, T a, u8 count) {                               \
            if constexpr (follows) {                                                   \
                auto const r = ops::operation<T>(a, count, Flags{});                   \
                lazy.set_result<T>(r.value, r.flags);                                  \
                return r.value;                                                        \
            } else {                                                                   \
                auto const r = ops::operation<T>(a, count, Flags{});                   \
                lazy.set_carry_overflow(r.flags.c(), r.flags.o());                     \
                return r.value;                                                        \
            }                                                                          \
        }                                                                              \
    };
RAMET_SHIFT(Shl, shl, true)
RAMET_SHIFT(Shr, shr, true)
RAMET_SHIFT(Sar, sar, true)
RAMET_SHIFT(Rol, rol, false)
RAMET_SHIFT(Ror, ror, false)
#undef RAMET_SHIFT

/// A count within the width, so that the compiler needs no case for zero or beyond; translate() has seen to it for immediates.
template <Word T>
u8 proper_count(u64 count) {
    u8 const n = count & (sizeof(T) == 8 ? 63 : 31);
    if (n == 0) __builtin_unreachable();
    return n;
}
template <class F, Word T>
RAMET_HANDLER shift_immediate(Core* c, const Op* o, Budget budget) {
    put<T>(c, o->dst, F::template apply<T>(c->lazy, get<T>(c, o->dst), proper_count<T>(o->imm)));
    RAMET_NEXT;
}
template <class F, Word T>
RAMET_HANDLER shift_quiet(Core* c, const Op* o, Budget budget) {
    LazyFlags unseen;
    put<T>(c, o->dst, F::template apply<T>(unseen, get<T>(c, o->dst), proper_count<T>(o->imm)));
    RAMET_NEXT;
}
template <class F, Word T, Address A>
RAMET_HANDLER shift_memory_immediate(Core* c, const Op* o, Budget budget) {
    u8* const at = writable<sizeof(T)>(c, effective<A>(c, o));
    if (at == nullptr) [[unlikely]] RAMET_TAIL return missed(c, o, budget);
    store<T>(at, F::template apply<T>(c->lazy, load<T>(at), proper_count<T>(o->imm)));
    RAMET_NEXT;
}
/// A count of zero changes no flag, but clears the upper half of a 64-bit register all the same.
template <class F, Word T>
RAMET_HANDLER shift_cl(Core* c, const Op* o, Budget budget) {
    u8 const count = c->gpr<u8>(RCX) & (sizeof(T) == 8 ? 63 : 31);
    T const a = get<T>(c, o->dst);
    put<T>(c, o->dst, count == 0 ? a : F::template apply<T>(c->lazy, a, count));
    RAMET_NEXT;
}
template <class F, Word T, Address A>
RAMET_HANDLER shift_memory_cl(Core* c, const Op* o, Budget budget) {
    u8* const at = writable<sizeof(T)>(c, effective<A>(c, o));
    if (at == nullptr) [[unlikely]] RAMET_TAIL return missed(c, o, budget);
    u8 const count = c->gpr<u8>(RCX) & (sizeof(T) == 8 ? 63 : 31);
    if (count != 0) store<T>(at, F::template apply<T>(c->lazy, load<T>(at), count));
    RAMET_NEXT;
}
template <class F, Word T>
constexpr ShiftForms shift_forms() {
    using enum Address;
    return {&shift_quiet<F, T>,
            &shift_immediate<F, T>,
            &shift_cl<F, T>,
            {&shift_memory_immediate<F, T, base64>, &shift_memory_immediate<F, T, index64>, &shift_memory_immediate<F, T, segment64>,
             &shift_memory_immediate<F, T, base32>, &shift_memory_immediate<F, T, index32>},
            {&shift_memory_cl<F, T, base64>, &shift_memory_cl<F, T, index64>, &shift_memory_cl<F, T, segment64>, &shift_memory_cl<F, T, base32>,
             &shift_memory_cl<F, T, index32>}};
}
template <class F>
constexpr ShiftBySize shift_by_size() {
    return {shift_forms<F, u8>(), shift_forms<F, u16>(), shift_forms<F, u32>(), shift_forms<F, u64>()};
}
constexpr ShiftBySize shl_forms = shift_by_size<Shl>(), shr_forms = shift_by_size<Shr>(), sar_forms = shift_by_size<Sar>(),
                      rol_forms = shift_by_size<Rol>(), ror_forms = shift_by_size<Ror>();

template <Word T>
RAMET_HANDLER bswap_register(Core* c, const Op* o, Budget budget) {
    put<T>(c, o->dst, ops::bswap<T>(get<T>(c, o->dst)));
    RAMET_NEXT;
}
RAMET_HANDLER cwde(Core* c, const Op* o, Budget budget) {
    c->set_gpr<u32>(RAX, static_cast<u32>(static_cast<i16>(c->gpr<u16>(RAX))));
    RAMET_NEXT;
}
RAMET_HANDLER cdqe(Core* c, const Op* o, Budget budget) {
    c->set_gpr<u64>(RAX, static_cast<u64>(static_cast<i32>(c->gpr<u32>(RAX))));
    RAMET_NEXT;
}
RAMET_HANDLER cdq(Core* c, const Op* o, Budget budget) {
    c->set_gpr<u32>(RDX, static_cast<u32>(static_cast<i32>(c->gpr<u32>(RAX)) >> 31));
    RAMET_NEXT;
}
RAMET_HANDLER cqo(Core* c, const Op* o, Budget budget) {
    c->set_gpr<u64>(RDX, static_cast<u64>(static_cast<i64>(c->gpr<u64>(RAX)) >> 63));
    RAMET_NEXT;
}
RAMET_HANDLER nop(Core* c, const Op* o, Budget budget) { RAMET_NEXT; }

}  // namespace

const UnaryBySize* unary(std::string_view operation) {
    if (operation == "inc") return &inc_forms;
    if (operation == "dec") return &dec_forms;
    if (operation == "neg") return &neg_forms;
    if (operation == "not_") return &not_forms;
    return nullptr;
}

const ShiftBySize* shift(std::string_view operation) {
    if (operation == "shl") return &shl_forms;
    if (operation == "shr") return &shr_forms;
    if (operation == "sar") return &sar_forms;
    if (operation == "rol") return &rol_forms;
    if (operation == "ror") return &ror_forms;
    return nullptr;
}

Handler swap_bytes(unsigned size) { return size == 8 ? &bswap_register<u64> : size == 4 ? &bswap_register<u32> : nullptr; }
Handler widen_accumulator(unsigned size) { return size == 8 ? &cdqe : size == 4 ? &cwde : nullptr; }
Handler sign_into_data(unsigned size) { return size == 8 ? &cqo : size == 4 ? &cdq : nullptr; }
Handler do_nothing() { return &nop; }

}  // namespace ramet::fast
