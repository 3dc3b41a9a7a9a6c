#include "lab/suite.h"

#include <gtest/gtest.h>

namespace ramet {
namespace {

std::string error_of(const std::string& text) {
    auto const suite = parse_suite(text, "dir/s.toml");
    return suite ? "no error" : suite.error().text;
}

TEST(Suite, ReadsWhatItSays) {
    auto const suite = parse_suite(R"(
machine = "m.toml"
symbols = "/abs/System.map"
prompt = "# "
budget = "2s"
[warm]
budget = "1m"
script = [{ expect = "login: " }, { send = "root\n" }, { expect = "# ", within = "5M" }]
[[case]]
name = "one"
provides = "there"
script = [{ command = "x", prints = "y" }, { wait = "3ms" }]
[[case]]
name = "two"
requires = "there"
golden = "g.txt"
scripts = [[{ memory = "jiffies", size = 8, equals = 7 }], [{ register = "rax", equals = 0 }, { exit = 20 }, { exit = "any" }, { expect = "z", on = "debug" }]]
)", "dir/s.toml");
    ASSERT_TRUE(suite) << suite.error().text;
    EXPECT_EQ(suite->name, "s");
    EXPECT_EQ(suite->machine, "dir/m.toml");
    EXPECT_EQ(suite->symbols, "/abs/System.map");
    ASSERT_EQ(suite->warm[0].size(), 3U);
    EXPECT_EQ(suite->warm[0][0].budget, seconds(60));
    EXPECT_EQ(suite->warm[0][2].budget, instructions(5'000'000));
    ASSERT_EQ(suite->cases.size(), 2U);
    EXPECT_EQ(suite->cases[0].requires_state, "warm");
    EXPECT_EQ(suite->cases[0].scripts[0][0].budget, seconds(2));
    EXPECT_EQ(suite->cases[0].scripts[0][0].prompt, "# ");
    EXPECT_EQ(suite->cases[0].scripts[0][0].line, 12U);
    EXPECT_EQ(suite->cases[1].golden, "dir/g.txt");
    EXPECT_EQ(suite->cases[1].scripts.size(), 2U);
    EXPECT_EQ(suite->cases[1].scripts[1][1].condition.status, 20U);
}

TEST(Suite, ADiskHoldsANumberATextOrBytes) {
    auto const suite = parse_suite(R"(
machine = "m.toml"
[[case]]
name = "one"
script = [{ disk = 1, offset = 1080, size = 2, equals = 0xef53 }, { disk = 0, offset = 0, equals = "ab" }, { disk = 0, offset = 0, equals = [0xff, 0] }]
)", "s.toml");
    ASSERT_TRUE(suite) << suite.error().text;
    const Script& script = suite->cases[0].scripts[0];
    EXPECT_EQ(script[0].value, 1U);
    EXPECT_EQ(script[0].offset, 1080U);
    EXPECT_EQ(script[0].bytes, (std::vector<u8>{0x53, 0xef}));
    EXPECT_EQ(script[1].bytes, (std::vector<u8>{'a', 'b'}));
    EXPECT_EQ(script[2].bytes, (std::vector<u8>{0xff, 0}));
}

TEST(Suite, ErrorsNameLineColumnKeyAndWhatWasExpected) {
    std::string const head = "machine = \"m\"\n", one = head + "[[case]]\nname = \"a\"\n";
    EXPECT_EQ(error_of("case = []"), "dir/s.toml:1:1: machine: missing; expected a text in quotes");
    EXPECT_EQ(error_of(head), "dir/s.toml:1:1: case: missing; expected at least one [[case]]");
    EXPECT_EQ(error_of("machine = 3"), "dir/s.toml:1:11: machine: expected a text in quotes");
    EXPECT_EQ(error_of(head + "machines = 1"), "dir/s.toml:2:1: machines: unknown key; known are machine, symbols, prompt, budget, warm, case");
    EXPECT_EQ(error_of(head + "budget = \"5\"\nbudgets"), "dir/s.toml:3:8: Error while parsing key-value pair: encountered end-of-file");
    EXPECT_EQ(error_of(head + "budget = \"soon\""),
              "dir/s.toml:2:10: budget: expected a time, as \"500ms\" or \"10s\", or a number of instructions, as \"20M\"");
    EXPECT_EQ(error_of(one), "dir/s.toml:2:1: case 1: script: missing; expected an array of steps");
    EXPECT_EQ(error_of(one + "script = [3]"), "dir/s.toml:4:10: case 1: script: expected an array of steps, as [{ send = \"ls\\n\" }, { expect = \"# \" }]");
    EXPECT_EQ(error_of(one + "script = [{}]"),
              "dir/s.toml:4:11: case 1: script: a step: missing; expected one of send, expect, command, wait, exit, memory, register, disk");
    EXPECT_EQ(error_of(one + "script = [{ sent = \"x\" }]"),
              "dir/s.toml:4:13: case 1: script: sent: unknown key; known are send, expect, command, wait, exit, memory, register, disk");
    EXPECT_EQ(error_of(one + "script = [{ send = \"x\", within = \"1s\" }]"), "dir/s.toml:4:25: case 1: script: within: unknown key; known are send");
    EXPECT_EQ(error_of(one + "script = [{ command = \"x\" }]"),
              "dir/s.toml:4:11: case 1: script: prompt: missing; expected the text that the guest prints when it waits for a command, here or for the whole suite, as \"# \"");
    EXPECT_EQ(error_of(one + "script = [{ memory = \"x\", equals = 1, size = 3 }]"), "dir/s.toml:4:46: case 1: script: size: expected 1, 2, 4 or 8");
    EXPECT_EQ(error_of(one + "script = [{ register = \"foo\", equals = 1 }]"),
              "dir/s.toml:4:24: case 1: script: register: expected rax to r15, rip, rflags, cr0, cr2, cr3 or cr4");
    std::string const bytes = "a number, a text, or an array of bytes, as [0x53, 0xef]; at most 4096 bytes";
    EXPECT_EQ(error_of(one + "script = [{ disk = 2 }]"), "dir/s.toml:4:20: case 1: script: disk: expected the place of a disk, 0 or 1");
    EXPECT_EQ(error_of(one + "script = [{ disk = 0 }]"), "dir/s.toml:4:11: case 1: script: offset: missing; expected a number from 0 up");
    EXPECT_EQ(error_of(one + "script = [{ disk = 0, offset = -1 }]"), "dir/s.toml:4:32: case 1: script: offset: expected a number from 0 up");
    EXPECT_EQ(error_of(one + "script = [{ disk = 0, offset = 1 }]"), "dir/s.toml:4:11: case 1: script: equals: missing; expected " + bytes);
    for (const std::string& wrong : std::vector<std::string>{"\"\"", "[]", "true", "[256]", "[\"a\"]", "\"" + std::string(4097, 'x') + "\""})
        EXPECT_EQ(error_of(one + "script = [{ disk = 0, offset = 1, equals = " + wrong + " }]"), "dir/s.toml:4:44: case 1: script: equals: expected " + bytes);
    EXPECT_EQ(error_of(one + "script = [{ disk = 0, offset = 1, equals = \"" + std::string(4096, 'x') + "\" }]"), "no error");
    EXPECT_EQ(error_of(one + "script = [{ disk = 0, offset = 1, equals = 256, size = 1 }]"), "dir/s.toml:4:44: case 1: script: equals: expected a number of 1 bytes");
    EXPECT_EQ(error_of(one + "script = [{ disk = 0, offset = 1, equals = \"a\", size = 1 }]"),
              "dir/s.toml:4:56: case 1: script: size: expected no size; equals is not a number and has its own");
    EXPECT_EQ(error_of(one + "requires = \"x\"\nscript = []"),
              "dir/s.toml:4:12: case 1: requires: expected a state that an earlier case provides; known are \"power-on\"");
    EXPECT_EQ(error_of(one + "script = []\n[[case]]\nname = \"a\""), "dir/s.toml:6:8: case 2: name: expected a name that no other case has");
}

}  // namespace
}  // namespace ramet
