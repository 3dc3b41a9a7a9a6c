// Suite files: any text is a suite or an error that names the place. Bytes pick words that suites are made of, so that the reader is reached past TOML itself.
#include "lab/suite.h"

#include "targets.h"

namespace ramet::fuzz {

namespace {

constexpr std::array words = {
    "machine", "symbols", "prompt", "budget", "warm", "case", "name", "requires", "provides", "script", "scripts", "golden", "digest", "send", "expect", "command",
    "wait", "exit", "memory", "register", "disk", "offset", "within", "on", "prints", "contains", "equals", "size", " = ", " = \"a\"\n", " = 3\n", " = [{ ", " }]\n", " }, { ", ", ",
    "\"x\"", "\"5s\"", "\"20M\"", "[[case]]\n", "[warm]\n", "\n", "[", "]", "{", "}", "-1", "1.5", "true", "\"rax\"", "\"any\"", "18446744073709551615", "\xff",
    "machine = \"m\"\n[[case]]\nname = \"n\"\nscript = [{ ", "machine = \"m\"\nprompt = \"p\"\n",
};

}  // namespace

void suite_target(std::span<const u8> bytes) {
    std::string text;
    for (u8 const byte : bytes) text += words[byte % words.size()];
    auto const suite = parse_suite(text, "fuzz.toml");
    if (!suite) return require(suite.error().text.starts_with("fuzz.toml:"), "an error names the file and the place", bytes);
    for (const SuiteCase& one : suite->cases) require(!one.name.empty() && !one.scripts.empty(), "a case has a name and scripts", bytes);
}

}  // namespace ramet::fuzz
