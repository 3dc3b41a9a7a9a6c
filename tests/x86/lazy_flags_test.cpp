// The flags that are computed when somebody looks, against those that the pure operations give at once.
#include "x86/lazy_flags.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ramet {
namespace {

constexpr u32 arithmetic = Flags::CF | Flags::PF | Flags::AF | Flags::ZF | Flags::SF | Flags::OF;

void expect_equal(const LazyFlags& lazy, Flags wanted, const char* operation, u64 a, u64 b) {
    wanted = {wanted.bits & arithmetic};
    ASSERT_EQ(lazy.get().bits, wanted.bits) << operation << ' ' << std::hex << a << ' ' << b;
    ASSERT_EQ(lazy.c(), wanted.c());
    ASSERT_EQ(lazy.o(), wanted.o());
    ASSERT_EQ(lazy.a(), (wanted.bits & Flags::AF) != 0);
}

/// As the fast handlers keep them.
template <Word T>
void compare(T a, T b, bool carry) {
    Flags const before = Flags{}.c(carry);
    LazyFlags lazy;
    auto const sum = ops::add<T>(a, b, {}), difference = ops::sub<T>(a, b, {});
    lazy.set<T>(FlagKind::add8, sum.value, b);
    expect_equal(lazy, sum.flags, "add", a, b);
    lazy.set<T>(FlagKind::sub8, difference.value, b);
    expect_equal(lazy, difference.flags, "sub", a, b);
    auto const up = ops::inc<T>(a, before), down = ops::dec<T>(a, before);
    lazy.set<T>(FlagKind::inc8, up.value, carry);
    expect_equal(lazy, up.flags, "inc", a, b);
    lazy.set<T>(FlagKind::dec8, down.value, carry);
    expect_equal(lazy, down.flags, "dec", a, b);
    auto const both = ops::and_<T>(a, b, {});
    lazy.set_logic<T>(both.value);
    expect_equal(lazy, both.flags, "and", a, b);
    auto const with_carry = ops::adc<T>(a, b, before);
    lazy.set_result<T>(with_carry.value, with_carry.flags);
    expect_equal(lazy, with_carry.flags, "adc", a, b);
}

TEST(LazyFlags, EqualThoseOfTheOperationForAllBytes) {
    for (unsigned a = 0; a < 256; ++a)
        for (unsigned b = 0; b < 256; ++b) {
            compare<u8>(static_cast<u8>(a), static_cast<u8>(b), (a ^ b) & 1);
            if (HasFatalFailure()) return;
        }
}

template <Word T>
T some_word() {
    u64 const edge = *rc::gen::element<u64>(0, 1, ~u64{0}, static_cast<u64>(sign_bit<T>), static_cast<u64>(sign_bit<T>) - 1);
    return static_cast<T>(*rc::gen::arbitrary<bool>() ? edge : *rc::gen::arbitrary<u64>());
}

RC_GTEST_PROP(LazyFlags, EqualThoseOfTheOperationForAllSizes, (bool carry)) {
    compare<u16>(some_word<u16>(), some_word<u16>(), carry);
    compare<u32>(some_word<u32>(), some_word<u32>(), carry);
    compare<u64>(some_word<u64>(), some_word<u64>(), carry);
}

RC_GTEST_PROP(LazyFlags, KeepTheOthersWhenCarryAndOverflowChange, (bool c, bool o)) {
    u32 const a = some_word<u32>(), b = some_word<u32>();
    auto const sum = ops::add<u32>(a, b, {});
    LazyFlags lazy;
    lazy.set<u32>(FlagKind::add8, sum.value, b);
    lazy.set_carry_overflow(c, o);
    RC_ASSERT(lazy.get().bits == ((sum.flags.bits & arithmetic & ~(Flags::CF | Flags::OF)) | (c ? Flags::CF : 0) | (o ? Flags::OF : 0)));
}

}  // namespace
}  // namespace ramet
