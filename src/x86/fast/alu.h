// Fast forms of two-operand arithmetic and logic: register, immediate and memory operands. The values come from the pure
// operations of x86/ops; the flags are kept lazily, as {result, source, kind}, or eagerly where they depend on CF.
#pragma once

#include "x86/fast/handler.h"
#include "x86/fast/tables.h"
#include "x86/ops/alu.h"

namespace ramet::fast {

/// a + b and a - b, and their forms that only compare.
struct Add {
    static constexpr bool reads = true, writes = true, quiet = true;
    template <Word T>
    static T apply(LazyFlags& lazy, T a, T b) {
        T const r = ops::add<T>(a, b, {}).value;
        lazy.set<T>(FlagKind::add8, r, b);
        return r;
    }
};
struct Sub {
    static constexpr bool reads = true, writes = true, quiet = true;
    template <Word T>
    static T apply(LazyFlags& lazy, T a, T b) {
        T const r = ops::sub<T>(a, b, {}).value;
        lazy.set<T>(FlagKind::sub8, r, b);
        return r;
    }
};
struct Cmp : Sub {
    static constexpr bool writes = false, quiet = false;
};
struct Adc {
    static constexpr bool reads = true, writes = true, quiet = true;
    template <Word T>
    static T apply(LazyFlags& lazy, T a, T b) {
        auto const r = ops::adc<T>(a, b, Flags{}.c(lazy.c()));
        lazy.set_result<T>(r.value, r.flags);
        return r.value;
    }
};
struct Sbb {
    static constexpr bool reads = true, writes = true, quiet = true;
    template <Word T>
    static T apply(LazyFlags& lazy, T a, T b) {
        auto const r = ops::sbb<T>(a, b, Flags{}.c(lazy.c()));
        lazy.set_result<T>(r.value, r.flags);
        return r.value;
    }
};
#define RAMET_LOGIC(Name, operation)                   \
    struct Name {                                      \
        static constexpr bool reads = true, writes = true, quiet = true; \
        template <Word T>                              \
        static T apply(LazyFlags& lazy, T a, T b) {    \
            T const r = ops::operation<T>(a, b, {}).value; \
            lazy.set_logic<T>(r);                      \
            return r;                                  \
        }                                              \
    };
RAMET_LOGIC(And, and_)
RAMET_LOGIC(Or, or_)
RAMET_LOGIC(Xor, xor_)
#undef RAMET_LOGIC
struct Test : And {
    static constexpr bool writes = false, quiet = false;
};
/// One operand, whose flags but CF follow.
struct Inc {
    template <Word T>
    static T apply(LazyFlags& lazy, T a) {
        bool const carry = lazy.c();
        T const r = ops::inc<T>(a, {}).value;
        lazy.set<T>(FlagKind::inc8, r, carry);
        return r;
    }
};
struct Dec {
    template <Word T>
    static T apply(LazyFlags& lazy, T a) {
        bool const carry = lazy.c();
        T const r = ops::dec<T>(a, {}).value;
        lazy.set<T>(FlagKind::dec8, r, carry);
        return r;
    }
};
struct Mov {
    static constexpr bool reads = false, writes = true, quiet = false;
    template <Word T>
    static T apply(LazyFlags&, T, T b) {
        return b;
    }
};

// Handlers are flattened where many share an operation: GCC then leaves it outside, and a call costs a handler a frame, and flags that nobody asked for.

/// Where the second operand comes from.
enum class Source : u8 { reg, imm };

template <class F, Word T, Source S>
[[gnu::flatten]] RAMET_HANDLER register_form(Core* c, const Op* o, Budget budget) {
    T const b = S == Source::reg ? get<T>(c, o->src) : static_cast<T>(o->imm);
    T const a = F::reads ? get<T>(c, o->dst) : T{};
    T const r = F::template apply<T>(c->lazy, a, b);
    if constexpr (F::writes) put<T>(c, o->dst, r);
    RAMET_NEXT;
}

/// The same where nobody will look at the flags that it writes.
template <class F, Word T, Source S>
[[gnu::flatten]] RAMET_HANDLER quiet_form(Core* c, const Op* o, Budget budget) {
    LazyFlags unseen = c->lazy;
    T const b = S == Source::reg ? get<T>(c, o->src) : static_cast<T>(o->imm);
    put<T>(c, o->dst, F::template apply<T>(unseen, get<T>(c, o->dst), b));
    RAMET_NEXT;
}

template <class F, Word T, Address A>
[[gnu::flatten]] RAMET_HANDLER load_form(Core* c, const Op* o, Budget budget) {
    const u8* const at = readable<sizeof(T)>(c, effective<A>(c, o));
    if (at == nullptr) [[unlikely]] RAMET_TAIL return missed(c, o, budget);
    T const a = F::reads ? get<T>(c, o->dst) : T{};
    T const r = F::template apply<T>(c->lazy, a, load<T>(at));
    if constexpr (F::writes) put<T>(c, o->dst, r);
    RAMET_NEXT;
}

template <class F, Word T, Source S, Address A>
[[gnu::flatten]] RAMET_HANDLER store_form(Core* c, const Op* o, Budget budget) {
    T const b = S == Source::reg ? get<T>(c, o->src) : static_cast<T>(o->imm);
    if constexpr (F::writes) {
        u8* const at = writable<sizeof(T)>(c, effective<A>(c, o));
        if (at == nullptr) [[unlikely]] RAMET_TAIL return missed(c, o, budget);
        store<T>(at, F::template apply<T>(c->lazy, F::reads ? load<T>(at) : T{}, b));
    } else {
        const u8* const at = readable<sizeof(T)>(c, effective<A>(c, o));
        if (at == nullptr) [[unlikely]] RAMET_TAIL return missed(c, o, budget);
        F::template apply<T>(c->lazy, load<T>(at), b);
    }
    RAMET_NEXT;
}

/// Only what writes a register and all flags can be quiet.
template <class F, Word T, Source S>
constexpr Handler quiet_or_none() {
    if constexpr (F::quiet) return &quiet_form<F, T, S>;
    else return nullptr;
}

template <class F, Word T>
constexpr AluForms alu_forms() {
    using enum Address;
    return {
        quiet_or_none<F, T, Source::reg>(),
        quiet_or_none<F, T, Source::imm>(),
        &register_form<F, T, Source::reg>,
        &register_form<F, T, Source::imm>,
        {&load_form<F, T, base64>, &load_form<F, T, index64>, &load_form<F, T, segment64>, &load_form<F, T, base32>, &load_form<F, T, index32>},
        {&store_form<F, T, Source::reg, base64>, &store_form<F, T, Source::reg, index64>, &store_form<F, T, Source::reg, segment64>,
         &store_form<F, T, Source::reg, base32>, &store_form<F, T, Source::reg, index32>},
        {&store_form<F, T, Source::imm, base64>, &store_form<F, T, Source::imm, index64>, &store_form<F, T, Source::imm, segment64>,
         &store_form<F, T, Source::imm, base32>, &store_form<F, T, Source::imm, index32>},
    };
}
template <class F>
constexpr AluBySize alu_by_size() {
    return {alu_forms<F, u8>(), alu_forms<F, u16>(), alu_forms<F, u32>(), alu_forms<F, u64>()};
}

}  // namespace ramet::fast
