// Operations on the host's x87 unit against the compiler's own arithmetic: each result is where it belongs and nothing beside it changes, in
// every build. (The vectors judge the values; this judges how the compiler was told what the instructions read and write.)
#include "x86/fpu/x87_host.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>

namespace ramet::fpu {

namespace {

F80 as_f80(long double value) {
    F80 bits;
    std::memcpy(&bits.significand, &value, 8);
    std::memcpy(&bits.sign_exponent, reinterpret_cast<const char*>(&value) + 8, 2);
    return bits;
}

X87 with_all_masked() {
    X87 unit;
    unit.fcw = fcw::fninit;
    return unit;
}

// Unmasked exceptions take the other path. None of them occurs with these operands.
X87 with_divide_unmasked() {
    X87 unit = with_all_masked();
    unit.fcw = static_cast<u16>(unit.fcw & ~4U);
    return unit;
}

void expect_arithmetic(const X87& unit, i32 left, i32 right) {
    auto const a = static_cast<long double>(left) / 8, b = static_cast<long double>(right) / 16 + 1e9L;
    RC_ASSERT(host::add(unit, as_f80(a), as_f80(b)).value == as_f80(a + b));
    RC_ASSERT(host::subtract(unit, as_f80(a), as_f80(b)).value == as_f80(a - b));
    RC_ASSERT(host::subtract_reversed(unit, as_f80(a), Double{std::bit_cast<u64>(3.5)}).value == as_f80(3.5L - a));
    RC_ASSERT(host::multiply(unit, as_f80(a), Single{std::bit_cast<u32>(2.5F)}).value == as_f80(a * 2.5L));
    RC_ASSERT(host::divide(unit, as_f80(a), as_f80(b)).value == as_f80(a / b));
    RC_ASSERT(host::divide_reversed(unit, as_f80(b), right).value == as_f80(static_cast<long double>(right) / b));
    RC_ASSERT(host::add(unit, as_f80(a), i16{7}).value == as_f80(a + 7));
    RC_ASSERT(host::square_root(unit, as_f80(std::fabs(a))).value == as_f80(std::sqrt(std::fabs(a))));
    RC_ASSERT(host::round(unit, as_f80(a)).value == as_f80(std::nearbyint(a)));
    RC_ASSERT(host::scale(unit, as_f80(a), as_f80(3.0L)).value == as_f80(a * 8));
}

void expect_conversions(const X87& unit, i32 number) {
    RC_ASSERT(host::load(unit, number).value == as_f80(number));
    RC_ASSERT(host::load(unit, Double{std::bit_cast<u64>(number / 4.0)}).value == as_f80(number / 4.0L));
    Computed<i32> word;
    host::store(unit, as_f80(number), word);
    RC_ASSERT(word.value == number);
    Computed<i64> quad;
    host::store(unit, as_f80(number), quad);
    RC_ASSERT(quad.value == number);
    Computed<Double> real;
    host::store(unit, as_f80(number), real);
    RC_ASSERT(real.value.bits == std::bit_cast<u64>(static_cast<double>(number)));
}

}  // namespace

RC_GTEST_PROP(X87Host, ArithmeticEqualsTheCompilers, (i32 left, i32 right)) {
    expect_arithmetic(with_all_masked(), left, right);
    expect_arithmetic(with_divide_unmasked(), left, right);
}

RC_GTEST_PROP(X87Host, ConversionsEqualTheCompilers, (i32 number)) {
    expect_conversions(with_all_masked(), number);
    expect_conversions(with_divide_unmasked(), number);
}

RC_GTEST_PROP(X87Host, ComparisonsOrderAsTheCompilerDoes, (i32 left, i32 right)) {
    constexpr u16 c0 = 0x0100, c3 = 0x4000;
    u16 const codes = host::compare(with_all_masked(), as_f80(left), as_f80(right)) & (c0 | c3);
    RC_ASSERT(codes == (left < right ? c0 : left == right ? c3 : 0));
}

}  // namespace ramet::fpu
