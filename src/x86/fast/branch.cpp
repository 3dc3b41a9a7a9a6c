// Jumps, calls, returns, and the stack. The stack is flat and as wide as the operand: 8 bytes in 64-bit mode, 4 with SS.B.
#include "x86/access.h"
#include "x86/fast/tables.h"

namespace ramet::fast {

namespace {

/// A stack pointer or an instruction pointer of the width that T has.
template <Word T>
u64 narrow(u64 value) {
    return static_cast<T>(value);
}

RAMET_HANDLER jmp_link(Core* c, const Op* o, Budget budget) { RAMET_FOLLOW(taken); }
template <Word T>
RAMET_HANDLER jmp_far_away(Core* c, const Op* o, Budget budget) {
    RAMET_JUMP(narrow<T>(c->rip_base + o->imm), , exact_end);
}
RAMET_HANDLER fall_link(Core* c, const Op* o, Budget budget) { RAMET_FOLLOW(fall); }
RAMET_HANDLER fall_away(Core* c, const Op* o, Budget budget) { RAMET_JUMP((c->rip_base + page_size) & c->ip_mask(), , leave_next); }

template <unsigned cc>
RAMET_HANDLER jcc_link(Core* c, const Op* o, Budget budget) {
    if (c->lazy.condition(cc)) RAMET_FOLLOW(taken);
    RAMET_FOLLOW(fall);
}
template <unsigned cc, Word T>
RAMET_HANDLER jcc_away(Core* c, const Op* o, Budget budget) {
    u64 const offset = c->lazy.condition(cc) ? o->imm : o->next_offset();
    RAMET_JUMP(narrow<T>(c->rip_base + offset), , exact_end);
}
template <unsigned... cc>
constexpr std::array<Handler, 16> links(std::integer_sequence<unsigned, cc...>) {
    return {&jcc_link<cc>...};
}
template <Word T, unsigned... cc>
constexpr std::array<Handler, 16> aways(std::integer_sequence<unsigned, cc...>) {
    return {&jcc_away<cc, T>...};
}
using Conditions = std::make_integer_sequence<unsigned, 16>;
constexpr std::array<Handler, 16> jcc_links = links(Conditions{}), jcc_aways32 = aways<u32>(Conditions{}), jcc_aways64 = aways<u64>(Conditions{});

template <Word T>
u64 stack_top(Core* c) {
    return narrow<T>(c->cpu.gpr[RSP]);
}

template <Word T>
RAMET_HANDLER push_register(Core* c, const Op* o, Budget budget) {
    u64 const top = narrow<T>(stack_top<T>(c) - sizeof(T));
    u8* const at = writable<sizeof(T)>(c, top);
    if (at == nullptr) [[unlikely]] RAMET_TAIL return exact(c, o, budget);
    store<T>(at, get<T>(c, o->src));
    c->cpu.gpr[RSP] = top;
    RAMET_NEXT;
}
template <Word T>
RAMET_HANDLER push_immediate(Core* c, const Op* o, Budget budget) {
    u64 const top = narrow<T>(stack_top<T>(c) - sizeof(T));
    u8* const at = writable<sizeof(T)>(c, top);
    if (at == nullptr) [[unlikely]] RAMET_TAIL return exact(c, o, budget);
    store<T>(at, static_cast<T>(o->imm));
    c->cpu.gpr[RSP] = top;
    RAMET_NEXT;
}
template <Word T, Address A>
RAMET_HANDLER push_memory(Core* c, const Op* o, Budget budget) {
    u64 const top = narrow<T>(stack_top<T>(c) - sizeof(T));
    const u8* const from = readable<sizeof(T)>(c, effective<A>(c, o));
    u8* const at = writable<sizeof(T)>(c, top);
    if (from == nullptr || at == nullptr) [[unlikely]] RAMET_TAIL return exact(c, o, budget);
    store<T>(at, load<T>(from));
    c->cpu.gpr[RSP] = top;
    RAMET_NEXT;
}
template <Word T>
RAMET_HANDLER pop_register(Core* c, const Op* o, Budget budget) {
    u64 const top = stack_top<T>(c);
    const u8* const at = readable<sizeof(T)>(c, top);
    if (at == nullptr) [[unlikely]] RAMET_TAIL return exact(c, o, budget);
    c->cpu.gpr[RSP] = narrow<T>(top + sizeof(T));
    put<T>(c, o->dst, load<T>(at));
    RAMET_NEXT;
}
template <Word T>
RAMET_HANDLER leave_frame(Core* c, const Op* o, Budget budget) {
    u64 const frame = narrow<T>(c->cpu.gpr[RBP]);
    const u8* const at = readable<sizeof(T)>(c, frame);
    if (at == nullptr) [[unlikely]] RAMET_TAIL return exact(c, o, budget);
    c->cpu.gpr[RSP] = narrow<T>(frame + sizeof(T));
    c->cpu.gpr[RBP] = load<T>(at);
    RAMET_NEXT;
}

/// The return address is written when the target is known to be reachable.
template <Word T>
struct Return {
    Core* c;
    u64 top;
    u8* at;

