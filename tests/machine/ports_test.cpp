#include "machine/ports.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ramet {
namespace {

/// Where the matcher says that the text ends.
std::vector<std::size_t> matches(const std::string& text, const std::string& stream) {
    TextMatcher matcher{text};
    std::vector<std::size_t> ends;
    for (std::size_t i = 0; i < stream.size(); ++i)
        if (matcher.feed(static_cast<u8>(stream[i]))) ends.push_back(i + 1);
    return ends;
}

TEST(TextMatcher, FindsTheLastByte) { EXPECT_EQ(matches("login: ", "host login: root"), std::vector<std::size_t>{12}); }
TEST(TextMatcher, FindsOverlaps) { EXPECT_EQ(matches("aba", "ababa"), (std::vector<std::size_t>{3, 5})); }
TEST(TextMatcher, AnEmptyTextNeverMatches) { EXPECT_TRUE(matches("", "abc").empty()); }

RC_GTEST_PROP(TextMatcher, AgreesWithSearching, ()) {
    auto const letters = rc::gen::container<std::string>(rc::gen::elementOf(std::string{"ab"}));
    std::string const text = *rc::gen::nonEmpty(rc::gen::resize(6, letters));
    std::string const stream = *rc::gen::resize(60, letters);
    std::vector<std::size_t> expected;
    for (std::size_t at = stream.find(text); at != std::string::npos; at = stream.find(text, at + 1)) expected.push_back(at + text.size());
    RC_ASSERT(matches(text, stream) == expected);
}

}  // namespace
}  // namespace ramet
