// A comparison and the jump that looks at it, as one op. The condition comes from the operands, without a detour over the flags,
// which are kept all the same.
#include <utility>

#include "x86/fast/alu.h"

namespace ramet::fast {

namespace {

/// Conditions that come straight from operands: not O, NO, P, NP.
constexpr bool is_direct(unsigned cc) { return cc >> 1 != 0 && cc >> 1 != 5; }

template <unsigned cc, Word T>
bool after_sub(T a, T b) {
    auto const sa = static_cast<Signed<T>>(a), sb = static_cast<Signed<T>>(b);
    bool on = false;
    if constexpr (cc >> 1 == 1) on = a < b;
    else if constexpr (cc >> 1 == 2) on = a == b;
    else if constexpr (cc >> 1 == 3) on = a <= b;
    else if constexpr (cc >> 1 == 4) on = static_cast<Signed<T>>(static_cast<T>(a - b)) < 0;
    else if constexpr (cc >> 1 == 6) on = sa < sb;
    else on = sa <= sb;
    return on != ((cc & 1) != 0);
}
/// CF and OF are clear.
template <unsigned cc, Word T>
bool after_logic(T r) {
    auto const s = static_cast<Signed<T>>(r);
    bool on = false;
    if constexpr (cc >> 1 == 1) on = false;
    else if constexpr (cc >> 1 == 2 || cc >> 1 == 3) on = r == 0;
    else if constexpr (cc >> 1 == 4 || cc >> 1 == 6) on = s < 0;
    else on = s <= 0;
    return on != ((cc & 1) != 0);
}

struct FusedCmp : Cmp {
    template <unsigned cc, Word T>
    static bool holds(LazyFlags&, T a, T b, T) {
        return after_sub<cc, T>(a, b);
    }
};
struct FusedSub : Sub {
    template <unsigned cc, Word T>
    static bool holds(LazyFlags&, T a, T b, T) {
        return after_sub<cc, T>(a, b);
    }
};
struct FusedTest : Test {
    template <unsigned cc, Word T>
    static bool holds(LazyFlags&, T, T, T r) {
        return after_logic<cc, T>(r);
    }
};
struct FusedAnd : And {
    template <unsigned cc, Word T>
    static bool holds(LazyFlags&, T, T, T r) {
        return after_logic<cc, T>(r);
    }
};
struct FusedAdd : Add {
    template <unsigned cc, Word T>
    static bool holds(LazyFlags& lazy, T a, T, T r) {
        if constexpr (cc >> 1 == 1) return (r < a) != ((cc & 1) != 0);
        else if constexpr (cc >> 1 == 2) return (r == 0) != ((cc & 1) != 0);
        else if constexpr (cc >> 1 == 4) return (static_cast<Signed<T>>(r) < 0) != ((cc & 1) != 0);
        else return lazy.condition(cc);
    }
};

/// INC and DEC keep CF, which some conditions are about.
template <class Step>
struct FusedStep {
    static constexpr bool writes = true;
    template <Word T>
    static T apply(LazyFlags& lazy, T a, T) {
        return Step::template apply<T>(lazy, a);
    }
    template <unsigned cc, Word T>
    static bool holds(LazyFlags& lazy, T, T, T r) {
        if constexpr (cc >> 1 == 2) return (r == 0) != ((cc & 1) != 0);
        else if constexpr (cc >> 1 == 4) return (static_cast<Signed<T>>(r) < 0) != ((cc & 1) != 0);
        else return lazy.condition(cc);
    }
};
using FusedInc = FusedStep<Inc>;
using FusedDec = FusedStep<Dec>;

template <class F, Word T, Source S, unsigned cc>
[[gnu::flatten]] RAMET_HANDLER registers(Core* c, const Op* o, Budget budget) {
    T const a = get<T>(c, o->dst);
    T const b = S == Source::reg ? get<T>(c, o->src) : static_cast<T>(o->imm);
    T const r = F::template apply<T>(c->lazy, a, b);
    if constexpr (F::writes) put<T>(c, o->dst, r);
    if (F::template holds<cc, T>(c->lazy, a, b, r)) RAMET_FOLLOW(taken);
    RAMET_FOLLOW(fall);
}
/// Memory is the first operand (with a register or an immediate) or the second one.
enum class Order : u8 { memory_register, memory_immediate, register_memory };
template <class F, Word T, Order order, unsigned cc, Address A>
[[gnu::flatten]] RAMET_HANDLER memory(Core* c, const Op* o, Budget budget) {
    const u8* const at = readable<sizeof(T)>(c, effective<A>(c, o));
    if (at == nullptr) [[unlikely]] RAMET_TAIL return missed(c, o, budget);
    T const m = load<T>(at);
    T const other = order == Order::memory_immediate ? static_cast<T>(o->imm) : get<T>(c, o->src);
    T const a = order == Order::register_memory ? other : m;
    T const b = order == Order::register_memory ? m : other;
    T const r = F::template apply<T>(c->lazy, a, b);
    if (F::template holds<cc, T>(c->lazy, a, b, r)) RAMET_FOLLOW(taken);
    RAMET_FOLLOW(fall);
}

using Conditions = std::make_integer_sequence<unsigned, 16>;
using ByCondition = std::array<Handler, 16>;

template <class F, Word T, Source S, unsigned... cc>
constexpr ByCondition register_row(std::integer_sequence<unsigned, cc...>) {
    return {(is_direct(cc) ? &registers<F, T, S, is_direct(cc) ? cc : 2> : nullptr)...};
}
template <class F, Word T, Order order, Address A, unsigned... cc>
constexpr ByCondition memory_row(std::integer_sequence<unsigned, cc...>) {
    return {(is_direct(cc) ? &memory<F, T, order, is_direct(cc) ? cc : 2, A> : nullptr)...};
}

struct RegisterForms {
    ByCondition reg, imm;
};
template <class F>
using RegisterBySize = std::array<RegisterForms, 3>;  // 1, 4, 8 bytes
template <class F>
constexpr RegisterBySize<F> register_rows = {
    RegisterForms{register_row<F, u8, Source::reg>(Conditions{}), register_row<F, u8, Source::imm>(Conditions{})},
    RegisterForms{register_row<F, u32, Source::reg>(Conditions{}), register_row<F, u32, Source::imm>(Conditions{})},
    RegisterForms{register_row<F, u64, Source::reg>(Conditions{}), register_row<F, u64, Source::imm>(Conditions{})}};

/// Sizes 1, 4, 8; base and index addressing of 64-bit code and base addressing of 32-bit code.
template <class F, Order order, Word T>
constexpr std::array<ByCondition, 3> memory_by_address = {memory_row<F, T, order, Address::base64>(Conditions{}),
                                                          memory_row<F, T, order, Address::index64>(Conditions{}),
                                                          memory_row<F, T, order, Address::base32>(Conditions{})};
template <class F, Order order>
constexpr std::array<std::array<ByCondition, 3>, 3> memory_rows = {memory_by_address<F, order, u8>, memory_by_address<F, order, u32>,
                                                                   memory_by_address<F, order, u64>};

int size_slot(unsigned size) { return size == 1 ? 0 : size == 4 ? 1 : size == 8 ? 2 : -1; }
int address_slot(Address form) {
    switch (form) {
    case Address::base64: return 0;
    case Address::index64: return 1;
    case Address::base32: return 2;
    case Address::segment64:
    case Address::index32: return -1;
    }
    return -1;
}

template <class F>
Handler pick(unsigned size, unsigned condition, bool immediate) {
    int const slot = size_slot(size);
    if (slot < 0) return nullptr;
    auto const& forms = register_rows<F>[static_cast<std::size_t>(slot)];
    return (immediate ? forms.imm : forms.reg)[condition];
}

}  // namespace

Handler fused(std::string_view operation, unsigned size, unsigned condition, bool immediate) {
    if (operation == "cmp") return pick<FusedCmp>(size, condition, immediate);
    if (operation == "test") return pick<FusedTest>(size, condition, immediate);
    if (operation == "sub") return pick<FusedSub>(size, condition, immediate);
    if (operation == "add") return pick<FusedAdd>(size, condition, immediate);
    if (operation == "and_") return pick<FusedAnd>(size, condition, immediate);
    if (operation == "inc") return pick<FusedInc>(size, condition, immediate);
    if (operation == "dec") return pick<FusedDec>(size, condition, immediate);
    return nullptr;
}

Handler fused_memory(std::string_view operation, unsigned size, unsigned condition, Address form, bool memory_first, bool immediate) {
    int const s = size_slot(size), a = address_slot(form);
    if (s < 0 || a < 0) return nullptr;
    auto const at = [&](auto const& rows) { return rows[static_cast<std::size_t>(s)][static_cast<std::size_t>(a)][condition]; };
    if (operation == "cmp" && !memory_first) return at(memory_rows<FusedCmp, Order::register_memory>);
    if (operation == "cmp") return immediate ? at(memory_rows<FusedCmp, Order::memory_immediate>) : at(memory_rows<FusedCmp, Order::memory_register>);
    if (operation == "test") return immediate ? at(memory_rows<FusedTest, Order::memory_immediate>) : at(memory_rows<FusedTest, Order::memory_register>);
    return nullptr;
}

}  // namespace ramet::fast
