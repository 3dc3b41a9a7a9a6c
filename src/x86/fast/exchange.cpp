// XCHG, XADD and CMPXCHG: what locks are made of. One processor runs at a time, so LOCK asks for nothing more.
#include "x86/fast/tables.h"
#include "x86/ops/alu.h"

namespace ramet::fast {

namespace {

template <Word T>
RAMET_HANDLER xchg_registers(Core* c, const Op* o, Budget budget) {
    T const a = get<T>(c, o->dst);
    put<T>(c, o->dst, get<T>(c, o->src));
    put<T>(c, o->src, a);
    RAMET_NEXT;
}

struct Xchg {
    template <Word T>
    static void apply(Core* c, const Op* o, u8* at) {
        T const a = load<T>(at);
        store<T>(at, get<T>(c, o->src));
        put<T>(c, o->src, a);
    }
};
struct Xadd {
    template <Word T>
    static void apply(Core* c, const Op* o, u8* at) {
        T const a = load<T>(at), b = get<T>(c, o->src), sum = static_cast<T>(a + b);
        store<T>(at, sum);
        put<T>(c, o->src, a);
        c->lazy.set<T>(FlagKind::add8, sum, b);
    }
};
/// The accumulator stays whole where memory equals it.
struct Cmpxchg {
    template <Word T>
    static void apply(Core* c, const Op* o, u8* at) {
        T const a = load<T>(at), accumulator = c->gpr<T>(RAX);
        if (a == accumulator) store<T>(at, get<T>(c, o->src));
        else c->set_gpr<T>(RAX, a);
        c->lazy.set<T>(FlagKind::sub8, static_cast<T>(accumulator - a), a);
    }
};

template <class F, Word T, Address A>
RAMET_HANDLER exchange_memory(Core* c, const Op* o, Budget budget) {
    u8* const at = writable<sizeof(T)>(c, effective<A>(c, o));
    if (at == nullptr) [[unlikely]] RAMET_TAIL return missed(c, o, budget);
    F::template apply<T>(c, o, at);
    RAMET_NEXT;
}

template <class F, Word T>
constexpr LoadForms forms(Handler registers) {
    using enum Address;
    return {registers, {&exchange_memory<F, T, base64>, &exchange_memory<F, T, index64>, &exchange_memory<F, T, segment64>, &exchange_memory<F, T, base32>, &exchange_memory<F, T, index32>}};
}
constexpr std::array<LoadForms, 2> xchg_forms = {forms<Xchg, u32>(&xchg_registers<u32>), forms<Xchg, u64>(&xchg_registers<u64>)},
                                   xadd_forms = {forms<Xadd, u32>(nullptr), forms<Xadd, u64>(nullptr)},
                                   cmpxchg_forms = {forms<Cmpxchg, u32>(nullptr), forms<Cmpxchg, u64>(nullptr)};

}  // namespace

const LoadForms* exchange(std::string_view operation, unsigned size) {
    if (size < 4) return nullptr;
    if (operation == "xchg") return &xchg_forms[size == 8];
    if (operation == "xadd") return &xadd_forms[size == 8];
    if (operation == "cmpxchg") return &cmpxchg_forms[size == 8];
    return nullptr;
}

}  // namespace ramet::fast
