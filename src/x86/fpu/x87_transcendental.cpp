#include "x86/fpu/x87_transcendental.h"

#include <mpfr.h>

#include <bit>

#include "x86/fpu/x87_arith.h"

namespace ramet::fpu {

namespace {

constexpr mpfr_prec_t register_precision = 64;
/// For products of a logarithm: so far beyond 64 bits that rounding twice shows in no representable case.
constexpr mpfr_prec_t working_precision = 320;
// Exponents of the register format in MPFR's convention, where a significand is in [1/2, 1).
constexpr mpfr_exp_t smallest_normal = -16381;
constexpr mpfr_exp_t smallest_denormal = -16444;
constexpr mpfr_exp_t largest = 16384;
constexpr mpfr_exp_t bias_adjustment = 24576;  // of results whose overflow or underflow is unmasked

class Number {
public:
    explicit Number(mpfr_prec_t precision) { mpfr_init2(value_, precision); }
    explicit Number(F80 a) : Number(register_precision) {
        if (is_infinite(a)) {
            mpfr_set_inf(value_, is_negative(a) ? -1 : 1);
            return;
        }
        mpfr_exp_t const e = static_cast<mpfr_exp_t>(exponent(a) == 0 ? 1 : exponent(a)) - 16383 - 63;
        mpfr_set_ui_2exp(value_, a.significand, e, MPFR_RNDN);
        mpfr_setsign(value_, value_, is_negative(a), MPFR_RNDN);
    }
    ~Number() { mpfr_clear(value_); }
    Number(const Number&) = delete;
    Number& operator=(const Number&) = delete;

