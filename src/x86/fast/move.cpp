// Registers that receive something else: zero- and sign-extension, conditional moves, products, addresses, conditions.
#include "x86/fast/tables.h"
#include "x86/ops/alu.h"
#include "x86/ops/muldiv.h"

namespace ramet::fast {

namespace {

/// `apply(core, op, old destination, source)` gives the new destination.
template <class F, Word T, Word S>
[[gnu::flatten]] RAMET_HANDLER from_register(Core* c, const Op* o, Budget budget) {
    put<T>(c, o->dst, F::template apply<T>(c, o, get<T>(c, o->dst), get<S>(c, o->src)));
    RAMET_NEXT;
}
template <class F, Word T, Word S, Address A>
[[gnu::flatten]] RAMET_HANDLER from_memory(Core* c, const Op* o, Budget budget) {
    const u8* const at = readable<sizeof(S)>(c, effective<A>(c, o));
    if (at == nullptr) [[unlikely]] RAMET_TAIL return missed(c, o, budget);
    put<T>(c, o->dst, F::template apply<T>(c, o, get<T>(c, o->dst), load<S>(at)));
    RAMET_NEXT;
}
template <class F, Word T, Word S>
constexpr LoadForms load_forms() {
    using enum Address;
    return {&from_register<F, T, S>,
            {&from_memory<F, T, S, base64>, &from_memory<F, T, S, index64>, &from_memory<F, T, S, segment64>, &from_memory<F, T, S, base32>,
             &from_memory<F, T, S, index32>}};
}

struct ZeroExtend {
    template <Word T>
    static T apply(Core*, const Op*, T, Word auto b) {
        return ops::movzx<T>(b);
    }
};
struct SignExtend {
    template <Word T>
    static T apply(Core*, const Op*, T, Word auto b) {
        if constexpr (sizeof(b) == 4) return ops::movsxd<T>(b);
        else return ops::movsx<T>(b);
    }
};
template <class F, Word S>
constexpr std::array<LoadForms, 3> extend_forms() {
    return {load_forms<F, u16, S>(), load_forms<F, u32, S>(), load_forms<F, u64, S>()};
}
constexpr std::array<std::array<LoadForms, 3>, 2> zero_extensions = {extend_forms<ZeroExtend, u8>(), extend_forms<ZeroExtend, u16>()};
constexpr std::array<std::array<LoadForms, 3>, 3> sign_extensions = {extend_forms<SignExtend, u8>(), extend_forms<SignExtend, u16>(),
                                                                     extend_forms<SignExtend, u32>()};

template <unsigned cc>
struct MoveIf {
    template <Word T>
    static T apply(Core* c, const Op*, T a, T b) {
        return c->lazy.condition(cc) ? b : a;
    }
};
template <unsigned cc>
constexpr std::array<LoadForms, 3> move_if_forms() {
    return {load_forms<MoveIf<cc>, u16, u16>(), load_forms<MoveIf<cc>, u32, u32>(), load_forms<MoveIf<cc>, u64, u64>()};
}
template <unsigned... cc>
constexpr std::array<std::array<LoadForms, 3>, 16> all_move_if_forms(std::integer_sequence<unsigned, cc...>) {
    return {move_if_forms<cc>()...};
}
constexpr auto conditional_moves = all_move_if_forms(std::make_integer_sequence<unsigned, 16>{});

template <Word T>
T product(Core* c, const Op* o, T a, T b) {
    auto const p = ops::imul2<T>(a, b, {});
    c->lazy.set_carry_overflow(p.flags.c(), p.flags.o());
    c->extra += o->aux;
    return p.value;
}
struct Multiply {
    template <Word T>
    static T apply(Core* c, const Op* o, T a, T b) {
        return product<T>(c, o, a, b);
    }
};
struct MultiplyImmediate {
    template <Word T>
    static T apply(Core* c, const Op* o, T, T b) {
        return product<T>(c, o, b, static_cast<T>(o->imm));
    }
};
constexpr std::array<LoadForms, 2> products = {load_forms<Multiply, u32, u32>(), load_forms<Multiply, u64, u64>()};
constexpr std::array<LoadForms, 2> immediate_products = {load_forms<MultiplyImmediate, u32, u32>(), load_forms<MultiplyImmediate, u64, u64>()};

/// Into rDX:rAX.
template <Word T, class Product>
void set_accumulator(Core* c, const Op* o, Product const& p) {
    c->set_gpr<T>(RAX, p.low);
    c->set_gpr<T>(RDX, p.high);
    c->lazy.set_carry_overflow(p.flags.c(), p.flags.o());
    c->extra += o->aux;
}
struct Mul {
    template <Word T>
    static bool apply(Core* c, const Op* o, T b) {
        return set_accumulator<T>(c, o, ops::mul<T>(c->gpr<T>(RAX), b, {})), true;
    }
};
struct Imul {
    template <Word T>
    static bool apply(Core* c, const Op* o, T b) {
        return set_accumulator<T>(c, o, ops::imul<T>(c->gpr<T>(RAX), b, {})), true;
    }
};
template <Word T>
bool set_quotient(Core* c, const Op* o, std::optional<ops::Quotient<T>> const& q) {
    if (!q) return false;
    c->set_gpr<T>(RAX, q->quotient);
    c->set_gpr<T>(RDX, q->remainder);
    c->extra += o->aux;
    return true;
}
struct Div {
    template <Word T>
    static bool apply(Core* c, const Op* o, T b) {
        return set_quotient<T>(c, o, ops::div<T>(c->gpr<T>(RDX), c->gpr<T>(RAX), b));
    }
};
struct Idiv {
    template <Word T>
    static bool apply(Core* c, const Op* o, T b) {
        return set_quotient<T>(c, o, ops::idiv<T>(c->gpr<T>(RDX), c->gpr<T>(RAX), b));
    }
};
template <class F, Word T>
RAMET_HANDLER accumulate_register(Core* c, const Op* o, Budget budget) {
    if (!F::template apply<T>(c, o, get<T>(c, o->src))) [[unlikely]] RAMET_TAIL return exact(c, o, budget);
    RAMET_NEXT;
}
template <class F, Word T, Address A>
RAMET_HANDLER accumulate_memory(Core* c, const Op* o, Budget budget) {
    const u8* const at = readable<sizeof(T)>(c, effective<A>(c, o));
    if (at == nullptr || !F::template apply<T>(c, o, load<T>(at))) [[unlikely]] RAMET_TAIL return exact(c, o, budget);
    RAMET_NEXT;
}
template <class F, Word T>
constexpr LoadForms accumulate_forms() {
    using enum Address;
    return {&accumulate_register<F, T>,
            {&accumulate_memory<F, T, base64>, &accumulate_memory<F, T, index64>, nullptr, &accumulate_memory<F, T, base32>, &accumulate_memory<F, T, index32>}};
}
template <class F>
constexpr std::array<LoadForms, 2> accumulators = {accumulate_forms<F, u32>(), accumulate_forms<F, u64>()};

template <unsigned cc>
RAMET_HANDLER set_if(Core* c, const Op* o, Budget budget) {
    put<u8>(c, o->dst, c->lazy.condition(cc));
    RAMET_NEXT;
}
template <unsigned... cc>
constexpr std::array<Handler, 16> set_if_forms(std::integer_sequence<unsigned, cc...>) {
    return {&set_if<cc>...};
}
constexpr auto conditional_sets = set_if_forms(std::make_integer_sequence<unsigned, 16>{});

template <Word T, Address A>
RAMET_HANDLER lea(Core* c, const Op* o, Budget budget) {
    put<T>(c, o->dst, static_cast<T>(effective<A>(c, o)));
    RAMET_NEXT;
}
template <Word T>
constexpr ByAddress lea_forms = {&lea<T, Address::base64>, &lea<T, Address::index64>, nullptr, &lea<T, Address::base32>, &lea<T, Address::index32>};

unsigned wide(unsigned size) { return size == 8 ? 1 : 0; }
unsigned word_up(unsigned size) { return size == 8 ? 2 : size == 4 ? 1 : 0; }

}  // namespace

const LoadForms& extend(bool is_signed, unsigned source_size, unsigned destination_size) {
    unsigned const from = source_size == 1 ? 0 : source_size == 2 ? 1 : 2;
    return (is_signed ? sign_extensions[from] : zero_extensions[from])[word_up(destination_size)];
}
const LoadForms& conditional_move(unsigned condition, unsigned size) { return conditional_moves[condition][word_up(size)]; }
const LoadForms& multiply(unsigned size) { return products[wide(size)]; }
const LoadForms& multiply_immediate(unsigned size) { return immediate_products[wide(size)]; }
const LoadForms* accumulate(std::string_view operation, unsigned size) {
    if (size < 4) return nullptr;
    if (operation == "mul") return &accumulators<Mul>[wide(size)];
    if (operation == "imul") return &accumulators<Imul>[wide(size)];
    if (operation == "div") return &accumulators<Div>[wide(size)];
    if (operation == "idiv") return &accumulators<Idiv>[wide(size)];
    return nullptr;
}
Handler set_condition(unsigned condition) { return conditional_sets[condition]; }
Handler load_effective(Address form, unsigned size) {
    auto const at = static_cast<std::size_t>(form);
    return size == 8 ? lea_forms<u64>[at] : size == 4 ? lea_forms<u32>[at] : nullptr;
}

}  // namespace ramet::fast
