// Single operations on the host's x87 unit under the guest's control word. IEEE 754 and the manuals define their bits, so
// that every host agrees; what differs between CPUs is in x87_remainder.h and x87_transcendental.h instead.
//
// The host's own control word is the ABI's (037F, all masked). With the guest's exceptions masked too, an operation costs
// little more than itself: the control word is loaded only if it differs, and flags from before are cleared only if the guest does
// not have them set. With an unmasked exception the host computes under the guest's word, which gives scaled results on
// overflow and underflow; its flags are cleared before the next instruction could report them.
#pragma once

#include "x86/fpu/x87_unit.h"

namespace ramet::fpu {

/// Memory operands, by format.
struct Single {
    u32 bits = 0;
};
struct Double {
    u64 bits = 0;
};

/// status: exception flags, and C1 or all condition codes, as the instruction leaves them.
template <class Value>
struct Computed {
    Value value = {};
    u16 status = 0;
};

/// The host's control word while one operation runs.
class HostControl {
public:
    /// Under the guest's control word, exceptions as the guest masks them.
    explicit HostControl(const X87& guest) : HostControl(guest.fcw, guest.fsw) {}
    /// The same with every exception masked.
    static HostControl masked(const X87& guest) { return HostControl(guest.fcw | fcw::masks, guest.fsw); }

    ~HostControl() {
        if (changed_) {
            load(fcw::fninit);
        }
    }
    HostControl(const HostControl&) = delete;
    HostControl& operator=(const HostControl&) = delete;

    bool all_masked() const { return all_masked_; }

private:
    HostControl(unsigned control, u16 known_flags)
        : all_masked_((control & fcw::masks) == fcw::masks), changed_((control & 0xf3f) != (fcw::fninit & 0xf3f)) {
        u16 status;
        asm volatile("fnstsw %0" : "=a"(status));
        if (!all_masked_ || (status & fsw::exceptions & ~known_flags)) {
            asm volatile("fnclex");
        }
        if (changed_) {
            load(static_cast<u16>((control & 0xf3f) | fcw::always_one));
        }
    }
    static void load(u16 control) { asm volatile("fldcw %0" : : "m"(control)); }