    operator mpfr_ptr() { return value_; }
    operator mpfr_srcptr() const { return value_; }

private:
    mpfr_t value_;
};

mpfr_rnd_t rounding(const X87& f) {
    switch (f.fcw >> fcw::rounding_shift & 3) {
    case 0: return MPFR_RNDN;
    case 1: return MPFR_RNDD;
    case 2: return MPFR_RNDU;
    default: return MPFR_RNDZ;
    }
}

/// The significand as an integer with its top bit set.
u64 significand_of(Number& a) {
    mpz_t integer;
    mpz_init(integer);
    mpfr_get_z_2exp(integer, a);
    mpz_abs(integer, integer);
    u64 const bits = mpz_get_ui(integer);
    mpz_clear(integer);
    return bits << std::countl_zero(bits);
}

F80 to_register(Number& a) {
    u16 const sign = mpfr_signbit(static_cast<mpfr_ptr>(a)) ? 0x8000 : 0;
    if (mpfr_inf_p(static_cast<mpfr_ptr>(a))) {
        return {u64{1} << 63, static_cast<u16>(sign | 0x7fff)};
    }
    if (mpfr_zero_p(static_cast<mpfr_ptr>(a))) {
        return {0, sign};
    }
    u64 const bits = significand_of(a);
    mpfr_exp_t const e = mpfr_get_exp(static_cast<mpfr_ptr>(a));
    if (e < smallest_normal) {
        return {bits >> (smallest_normal - e), sign};
    }
    return {bits, static_cast<u16>(sign | (e - smallest_normal + 1))};
}

/// A computed value of 64 bits and unbounded exponent, with MPFR's sign of its rounding error, brought into the register's range.
Computed<F80> bounded(const X87& f, Number& value, int ternary, u16 flags) {
    mpfr_rnd_t const mode = rounding(f);
    bool const regular = mpfr_regular_p(static_cast<mpfr_ptr>(value));
    mpfr_exp_t const e = regular ? mpfr_get_exp(static_cast<mpfr_ptr>(value)) : 0;
    bool const huge = regular && e > largest;
    bool const tiny = regular && e < smallest_normal;
    if (huge && !(f.fcw & fsw::OE)) {
        flags |= fsw::OE;
        mpfr_set_exp(value, e - bias_adjustment);
    } else if (tiny && !(f.fcw & fsw::UE)) {
        flags |= fsw::UE;
        mpfr_set_exp(value, e + bias_adjustment);
    } else {
        mpfr_exp_t const emin = mpfr_get_emin();
        mpfr_exp_t const emax = mpfr_get_emax();
        mpfr_set_emin(smallest_denormal);
        mpfr_set_emax(largest);
        ternary = mpfr_check_range(value, ternary, mode);
        ternary = mpfr_subnormalize(value, ternary, mode);
        mpfr_set_emin(emin);
        mpfr_set_emax(emax);
        flags |= huge ? fsw::OE : 0;
        flags |= tiny ? fsw::UE : 0;  // inexact as well: PE is always set here
    }
    bool const away = mpfr_signbit(static_cast<mpfr_ptr>(value)) ? ternary < 0 : ternary > 0;
    return {to_register(value), static_cast<u16>(flags | (away ? fsw::C1 : 0))};
}

/// PE accompanies every computed result, exact ones like 2^1 - 1 too: these instructions do not look.
constexpr u16 always_inexact = fsw::PE;

/// NaNs and formats that are no numbers. True: `r` is the answer to them.
bool not_numbers(const X87& f, F80 a, F80 b, Computed<F80>& r) {
    if (!is_nan(a) && !is_unsupported(a) && !is_nan(b) && !is_unsupported(b)) {
        return false;
    }
    X87 masked = f;
    masked.fcw |= fcw::masks;
    r = host::add(masked, a, b);  // chooses among NaNs as every operation does
    r.status &= fsw::IE | fsw::DE;
    return true;
}

constexpr u16 denormal_flag(F80 a) { return is_denormal(a) ? fsw::DE : 0; }

template <class Function>
Computed<F80> compute(const X87& f, F80 a, Function function) {
    Number x(a);
    Number r(register_precision);
    int const ternary = function(static_cast<mpfr_ptr>(r), static_cast<mpfr_ptr>(x), rounding(f));
    return bounded(f, r, ternary, static_cast<u16>(denormal_flag(a) | always_inexact));
}

Computed<F80> power_less_one(const X87& f, F80 a) {
    Computed<F80> r;
    if (not_numbers(f, a, a, r)) {
        return r;
    }
    if (is_zero(a) || is_infinite(a)) {
        return {is_infinite(a) && is_negative(a) ? negated(one) : a, 0};
    }
    if (exponent(a) > 0x3fff || (exponent(a) == 0x3fff && a.significand != one.significand)) {
        return {a, always_inexact};  // beyond [-1, 1] the result is undefined: the operand, as AMD answers
    }
    return compute(f, a, mpfr_exp2m1);
}

/// y * log(x), the logarithm by `function`. `flags`: DE of either.
template <class Function>
Computed<F80> scaled_logarithm(const X87& f, F80 x, F80 y, Function function) {
    Number a(x);
    Number b(y);
    Number logarithm(working_precision);
    Number product(working_precision + register_precision);
    Number r(register_precision);
    function(static_cast<mpfr_ptr>(logarithm), static_cast<mpfr_ptr>(a), MPFR_RNDN);
    mpfr_mul(product, logarithm, b, MPFR_RNDN);
    int const ternary = mpfr_set(r, product, rounding(f));
    return bounded(f, r, ternary, static_cast<u16>(denormal_flag(x) | denormal_flag(y) | always_inexact));
}

F80 signed_value(F80 magnitude, bool negative) {
    return {magnitude.significand, static_cast<u16>((magnitude.sign_exponent & 0x7fff) | (negative ? 0x8000 : 0))};
}
constexpr F80 infinity = {u64{1} << 63, 0x7fff};

/// y * log2(x).
Computed<F80> logarithm(const X87& f, F80 x, F80 y) {
    Computed<F80> r;
    if (not_numbers(f, x, y, r)) {
        return r;
    }
    bool const negative = is_negative(y);
    if (is_zero(x)) {
        if (is_zero(y)) {
            return {indefinite, fsw::IE};
        }
        return {signed_value(infinity, !negative), is_infinite(y) ? u16{0} : u16{fsw::ZE}};
    }
    if (is_negative(x) || (is_zero(y) && is_infinite(x)) || (is_infinite(y) && x == one)) {
        return {indefinite, fsw::IE};
    }
    bool const below_one = exponent(x) < 0x3fff;
    if (is_infinite(x) || is_infinite(y)) {
        return {signed_value(infinity, negative != below_one), denormal_flag(is_infinite(x) ? y : x)};
    }
    if (is_zero(y) || x == one) {
        return {signed_value(zero, negative != below_one), static_cast<u16>(denormal_flag(x) | denormal_flag(y))};
    }
    return scaled_logarithm(f, x, y, mpfr_log2);
}

/// y * log2(x + 1).
Computed<F80> logarithm_plus_one(const X87& f, F80 x, F80 y) {
    Computed<F80> r;
    if (not_numbers(f, x, y, r)) {
        return r;
    }
    bool const negative = is_negative(x) != is_negative(y);
    bool const below = is_negative(x) && exponent(x) >= 0x3fff;  // x <= -1
    if (is_zero(x) || is_zero(y)) {
        bool const invalid = is_infinite(x) || is_infinite(y);
        u16 const denormal = static_cast<u16>(denormal_flag(x) | denormal_flag(y));
        return invalid ? Computed<F80>{indefinite, fsw::IE} : Computed<F80>{signed_value(zero, negative), denormal};
    }
    if (below) {
        return is_infinite(x) ? Computed<F80>{indefinite, fsw::IE} : Computed<F80>{x, always_inexact};
    }
    if (is_infinite(x) || is_infinite(y)) {
        return {signed_value(infinity, negative), denormal_flag(is_infinite(x) ? y : x)};
    }
    return scaled_logarithm(f, x, y, mpfr_log2p1);
}

/// arctan(y / x) in the quadrant of (x, y).
Computed<F80> arctangent(const X87& f, F80 x, F80 y) {
    Computed<F80> r;
    if (not_numbers(f, x, y, r)) {
        return r;
    }
    u16 const denormal = static_cast<u16>(denormal_flag(x) | denormal_flag(y));
    if (!is_negative(x) && (is_zero(y) || (is_infinite(x) && !is_infinite(y)))) {
        return {signed_value(zero, is_negative(y)), denormal};
    }
    Number a(x);
    Number b(y);
    Number result(register_precision);
    int const ternary = mpfr_atan2(result, b, a, rounding(f));
    return bounded(f, result, ternary, static_cast<u16>(denormal | always_inexact));
}

/// Pops, with ST(1) replaced by function(ST(0), ST(1)).
void binary(X87& f, Computed<F80> function(const X87&, F80, F80)) {
    bool done = true;
    if (is_empty(f, 0) || is_empty(f, 1)) {
        done = !stack_underflow(f);
        if (done) {
            set_st(f, 1, indefinite);
        }
    } else {
        auto const r = function(f, st(f, 0), st(f, 1));
        done = accept(f, r.status);
        if (done) {
            st(f, 1) = r.value;
        }
    }
    if (done) {
        pop(f);
    }
}

/// |a| >= 2^63: no reduction is made, C2 asks for it.
bool beyond_range(F80 a) { return exponent(a) >= 0x3fff + 63 && exponent(a) != 0x7fff && !is_unsupported(a); }

/// An angle as quadrant * pi / 2 + rest, with the rest in [-pi/4, pi/4] and exact. Processors know pi to 66 bits here, and so do we.
struct Reduced {
    explicit Reduced(F80 a) : rest(reduced_precision) {
        Number const angle(a);
        Number half_pi(register_precision + 2);
        mpfr_set_ui_2exp(half_pi, 0xc90fdaa22168c234, 2, MPFR_RNDN);
        mpfr_add_ui(half_pi, half_pi, 3, MPFR_RNDN);
        mpfr_mul_2si(half_pi, half_pi, -65, MPFR_RNDN);
        long quotient = 0;
        mpfr_remquo(rest, &quotient, angle, half_pi, MPFR_RNDN);
        quadrant = static_cast<unsigned>(quotient) & 3;
    }
    void negate() { mpfr_neg(rest, rest, MPFR_RNDN); }

