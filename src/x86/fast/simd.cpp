// Fast forms of the SSE rows: the same pure operations as on the exact path, under mode::sse, where the unit is available and every
// exception is masked, so that only memory can fault. Derived from the rows; MMX rows have none.
#include "x86/exec/simd.h"
#include "x86/fast/tables.h"
#include "x86/fpu/sse_arith.h"
#include "x86/fpu/sse_extended.h"
#include "x86/ops/simd_crypto.h"
#include "x86/ops/simd_move.h"
#include "x86/ops/simd_sse4.h"

namespace ramet::fast {

namespace {

/// Where rows find their operations.
namespace vector {
using namespace ops;
using namespace fpu;
}  // namespace vector

using namespace isa;
using exec::is_mmx;
using exec::is_vector;
using exec::vector_size;

constexpr std::size_t xmm_at = offsetof(Core, cpu) + offsetof(Cpu, xmm);

/// The first operand is r/m rather than the register in ModRM.reg.
constexpr bool in_rm(Kind k) { return k == Kind::W || k == Kind::U || k == Kind::E || k == Kind::R || k == Kind::M; }
constexpr bool has_fast_form(Operands const& o) {
    if (o.count < 2 || o.count > 3) return false;
    for (std::size_t i = 0; i < 2; ++i)
        if (is_mmx(o.list[i].kind) || (!is_vector(o.list[i].kind) && o.list[i].kind != Kind::E && o.list[i].kind != Kind::R && o.list[i].kind != Kind::G && o.list[i].kind != Kind::I))
            return false;
    return true;
}
/// One of the operands can be memory.
constexpr bool may_be_memory(Operand o) { return o.kind == Kind::W || o.kind == Kind::E || o.kind == Kind::M; }
constexpr bool memory_only(Operand o) { return o.kind == Kind::M; }

/// Bytes of an operand in memory, where T is the type of size y.
template <Operand O, class T>
constexpr unsigned memory_size() {
    if constexpr (is_vector(O.kind)) return vector_size(O.size);
    else return sizeof(exec::TypeOf<O, T>);
}

template <Operand O, class T>
auto from_slot(Core* c, unsigned slot) {
    if constexpr (is_vector(O.kind)) return get<V128>(c, xmm_at + slot);
    else return get<exec::TypeOf<O, T>>(c, slot);
}
template <Operand O, class T>
auto from_bytes(const u8* at) {
    if constexpr (!is_vector(O.kind)) return load<exec::TypeOf<O, T>>(at);
    else if constexpr (vector_size(O.size) == 16) return load<V128>(at);
    else if constexpr (vector_size(O.size) == 8) return V128{load<u64>(at), 0};
    else if constexpr (vector_size(O.size) == 4) return V128{load<u32>(at), 0};
    else if constexpr (vector_size(O.size) == 2) return V128{load<u16>(at), 0};
    else return V128{load<u8>(at), 0};
}
inline V128 as_vector(V128 v) { return v; }
inline V128 as_vector(u64 v) { return {v, 0}; }

template <Operand O, class T, class R>
void to_slot(Core* c, unsigned slot, R result) {
    if constexpr (std::is_same_v<R, Flags>) c->lazy.set(result);
    else if constexpr (is_vector(O.kind)) put<V128>(c, xmm_at + slot, as_vector(result));
    else put(c, slot, static_cast<exec::TypeOf<O, T>>(exec::low_bits(result)));
}

template <Operands O, auto Operation, class A, class B>
auto compute(Core* c, const Op* o, A a, B b) {
    if constexpr (O.count == 3) return exec::call<Operation>(*c, a, b, static_cast<u8>(o->imm));
    else return exec::call<Operation>(*c, a, b);
}

/// The destination's old value, if the operation wants it.
template <Operand O, class T>
auto old_value(Core* c, unsigned slot) {
    if constexpr (O.access != Access::w) return from_slot<O, T>(c, slot);
    else if constexpr (is_vector(O.kind)) return V128{};
    else return exec::TypeOf<O, T>{};
}

template <Operands O, auto Operation, unsigned cost, class T>
RAMET_HANDLER simd_registers(Core* c, const Op* o, Budget budget) {
    auto const a = old_value<O.list[0], T>(c, o->dst);
    auto const b = [&] {
        if constexpr (O.list[1].kind == Kind::I) return static_cast<u8>(o->imm);
        else return from_slot<O.list[1], T>(c, o->src);
    }();
    to_slot<O.list[0], T>(c, o->dst, compute<O, Operation>(c, o, a, b));
    if constexpr (cost > 1) c->extra += cost - 1;
    RAMET_NEXT;
}

/// Size x is aligned or #GP, which the exact path raises.
template <Operand O>
bool misaligned(u64 linear) {
    return is_vector(O.kind) && O.size == Size::x && (linear & 15) != 0;
}

template <Operands O, auto Operation, unsigned cost, class T, Address A>
RAMET_HANDLER simd_load(Core* c, const Op* o, Budget budget) {
    u64 const linear = effective<A>(c, o);
    const u8* const at = readable<memory_size<O.list[1], T>()>(c, linear);
    if (at == nullptr) [[unlikely]] RAMET_TAIL return missed(c, o, budget);
    if (misaligned<O.list[1]>(linear)) [[unlikely]] RAMET_TAIL return exact(c, o, budget);
    auto const a = old_value<O.list[0], T>(c, o->dst);
    to_slot<O.list[0], T>(c, o->dst, compute<O, Operation>(c, o, a, from_bytes<O.list[1], T>(at)));
    if constexpr (cost > 1) c->extra += cost - 1;
    RAMET_NEXT;
}

/// Memory destinations are written without being read.
template <Operands O, auto Operation, unsigned cost, class T, Address A>
RAMET_HANDLER simd_store(Core* c, const Op* o, Budget budget) {
    constexpr unsigned size = memory_size<O.list[0], T>();
    u64 const linear = effective<A>(c, o);
    u8* const at = writable<size>(c, linear);
    if (at == nullptr) [[unlikely]] RAMET_TAIL return missed(c, o, budget);
    if (misaligned<O.list[0]>(linear)) [[unlikely]] RAMET_TAIL return exact(c, o, budget);
    auto const a = [] {
        if constexpr (is_vector(O.list[0].kind)) return V128{};
        else return exec::TypeOf<O.list[0], T>{};
    }();
    V128 const result = as_vector(compute<O, Operation>(c, o, a, from_slot<O.list[1], T>(c, o->src)));
    std::memcpy(at, &result, size);
    if constexpr (cost > 1) c->extra += cost - 1;
    RAMET_NEXT;
}

template <Operands O, auto Operation, unsigned cost, class T, template <Operands, auto, unsigned, class, Address> class Form>
constexpr ByAddress simd_by_address() {
    using enum Address;
    return {Form<O, Operation, cost, T, base64>::handler, Form<O, Operation, cost, T, index64>::handler, nullptr,
            Form<O, Operation, cost, T, base32>::handler, Form<O, Operation, cost, T, index32>::handler};
}
template <Operands O, auto Operation, unsigned cost, class T, Address A>
struct SimdLoad {
    static constexpr Handler handler = &simd_load<O, Operation, cost, T, A>;
};
template <Operands O, auto Operation, unsigned cost, class T, Address A>
struct SimdStore {
    static constexpr Handler handler = &simd_store<O, Operation, cost, T, A>;
};

template <Operands O, u32 Traits, auto Operation, unsigned cost, class T>
constexpr LoadForms simd_forms_of() {
    LoadForms forms = {};
    if constexpr (!memory_only(O.list[0]) && !memory_only(O.list[1])) forms.reg = &simd_registers<O, Operation, cost, T>;
    if constexpr (may_be_memory(O.list[1])) forms.mem = simd_by_address<O, Operation, cost, T, SimdLoad>();
    else if constexpr (may_be_memory(O.list[0]) && O.list[0].access == Access::w) forms.mem = simd_by_address<O, Operation, cost, T, SimdStore>();
    return forms;
}

struct SimdRow {
    Id id = Id::count;
    LoadForms narrow = {}, wide = {};  ///< size y is 4 or 8 bytes
    bool destination_in_rm = false, vector_destination = false, vector_source = false;
};

template <Id id, Operands O, u32 Traits, auto Operation, unsigned cost>
constexpr SimdRow simd_row() {
    if constexpr (!has_fast_form(O)) return {};
    else {
        bool const to_rm = in_rm(O.list[0].kind) && !(O.list[1].kind == Kind::W || O.list[1].kind == Kind::U);
        return {id, simd_forms_of<O, Traits, Operation, cost, u32>(), simd_forms_of<O, Traits, Operation, cost, u64>(), to_rm,
                is_vector(O.list[0].kind), is_vector(O.list[1].kind)};
    }
}

#define SIMD(id, encoding, operands, operation, flags, traits, cost)                                                  \
    simd_row<Id::id, parse_operands(operands), (traits),                                                              \
             [](auto... inputs) requires requires { vector::operation(inputs...); } { return vector::operation(inputs...); }, cost>(),
#define SPECIAL(...)

constexpr SimdRow simd_rows[] = {
#include "x86/isa/sse.def"
};

/// By distance from the first SSE row; rows without a fast form are left out.
std::array<const SimdRow*, row_count> index_rows() {
    std::array<const SimdRow*, row_count> index = {};
    for (SimdRow const& row : simd_rows)
        if (row.id != Id::count) index[static_cast<std::size_t>(row.id)] = &row;
    return index;
}

}  // namespace

std::optional<SimdChoice> simd(isa::Id id, bool wide) {
    static const std::array<const SimdRow*, row_count> index = index_rows();
    SimdRow const* const row = index[static_cast<std::size_t>(id)];
    if (row == nullptr) return std::nullopt;
    return SimdChoice{wide ? row->wide : row->narrow, row->destination_in_rm, row->vector_destination, row->vector_source};
}

}  // namespace ramet::fast