    bool all_masked_;
    bool changed_;
};

// `code` leaves a status word to be read by FNSTSW, then `after` brings the stack back to empty. Flags are cleared in between when
// one could be unmasked. AX is written early: no operand of what follows FNSTSW may be addressed through it.
#define RAMET_X87_RUN(control, code, after, outputs, ...)                                                                  \
    if ((control).all_masked()) {                                                                                          \
        asm volatile(code "\n\tfnstsw %[status]\n\t" after : [status] "=&a"(status), outputs : __VA_ARGS__ : "st", "st(1)"); \
    } else {                                                                                                               \
        asm volatile(code "\n\tfnstsw %[status]\n\tfnclex\n\t" after                                                       \
                     : [status] "=&a"(status), outputs                                                                      \
                     : __VA_ARGS__                                                                                         \
                     : "st", "st(1)");                                                                                     \
    }

#define RAMET_X87_MEMORY(name, mnemonic, Operand)                                                             \
    inline Computed<F80> name(const X87& f, F80 a, Operand b) {                                               \
        HostControl const control(f);                                                                         \
        F80 r;                                                                                                \
        u16 status;                                                                                           \
        RAMET_X87_RUN(control, "fldt %[a]\n\t" mnemonic " %[b]", "fstpt %[r]", [r] "=m"(r), [a] "m"(a), [b] "m"(b)) \
        return {r, status};                                                                                   \
    }
#define RAMET_X87_REGISTER(name, mnemonic)                                                                    \
    inline Computed<F80> name(const X87& f, F80 a, F80 b) {                                                   \
        HostControl const control(f);                                                                         \
        F80 r;                                                                                                \
        u16 status;                                                                                           \
        RAMET_X87_RUN(control, "fldt %[b]\n\tfldt %[a]\n\t" mnemonic " %%st(1), %%st", "fstpt %[r]\n\tfstp %%st(0)", \
                      [r] "=m"(r), [a] "m"(a), [b] "m"(b))                                                    \
        return {r, status};                                                                                   \
    }
/// a op b, where b is a register, a float, a double, a word or a doubleword.
#define RAMET_X87_BINARY(name, mnemonic, integer_mnemonic)   \
    RAMET_X87_REGISTER(name, mnemonic)                       \
    RAMET_X87_MEMORY(name, mnemonic "s", Single)             \
    RAMET_X87_MEMORY(name, mnemonic "l", Double)             \
    RAMET_X87_MEMORY(name, integer_mnemonic "s", i16)        \
    RAMET_X87_MEMORY(name, integer_mnemonic "l", i32)

namespace host {

RAMET_X87_BINARY(add, "fadd", "fiadd")
RAMET_X87_BINARY(subtract, "fsub", "fisub")
RAMET_X87_BINARY(subtract_reversed, "fsubr", "fisubr")
RAMET_X87_BINARY(multiply, "fmul", "fimul")
RAMET_X87_BINARY(divide, "fdiv", "fidiv")
RAMET_X87_BINARY(divide_reversed, "fdivr", "fidivr")

#define RAMET_X87_COMPARE_MEMORY(mnemonic, Operand)                                                                    \
    inline u16 compare(const X87& f, F80 a, Operand b) {                                                               \
        HostControl const control = HostControl::masked(f);                                                            \
        u16 status;                                                                                                    \
        asm volatile("fldt %[a]\n\t" mnemonic " %[b]\n\tfnstsw %[status]\n\tfstp %%st(0)"                              \
                     : [status] "=&a"(status)                                                                           \
                     : [a] "m"(a), [b] "m"(b)                                                                          \
                     : "st", "st(1)");                                                                                 \
        return status;                                                                                                 \
    }
#define RAMET_X87_COMPARE_REGISTER(name, mnemonic)                                                                     \
    inline u16 name(const X87& f, F80 a, F80 b) {                                                                      \
        HostControl const control = HostControl::masked(f);                                                            \
        u16 status;                                                                                                    \
        asm volatile("fldt %[b]\n\tfldt %[a]\n\t" mnemonic " %%st(1)\n\tfnstsw %[status]\n\tfstp %%st(0)\n\tfstp %%st(0)" \
                     : [status] "=&a"(status)                                                                           \
                     : [a] "m"(a), [b] "m"(b)                                                                          \
                     : "st", "st(1)");                                                                                 \
        return status;                                                                                                 \
    }
/// Condition codes and flags of FCOM and FUCOM. They raise IE and DE only, so the masked answer tells all.
RAMET_X87_COMPARE_REGISTER(compare, "fcom")
RAMET_X87_COMPARE_REGISTER(compare_quietly, "fucom")
RAMET_X87_COMPARE_MEMORY("fcoms", Single)
RAMET_X87_COMPARE_MEMORY("fcoml", Double)
RAMET_X87_COMPARE_MEMORY("ficoms", i16)
RAMET_X87_COMPARE_MEMORY("ficoml", i32)

/// a op nothing.
#define RAMET_X87_UNARY(name, mnemonic)                                                                   \
    inline Computed<F80> name(const X87& f, F80 a) {                                                      \
        HostControl const control(f);                                                                     \
        F80 r;                                                                                            \
        u16 status;                                                                                       \
        RAMET_X87_RUN(control, "fldt %[a]\n\t" mnemonic, "fstpt %[r]", [r] "=m"(r), [a] "m"(a))           \
        return {r, status};                                                                               \
    }
RAMET_X87_UNARY(square_root, "fsqrt")
RAMET_X87_UNARY(round, "frndint")

/// a * 2^(b towards zero).
inline Computed<F80> scale(const X87& f, F80 a, F80 b) {
    HostControl const control(f);
    F80 r;
    u16 status;
    RAMET_X87_RUN(control, "fldt %[b]\n\tfldt %[a]\n\tfscale", "fstpt %[r]\n\tfstp %%st(0)", [r] "=m"(r), [a] "m"(a), [b] "m"(b))
    return {r, status};
}

/// Conversions to the register format raise IE and DE only, and are computed masked: an unmasked load pushes nothing.
#define RAMET_X87_LOAD(mnemonic, Operand)                                                     \
    inline Computed<F80> load(const X87& f, Operand b) {                                      \
        HostControl const control = HostControl::masked(f);                                   \
        F80 r;                                                                                \
        u16 status;                                                                           \
        asm volatile(mnemonic " %[b]\n\tfnstsw %[status]\n\tfstpt %[r]"                       \
                     : [status] "=&a"(status), [r] "=m"(r)                                     \
                     : [b] "m"(b)                                                             \
                     : "st", "st(1)");                                                        \
        return {r, status};                                                                   \
    }
RAMET_X87_LOAD("flds", Single)
RAMET_X87_LOAD("fldl", Double)
RAMET_X87_LOAD("filds", i16)
RAMET_X87_LOAD("fildl", i32)
RAMET_X87_LOAD("fildll", i64)

/// Conversions from the register format. An unmasked IE, OE or UE stores nothing; the value is then meaningless. All are
/// instructions that pop on the host, whose stack must be empty afterwards: what does not pop loads the operand anew.
#define RAMET_X87_STORE(mnemonic, Target)                                                                     \
    inline void store(const X87& f, F80 a, Computed<Target>& r) {                                             \
        HostControl const control(f);                                                                         \
        u16 status;                                                                                           \
        RAMET_X87_RUN(control, "fldt %[a]\n\t" mnemonic " %[r]", "fstp %%st(0)", [r] "+m"(r.value), [a] "m"(a)) \
        r.status = status;                                                                                    \
    }
RAMET_X87_STORE("fsts", Single)
RAMET_X87_STORE("fstl", Double)
RAMET_X87_STORE("fists", i16)
RAMET_X87_STORE("fistl", i32)

/// FISTP m64 and FBSTP have no form that keeps the register. They raise IE and PE only; computed masked.
#define RAMET_X87_STORE_POP(name, mnemonic, Target)                                           \
    inline void name(const X87& f, F80 a, Computed<Target>& r) {                              \
        HostControl const control = HostControl::masked(f);                                   \
        u16 status;                                                                           \
        asm volatile("fldt %[a]\n\t" mnemonic " %[r]\n\tfnstsw %[status]"                     \
                     : [status] "=&a"(status), [r] "+m"(r.value)                               \
                     : [a] "m"(a)                                                             \
                     : "st", "st(1)");                                                        \
        r.status = status;                                                                    \
    }
RAMET_X87_STORE_POP(store, "fistpll", i64)
RAMET_X87_STORE_POP(store_decimal, "fbstp", F80)

}  // namespace host

#undef RAMET_X87_STORE_POP
#undef RAMET_X87_STORE
#undef RAMET_X87_LOAD
#undef RAMET_X87_UNARY
#undef RAMET_X87_COMPARE_REGISTER
#undef RAMET_X87_COMPARE_MEMORY
#undef RAMET_X87_BINARY
#undef RAMET_X87_REGISTER
#undef RAMET_X87_MEMORY
#undef RAMET_X87_RUN

}  // namespace ramet::fpu
