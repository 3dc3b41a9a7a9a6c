#include "lab/suite_run.h"

#include "guests.h"

namespace ramet {
namespace {

/// A suite over the key-value store, which has a bug, in a folder of the test's own.
class SuiteRun : public testing::Test {
protected:
    SuiteRun() {
        write("machine.toml", "kernel = \"" RAMET_KV_STORE "\"\nmemory = \"4M\"\n");
        options_.failures = directory_ / "failures";
    }

    void write(const std::string& name, const std::string& text) const { write_file(directory_ / name, {text.begin(), text.end()}); }
    std::string read(const std::string& name) const {
        std::vector<u8> const bytes = file_bytes(directory_ / name);
        return {bytes.begin(), bytes.end()};
    }
    static std::string suite_text(const std::string& cases) {
        return "machine = \"machine.toml\"\nbudget = \"100ms\"\n[warm]\nscript = [{ expect = \"ready\\n\" }]\n" + cases;
    }
    static std::string one(const std::string& name, const std::string& send, const std::string& expect, const std::string& more = "") {
        return "[[case]]\nname = \"" + name + "\"\n" + more + "script = [{ send = \"" + send + "\\n\" }, { expect = \"" + expect + "\\n\" }]\n";
    }
    SuiteReport run(const std::string& cases) {
        write("suite.toml", suite_text(cases));
        Suite const suite = must(read_suite(directory_ / "suite.toml"));
        return must(run_suite(suite, directory_ / "suite.toml", options_, std::make_shared<StateStore>(directory_ / "states")));
    }

    Directory directory_;
    SuiteOptions options_;
};

TEST_F(SuiteRun, CasesStartFromTheStateTheyRequire) {
    std::string const cases = one("set", "set a 1", "ok 1", "provides = \"with-a\"\n") + one("here", "get a", "1", "requires = \"with-a\"\n") +
                              one("not here", "get a", "none") + one("deeper", "set b 2", "ok 2", "requires = \"with-a\"\nprovides = \"with-b\"\n") +
                              one("both", "del a", "ok 1", "requires = \"with-b\"\n");
    SuiteReport const first = run(cases), second = run(cases);
    EXPECT_EQ(first.failed(), 0U);
    EXPECT_EQ(second.failed(), 0U);
    EXPECT_FALSE(first.results[0].restored);
    EXPECT_TRUE(second.results[0].restored);
    for (std::size_t i = 0; i < first.results.size(); ++i) EXPECT_EQ(first.results[i].end, second.results[i].end);
    ASSERT_EQ(first.states.size(), 4U);
    EXPECT_EQ(first.states[3].name, "with-b");
    EXPECT_EQ(first.states[3].parent, "with-a");
}

TEST_F(SuiteRun, AFailureNamesItsStepAndLeavesABundle) {
    SuiteReport const report = run(one("good", "set a 1", "ok 1") + one("bad: case", "get a", "7") + one("after", "get a", "none"));
    ASSERT_EQ(report.failed(), 1U);
    const CaseResult& bad = report.results[1];
    EXPECT_EQ(bad.line, 10U);
    EXPECT_EQ(bad.what.find("expected serial \"7\n\": the budget ended first"), 0U) << bad.what;
    EXPECT_EQ(bad.console, "none\n");
    EXPECT_EQ(bad.bundle, directory_ / "failures/suite-bad-case.ramet");
    EXPECT_EQ(read("failures/suite-bad-case.txt"), "none\n");
    Player player = must(Player::open_late(bad.bundle, {}, std::make_shared<PagePool>()));
    NullPorts ports;
    EXPECT_EQ(must(player.run_to_end(ports)).kind, Progress::Kind::ended);
    EXPECT_EQ(player.machine().digest(), bad.digest);
}

TEST_F(SuiteRun, WhatDependsOnAFailedStateFailsWithItsReason) {
    SuiteReport const report = run(one("make", "get a", "7", "provides = \"x\"\n") + one("use", "get a", "none", "requires = \"x\"\n"));
    EXPECT_EQ(report.failed(), 2U);
    EXPECT_NE(report.results[0].bundle, "");
    EXPECT_EQ(report.results[1].what.find("the state \"x\" is not reached"), 0U) << report.results[1].what;
}

TEST_F(SuiteRun, ComparesAndUpdatesGoldenTextsAndDigests) {
    std::string const golden = "golden = \"g.txt\"\ndigest = \"d.txt\"\n";
    std::string const cases = one("a", "set a 1", "ok 1", golden), other = one("a", "set a 2", "ok 1", golden);
    EXPECT_EQ(run(cases).failed(), 1U);
    options_.update = true;
    EXPECT_EQ(run(cases).failed(), 0U);
    options_.update = false;
    EXPECT_EQ(read("g.txt"), "ok 1\n");
    EXPECT_EQ(run(cases).failed(), 0U);
    SuiteReport const changed = run(other);
    ASSERT_EQ(changed.failed(), 1U);
    EXPECT_EQ(changed.results[0].what.find("the digest is not that of " + (directory_ / "d.txt") + ", line 1: expected"), 0U) << changed.results[0].what;
    write("g.txt", "ok 1\nok 2\n");
    EXPECT_NE(run(cases).results[0].what.find("the console is not that of"), std::string::npos);
}

TEST_F(SuiteRun, ShardsTogetherAreTheWhole) {
    std::string cases;
    for (unsigned i = 0; i < 10; ++i) cases += one("case " + std::to_string(i), "set a " + std::to_string(i), "ok 1");
    options_.details = true;
    SuiteReport const whole = run(cases);
    options_.shard_count = 4;
    options_.jobs = 2;
    std::map<std::string, Digest> digests;
    for (options_.shard = 0; options_.shard < 4; ++options_.shard)
        for (const CaseResult& result : run(cases).results) EXPECT_TRUE(digests.emplace(result.name, *result.digest).second);
    ASSERT_EQ(digests.size(), 10U);
    for (const CaseResult& result : whole.results) EXPECT_EQ(digests[result.name], result.digest);
}

TEST_F(SuiteRun, RunsEachCaseTwiceToVerify) {
    options_.verify = true;
    EXPECT_EQ(run(one("a", "set a 1", "ok 1") + one("b", "set b 1", "ok 1", "provides = \"b\"\n")).failed(), 0U);
}

TEST(Filter, TakesNamesAndLeavesOut) {
    EXPECT_TRUE(filter_takes("*", "a/b"));
    EXPECT_TRUE(filter_takes("a/*", "a/b"));
    EXPECT_FALSE(filter_takes("a/*", "b/a/"));
    EXPECT_TRUE(filter_takes("x:a?b", "a-b"));
    EXPECT_FALSE(filter_takes("*:-*slow*", "very slow one"));
    EXPECT_TRUE(filter_takes("*:-*slow*", "quick"));
    EXPECT_FALSE(filter_takes("-a", "a"));
    EXPECT_TRUE(filter_takes("-a", "b"));
    EXPECT_FALSE(filter_takes("a*b*c", "acb"));
    EXPECT_TRUE(filter_takes("a*b*c", "aXbYbZc"));
}

}  // namespace
}  // namespace ramet
