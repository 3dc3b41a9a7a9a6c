#include "base/quantity.h"

#include <gtest/gtest.h>

namespace ramet {
namespace {

TEST(Quantity, CountsGoByThousands) {
    EXPECT_EQ(*parse_count("0", "n"), 0U);
    EXPECT_EQ(*parse_count("12k", "n"), 12'000U);
    EXPECT_EQ(*parse_count("18446744073G", "n"), 18'446'744'073'000'000'000U);
    for (const char* const bad : {"", "k", "-1", "1.5M", "1 M", "18446744074G", "18446744073709551616"}) EXPECT_FALSE(parse_count(bad, "n")) << bad;
}

TEST(Quantity, DurationsAreNanoseconds) {
    EXPECT_EQ(*parse_duration("3us", "t"), 3'000U);
    EXPECT_EQ(*parse_duration("2m", "t"), 120'000'000'000U);
    for (const char* const bad : {"", "5", "5S", "s", "6000000h"}) EXPECT_FALSE(parse_duration(bad, "t")) << bad;
    EXPECT_EQ(parse_duration("5", "--timeout").error().text,
              "--timeout: \"5\" is not a duration; expected a number with ns, us, ms, s, m or h, as \"60s\"");
}

}  // namespace
}  // namespace ramet
