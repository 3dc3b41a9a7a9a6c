// The suite of tests/lab/linux over Debian's cloud kernel and BusyBox: the whole of it, and the same in four shards. The warm state stays in the user's cache
// between runs. Without Debian's archive the test is skipped and says so.
#include <cstdio>

#include "guests.h"
#include "lab/suite_run.h"

namespace ramet {
namespace {

std::string guest_folder() {
    std::FILE* const pipe = ::popen(RAMET_GUEST_TOOL " cloud", "r");
    std::string line;
    for (int c; (c = std::fgetc(pipe)) != EOF && c != '\n';) line.push_back(static_cast<char>(c));
    return ::pclose(pipe) == 0 ? line : "";
}

TEST(LinuxSuite, PassesAndGivesTheSameInFourShards) {
    std::string const folder = guest_folder();
    if (folder.empty()) GTEST_SKIP() << "NOT RUN: tools/guest could not fetch a kernel";
    Directory const directory;
    std::string const machine = "kernel = \"" + folder + "/vmlinuz\"\ninitrd = \"" + folder + "/initramfs.cpio\"\nappend = \"console=ttyS0 quiet\"\nunpack = \"host\"\nmemory = \"128M\"\n";
    write_file(directory / "machine.toml", {machine.begin(), machine.end()});
    std::string const path = RAMET_SOURCE "/tests/lab/linux/suite.toml";
    Suite suite = must(read_suite(path));
    suite.machine = directory / "machine.toml";
    SuiteOptions options{.jobs = 2, .failures = directory / "failures"};
    auto const store = std::make_shared<StateStore>(StateStore::default_directory());
    SuiteReport const whole = must(run_suite(suite, path, options, store));
    EXPECT_GE(whole.results.size(), 40U);
    std::map<std::string, const CaseResult*> by_name;
    for (const CaseResult& result : whole.results) {
        EXPECT_TRUE(result.passed) << path << ":" << result.line << ": " << result.name << ": " << result.what;
        by_name[result.name] = &result;
    }
    options.shard_count = 4;
    std::size_t seen = 0;
    for (options.shard = 0; options.shard < options.shard_count; ++options.shard) {
        SuiteReport const part = must(run_suite(suite, path, options, store));
        seen += part.results.size();
        for (const CaseResult& result : part.results) {
            EXPECT_EQ(result.passed, by_name.at(result.name)->passed) << result.name;
            EXPECT_EQ(result.end, by_name.at(result.name)->end) << result.name;
        }
    }
    EXPECT_EQ(seen, whole.results.size());
}

}  // namespace
}  // namespace ramet
