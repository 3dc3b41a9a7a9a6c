#include "base/fields.h"

#include <gtest/gtest.h>

namespace ramet {
namespace {

struct Inner {
    u8 a = 0;
    static constexpr void fields(auto& self, auto& visit) { visit("a", self.a); }
};

struct Complete {
    u32 x = 0;
    std::array<Inner, 3> inner = {};
    Cycles next = Cycles::never();
    static constexpr void fields(auto& self, auto& visit) {
        visit("x", self.x);
        visit("inner", self.inner);
        visit("next", self.next);
    }
};

struct Forgetful {
    u32 x = 0;
    u32 forgotten = 0;
    static constexpr void fields(auto& self, auto& visit) { visit("x", self.x); }
};

TEST(Fields, CountsMembersOfNestedStructsAndArraysAsOne) {
    EXPECT_EQ(member_count<Complete>(), 3U);
    EXPECT_TRUE(fields_complete<Complete>);
}

TEST(Fields, AForgottenMemberIsNoticed) { EXPECT_FALSE(fields_complete<Forgetful>); }

}  // namespace
}  // namespace ramet
