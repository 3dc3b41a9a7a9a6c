#include "lab/script.h"

#include "guests.h"

namespace ramet {
namespace {

Step command(const std::string& text, const std::string& prints) {
    return {.kind = Step::Kind::command, .text = text, .budget = milliseconds(100), .prompt = "\n", .prints = prints};
}

TEST(Script, WaitsAndSends) {
    Session session = ready_store();
    std::vector<Script> const scripts = {{send("set a 1\n"), expect(serial("ok 1\n")), send("get a\n"), expect(serial("1\n"))}};
    EXPECT_FALSE(play(session, scripts));
    EXPECT_EQ(session.unread(), "");
}

TEST(Script, SaysWhichStepFailedAndWhatItSaw) {
    Session session = ready_store();
    Script script = {send("get a\n"), expect(serial("7\n"), milliseconds(1))};
    script[1].line = 33;
    auto const failure = play(session, std::vector<Script>{script});
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->line, 33U);
    EXPECT_NE(failure->what.find("expected serial \"7\n\": the budget ended first"), std::string::npos) << failure->what;
    EXPECT_NE(failure->what.find("none"), std::string::npos) << failure->what;
}

TEST(Script, TwoScriptsShareOneMachineInVirtualTime) {
    std::vector<Script> const scripts = {{expect(serial("ok 2\n")), send("get b\n"), expect(serial("2\n"))},
                                         {wait(microseconds(50)), send("set a 1\n"), wait(milliseconds(3)), send("set b 2\n")}};
    Session first = ready_store(), second = ready_store();
    EXPECT_FALSE(play(first, scripts));
    EXPECT_FALSE(play(second, scripts));
    EXPECT_EQ(first.digest(), second.digest());
    EXPECT_EQ(entries_of(*first.record()), entries_of(*second.record()));
}

TEST(Script, ComparesMemoryAndRegisters) {
    Session session = ready_store();
    Step memory{.kind = Step::Kind::memory, .text = "value", .value = 0xffffffff};
    EXPECT_FALSE(play(session, std::vector<Script>{{memory}}));
    memory.value = 1;
    auto const failure = play(session, std::vector<Script>{{memory}});
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->what, "value: expected 1, found 4294967295");
    Step const bad_register{.kind = Step::Kind::reg, .text = "cr0", .value = 0};
    EXPECT_TRUE(play(session, std::vector<Script>{{bad_register}}));
}

TEST(Script, ComparesDisks) {
    Session session = must(must(State::power_on(disk_driver(), std::make_shared<StateStore>("")))->fork());
    std::vector<u8> const written = {1, 2, 3};
    must(session.write_disk(0, 511, written));
    Step disk{.kind = Step::Kind::disk, .value = 0, .offset = 511, .bytes = written};
    EXPECT_FALSE(play(session, std::vector<Script>{{disk}}));
    disk.bytes = {1, 2, 0xfe};
    EXPECT_EQ(play(session, std::vector<Script>{{disk}}).value_or(Failure{}).what, "disk 0, offset 513: expected fe, found 03");
    disk.offset = u64{1} << 30;
    EXPECT_NE(play(session, std::vector<Script>{{disk}}).value_or(Failure{}).what.find("disk 0"), std::string::npos);
    disk.value = 1;
    EXPECT_NE(play(session, std::vector<Script>{{disk}}).value_or(Failure{}).what.find("disk 1"), std::string::npos);
    EXPECT_NE(canonical_text(std::vector<Script>{{disk}}), canonical_text(std::vector<Script>{{Step{.kind = Step::Kind::disk, .value = 1, .offset = disk.offset}}}));
}

TEST(Script, ACommandIsWhatLiesBetweenEchoAndPrompt) {
    Directory const directory;
    Session session = ready_store();
    // The store does not echo: the first line is taken for the echo.
    auto const failure = play(session, std::vector<Script>{{command("get a", "none")}});
    ASSERT_TRUE(failure);
    EXPECT_NE(failure->what.find("printed \"\""), std::string::npos) << failure->what;
}

TEST(Script, CanonicalTextTellsScriptsApart) {
    auto const text = [](std::vector<Script> scripts) { return canonical_text(scripts); };
    EXPECT_NE(text({{send("a"), send("b")}}), text({{send("ab"), send("")}}));
    EXPECT_NE(text({{send("a")}, {send("b")}}), text({{send("a"), send("b")}}));
    EXPECT_NE(text({{expect(serial("a"))}}), text({{expect(debug("a"))}}));
    Step line = send("a");
    line.line = 7;
    EXPECT_EQ(text({{line}}), text({{send("a")}}));
}

}  // namespace
}  // namespace ramet