    Return(Core* core) : c(core), top(narrow<T>(stack_top<T>(core) - sizeof(T))), at(writable<sizeof(T)>(core, top)) {}
    void push(const Op* o) const {
        store<T>(at, static_cast<T>(c->rip_base + o->next_offset()));
        c->cpu.gpr[RSP] = top;
    }
};

template <Word T>
RAMET_HANDLER call_link(Core* c, const Op* o, Budget budget) {
    Return<T> const back{c};
    if (back.at == nullptr || links_of(o).taken.load(std::memory_order_relaxed) == nullptr) [[unlikely]]
        RAMET_TAIL return exact_call(c, o, budget);
    back.push(o);
    RAMET_FOLLOW(taken);
}
template <Word T>
RAMET_HANDLER call_away(Core* c, const Op* o, Budget budget) {
    Return<T> const back{c};
    if (back.at == nullptr) [[unlikely]] RAMET_TAIL return exact_end(c, o, budget);
    RAMET_JUMP(narrow<T>(c->rip_base + o->imm), back.push(o), exact_end);
}
template <Word T>
RAMET_HANDLER call_register(Core* c, const Op* o, Budget budget) {
    Return<T> const back{c};
    if (back.at == nullptr) [[unlikely]] RAMET_TAIL return exact_end(c, o, budget);
    RAMET_JUMP(get<T>(c, o->src), back.push(o), exact_end);
}
template <Word T, Address A>
RAMET_HANDLER call_memory(Core* c, const Op* o, Budget budget) {
    Return<T> const back{c};
    const u8* const from = readable<sizeof(T)>(c, effective<A>(c, o));
    if (back.at == nullptr || from == nullptr) [[unlikely]] RAMET_TAIL return exact_end(c, o, budget);
    RAMET_JUMP(load<T>(from), back.push(o), exact_end);
}
template <Word T>
RAMET_HANDLER jmp_register(Core* c, const Op* o, Budget budget) {
    RAMET_JUMP(get<T>(c, o->src), , exact_end);
}
template <Word T, Address A>
RAMET_HANDLER jmp_memory(Core* c, const Op* o, Budget budget) {
    const u8* const from = readable<sizeof(T)>(c, effective<A>(c, o));
    if (from == nullptr) [[unlikely]] RAMET_TAIL return exact_end(c, o, budget);
    RAMET_JUMP(load<T>(from), , exact_end);
}
template <Word T>
RAMET_HANDLER ret_plain(Core* c, const Op* o, Budget budget) {
    u64 const top = stack_top<T>(c);
    const u8* const at = readable<sizeof(T)>(c, top);
    if (at == nullptr) [[unlikely]] RAMET_TAIL return exact_end(c, o, budget);
    RAMET_JUMP(load<T>(at), c->cpu.gpr[RSP] = narrow<T>(top + sizeof(T)), exact_end);
}
template <Word T>
RAMET_HANDLER ret_and_release(Core* c, const Op* o, Budget budget) {
    u64 const top = stack_top<T>(c);
    const u8* const at = readable<sizeof(T)>(c, top);
    if (at == nullptr) [[unlikely]] RAMET_TAIL return exact_end(c, o, budget);
    RAMET_JUMP(load<T>(at), c->cpu.gpr[RSP] = narrow<T>(top + sizeof(T) + o->imm), exact_end);
}

template <Word T, template <Word, Address> class Form>
constexpr ByAddress by_address() {
    using enum Address;
    return {Form<T, base64>::handler, Form<T, index64>::handler, Form<T, segment64>::handler, Form<T, base32>::handler, Form<T, index32>::handler};
}
#define RAMET_FORM(Name, function)                          \
    template <Word T, Address A>                            \
    struct Name {                                           \
        static constexpr Handler handler = &function<T, A>; \
    };
RAMET_FORM(PushMemory, push_memory)
RAMET_FORM(CallMemory, call_memory)
RAMET_FORM(JumpMemory, jmp_memory)
#undef RAMET_FORM

template <Word T>
constexpr StackForms stack_forms = {&push_register<T>, &push_immediate<T>, &pop_register<T>, &leave_frame<T>, by_address<T, PushMemory>()};
template <Word T>
constexpr CallForms call_forms = {&call_link<T>,        &call_away<T>,     &call_register<T>,           &ret_plain<T>,
                                  &ret_and_release<T>,  &jmp_register<T>,  by_address<T, CallMemory>(), by_address<T, JumpMemory>()};

}  // namespace

const StackForms& stack(unsigned size) { return size == 8 ? stack_forms<u64> : stack_forms<u32>; }
const CallForms& calls(unsigned size) { return size == 8 ? call_forms<u64> : call_forms<u32>; }
Handler jump_in_page() { return &jmp_link; }
Handler jump_out_of_page(unsigned size) { return size == 8 ? &jmp_far_away<u64> : &jmp_far_away<u32>; }
Handler jump_if_in_page(unsigned condition) { return jcc_links[condition]; }
Handler jump_if_out_of_page(unsigned condition, unsigned size) { return size == 8 ? jcc_aways64[condition] : jcc_aways32[condition]; }
Handler fall_through() { return &fall_link; }
Handler fall_out_of_page() { return &fall_away; }

}  // namespace ramet::fast