    /// The rest is a multiple of the smaller unit of both, and below 1.
    static constexpr mpfr_prec_t reduced_precision = 192;
    Number rest;
    unsigned quadrant = 0;
};

mpfr_rnd_t mirrored(mpfr_rnd_t mode) { return mode == MPFR_RNDD ? MPFR_RNDU : mode == MPFR_RNDU ? MPFR_RNDD : mode; }

int minus_cosine(mpfr_ptr to, mpfr_srcptr a, mpfr_rnd_t mode) {
    int const ternary = mpfr_cos(to, a, mirrored(mode));
    mpfr_neg(to, to, MPFR_RNDN);
    return -ternary;
}

/// sin(rest + quadrant * pi / 2), in the rounding mode.
int sine_of(mpfr_ptr to, Reduced& a, mpfr_rnd_t mode) {
    if (a.quadrant == 2) a.negate();
    if (a.quadrant == 1) return mpfr_cos(to, a.rest, mode);
    if (a.quadrant == 3) return minus_cosine(to, a.rest, mode);
    return mpfr_sin(to, a.rest, mode);
}
int cosine_of(mpfr_ptr to, Reduced& a, mpfr_rnd_t mode) {
    a.quadrant = (a.quadrant + 1) & 3;
    return sine_of(to, a, mode);
}
int tangent_of(mpfr_ptr to, Reduced& a, mpfr_rnd_t mode) {
    if (!(a.quadrant & 1)) return mpfr_tan(to, a.rest, mode);
    a.negate();
    return mpfr_cot(to, a.rest, mode);
}

/// Sine, cosine or tangent of anything within range.
Computed<F80> trigonometric(const X87& f, F80 a, int function(mpfr_ptr, Reduced&, mpfr_rnd_t), F80 of_zero) {
    Computed<F80> r;
    if (not_numbers(f, a, a, r)) {
        return r;
    }
    if (is_infinite(a)) {
        return {indefinite, fsw::IE};
    }
    if (is_zero(a)) {
        return {of_zero, 0};
    }
    Reduced angle(a);
    Number result(register_precision);
    int const ternary = function(result, angle, rounding(f));
    return bounded(f, result, ternary, static_cast<u16>(denormal_flag(a) | always_inexact));
}

Computed<F80> sine(const X87& f, F80 a) { return trigonometric(f, a, sine_of, a); }
Computed<F80> cosine(const X87& f, F80 a) { return trigonometric(f, a, cosine_of, one); }
Computed<F80> tangent(const X87& f, F80 a) { return trigonometric(f, a, tangent_of, a); }
/// FPTAN's second result.
Computed<F80> one_or_invalid(const X87& f, F80 a) {
    Computed<F80> r;
    if (not_numbers(f, a, a, r)) {
        return r;
    }
    return is_infinite(a) ? Computed<F80>{indefinite, fsw::IE} : Computed<F80>{one, 0};
}

void set_c2(X87& f, bool on) { f.fsw = static_cast<u16>((f.fsw & ~fsw::C2) | (on ? fsw::C2 : 0)); }

template <auto Function>
void trigonometric_one(X87& f) {
    bool const beyond = !is_empty(f, 0) && beyond_range(st(f, 0));
    set_c2(f, beyond);
    if (beyond) {
        set_c1(f, false);
        return;
    }
    compute_unary<Function>(f);
}

/// ST(0) = first, then push second.
void trigonometric_two(X87& f, Computed<F80> first(const X87&, F80), Computed<F80> second(const X87&, F80)) {
    bool const empty = is_empty(f, 0);
    if (empty || !is_empty(f, 7)) {
        set_c2(f, false);
        if (!(empty ? stack_underflow(f) : stack_overflow(f))) {
            set_st(f, 0, indefinite);
            push(f, indefinite);
        }
        return;
    }
    set_c1(f, false);
    set_c2(f, beyond_range(st(f, 0)));
    if (f.fsw & fsw::C2) {
        return;
    }
    auto const a = first(f, st(f, 0));
    auto const b = second(f, st(f, 0));
    if (accept(f, a.status | (b.status & fsw::exceptions))) {
        st(f, 0) = a.value;
        push(f, b.value);
    }
}

}  // namespace

void f2xm1(X87& f) { compute_unary<&power_less_one>(f); }
void fyl2x(X87& f) { binary(f, logarithm); }
void fyl2xp1(X87& f) { binary(f, logarithm_plus_one); }
void fpatan(X87& f) { binary(f, arctangent); }
void fptan(X87& f) { trigonometric_two(f, tangent, one_or_invalid); }
void fsin(X87& f) { trigonometric_one<&sine>(f); }
void fcos(X87& f) { trigonometric_one<&cosine>(f); }
void fsincos(X87& f) { trigonometric_two(f, sine, cosine); }

}  // namespace ramet::fpu
