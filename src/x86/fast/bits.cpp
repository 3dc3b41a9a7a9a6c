// BT, BTS, BTR, BTC of registers and of bit strings in memory; SHLD and SHRD of registers.
#include "x86/fast/tables.h"
#include "x86/ops/bits.h"
#include "x86/ops/shift.h"

namespace ramet::fast {

namespace {

/// CF is the bit as it was; the other flags stay.
#define RAMET_BIT(Name, operation)                                             \
    struct Name {                                                              \
        static constexpr bool writes = &ops::operation<u32> != &ops::bt<u32>;  \
        template <Word T>                                                      \
        static T apply(T a, T n) { return ops::operation<T>(a, n, {}).value; } \
    };
RAMET_BIT(Bt, bt)
RAMET_BIT(Bts, bts)
RAMET_BIT(Btr, btr)
RAMET_BIT(Btc, btc)
#undef RAMET_BIT

template <Word T>
void carry_from(Core* c, T a, T n) {
    c->lazy.set_carry(a >> (n % bits_of<T>) & 1);
}

template <Word T, bool immediate>
T count(Core* c, const Op* o) {
    if constexpr (immediate) return static_cast<T>(o->imm);
    else return get<T>(c, o->src);
}

template <class F, Word T, bool immediate>
[[gnu::flatten]] RAMET_HANDLER bit_register(Core* c, const Op* o, Budget budget) {
    T const n = count<T, immediate>(c, o), a = get<T>(c, o->dst);
    carry_from<T>(c, a, n);
    if constexpr (F::writes) put<T>(c, o->dst, F::template apply<T>(a, n));
    RAMET_NEXT;
}
template <class F, Word T, bool immediate>
RAMET_HANDLER bit_quiet(Core* c, const Op* o, Budget budget) {
    if constexpr (F::writes) put<T>(c, o->dst, F::template apply<T>(get<T>(c, o->dst), count<T, immediate>(c, o)));
    RAMET_NEXT;
}
/// A register counts from the operand on over all memory. missed() would ask for the page where the string begins, so what misses goes the exact way.
template <class F, Word T, bool immediate, Address A>
[[gnu::flatten]] RAMET_HANDLER bit_memory(Core* c, const Op* o, Budget budget) {
    T const n = count<T, immediate>(c, o);
    u64 at = effective<A>(c, o);
    if constexpr (!immediate) {
        at += static_cast<u64>(static_cast<i64>(static_cast<Signed<T>>(n)) >> std::countr_zero(bits_of<T>)) * sizeof(T);
        if constexpr (A == Address::base32 || A == Address::index32) at = static_cast<u32>(at);
    }
    if constexpr (F::writes) {
        u8* const word = writable<sizeof(T)>(c, at);
        if (word == nullptr) [[unlikely]] RAMET_TAIL return exact(c, o, budget);
        T const a = load<T>(word);
        carry_from<T>(c, a, n);
        store<T>(word, F::template apply<T>(a, n));
    } else {
        const u8* const word = readable<sizeof(T)>(c, at);
        if (word == nullptr) [[unlikely]] RAMET_TAIL return exact(c, o, budget);
        carry_from<T>(c, load<T>(word), n);
    }
    RAMET_NEXT;
}

template <class F, Word T, bool immediate>
constexpr BitForms bit_forms() {
    using enum Address;
    return {&bit_quiet<F, T, immediate>, &bit_register<F, T, immediate>,
            {&bit_memory<F, T, immediate, base64>, &bit_memory<F, T, immediate, index64>, &bit_memory<F, T, immediate, segment64>,
             &bit_memory<F, T, immediate, base32>, &bit_memory<F, T, immediate, index32>}};
}
/// By operand size, 4 or 8 bytes, and kind of count, register or immediate.
using BitBySize = std::array<std::array<BitForms, 2>, 2>;
template <class F>
constexpr BitBySize bit_by_size() {
    return {{{bit_forms<F, u32, false>(), bit_forms<F, u32, true>()}, {bit_forms<F, u64, false>(), bit_forms<F, u64, true>()}}};
}
constexpr BitBySize bt_forms = bit_by_size<Bt>(), bts_forms = bit_by_size<Bts>(), btr_forms = bit_by_size<Btr>(), btc_forms = bit_by_size<Btc>();

#define RAMET_DOUBLE_SHIFT(Name, operation)                                                                  \
    struct Name {                                                                                            \
        template <Word T>                                                                                    \
        static Alu<T> apply(T a, T b, u8 n) { return ops::operation<T>(a, b, n, Flags{}); }                  \
    };
RAMET_DOUBLE_SHIFT(Shld, shld)
RAMET_DOUBLE_SHIFT(Shrd, shrd)
#undef RAMET_DOUBLE_SHIFT

/// The masked count is not zero; translate() has seen to it.
template <class F, Word T>
RAMET_HANDLER double_shift_immediate(Core* c, const Op* o, Budget budget) {
    auto const r = F::template apply<T>(get<T>(c, o->dst), get<T>(c, o->src), static_cast<u8>(o->imm));
    put<T>(c, o->dst, r.value);
    c->lazy.set_result<T>(r.value, r.flags);
    RAMET_NEXT;
}
template <class F, Word T>
RAMET_HANDLER double_shift_quiet(Core* c, const Op* o, Budget budget) {
    put<T>(c, o->dst, F::template apply<T>(get<T>(c, o->dst), get<T>(c, o->src), static_cast<u8>(o->imm)).value);
    RAMET_NEXT;
}
template <class F, Word T>
RAMET_HANDLER double_shift_cl(Core* c, const Op* o, Budget budget) {
    u8 const n = c->gpr<u8>(RCX) & (bits_of<T> - 1);
    T const a = get<T>(c, o->dst);
    if (n == 0) {
        put<T>(c, o->dst, a);
        RAMET_NEXT;
    }
    auto const r = F::template apply<T>(a, get<T>(c, o->src), n);
    put<T>(c, o->dst, r.value);
    c->lazy.set_result<T>(r.value, r.flags);
    RAMET_NEXT;
}
template <class F, Word T>
constexpr ShiftForms double_forms() {
    return {&double_shift_quiet<F, T>, &double_shift_immediate<F, T>, &double_shift_cl<F, T>, {}, {}};
}
constexpr std::array<ShiftForms, 2> shld_forms = {double_forms<Shld, u32>(), double_forms<Shld, u64>()},
                                    shrd_forms = {double_forms<Shrd, u32>(), double_forms<Shrd, u64>()};

}  // namespace

const BitForms* bit_operation(std::string_view operation, unsigned size, bool immediate) {
    if (size < 4) return nullptr;
    auto const of = [&](const BitBySize& forms) { return &forms[size == 8][immediate]; };
    if (operation == "bt" || operation == "bit_test") return of(bt_forms);
    if (operation == "bts" || operation == "bit_test_set") return of(bts_forms);
    if (operation == "btr" || operation == "bit_test_reset") return of(btr_forms);
    if (operation == "btc" || operation == "bit_test_complement") return of(btc_forms);
    return nullptr;
}

const ShiftForms* double_shift(std::string_view operation, unsigned size) {
    if (size < 4) return nullptr;
    if (operation == "shld") return &shld_forms[size == 8];
    if (operation == "shrd") return &shrd_forms[size == 8];
    return nullptr;
}

}  // namespace ramet::fast
