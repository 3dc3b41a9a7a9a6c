// The suites of tests/lab/linux over Debian's kernels and BusyBox: suite.toml as a whole and the same in four shards; disk.toml with an ext4 disk, and what
// e2fsprogs say about the disks that forks leave. Warm states stay in the user's cache between runs. Without Debian's archive the tests are skipped and
// say so.
#include <cstdio>

#include "guests.h"
#include "lab/suite_run.h"

namespace ramet {
namespace {

/// What a command prints; nothing if it fails.
std::string printed_by(const std::string& command) {
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    std::string text;
    for (int c; (c = std::fgetc(pipe)) != EOF;) text.push_back(static_cast<char>(c));
    return ::pclose(pipe) == 0 ? text : "";
}

std::string guest_folder(const std::string& flavour) {
    std::string const line = printed_by(RAMET_GUEST_TOOL " " + flavour);
    return line.substr(0, line.find('\n'));
}

/// The suite, over the machine of a folder of tools/guest.
Suite suite_over(const std::string& path, const Directory& directory, const std::string& folder, const std::string& more) {
    std::string const machine = "kernel = \"" + folder + "/vmlinuz\"\ninitrd = \"" + folder + "/initramfs.cpio\"\nappend = \"console=ttyS0 quiet\"\nunpack = \"host\"\n" + more;
    write_file(directory / "machine.toml", {machine.begin(), machine.end()});
    Suite suite = must(read_suite(path));
    suite.machine = directory / "machine.toml";
    return suite;
}

void expect_passed(const SuiteReport& report) {
    for (const CaseResult& result : report.results) EXPECT_TRUE(result.passed) << report.path << ":" << result.line << ": " << result.name << ": " << result.what;
}

TEST(LinuxSuite, PassesAndGivesTheSameInFourShards) {
    std::string const folder = guest_folder("cloud");
    if (folder.empty()) GTEST_SKIP() << "NOT RUN: tools/guest could not fetch a kernel";
    Directory const directory;
    std::string const path = RAMET_SOURCE "/tests/lab/linux/suite.toml";
    Suite const suite = suite_over(path, directory, folder, "memory = \"128M\"\n");
    SuiteOptions options{.jobs = 2, .failures = directory / "failures"};
    auto const store = std::make_shared<StateStore>(StateStore::default_directory());
    SuiteReport const whole = must(run_suite(suite, path, options, store));
    EXPECT_GE(whole.results.size(), 40U);
    std::map<std::string, const CaseResult*> by_name;
    expect_passed(whole);
    for (const CaseResult& result : whole.results) by_name[result.name] = &result;
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

class LinuxSuiteDisk : public testing::Test {
protected:
    void SetUp() override {
        if (folder_.empty()) GTEST_SKIP() << "NOT RUN: tools/guest could not fetch a kernel";
        suite_ = suite_over(path_, directory_, folder_, "memory = \"256M\"\n[[disk]]\nfile = \"" + folder_ + "/root.ext4\"\n");
    }

    /// A fork of the state "mounted", which the first case provides.
    Session mounted() {
        auto const root = must(State::power_on(must(read_configuration(suite_.machine)), store_));
        return must(root->after("warm", suite_.warm)->after(suite_.cases[0].provides, suite_.cases[0].scripts)->fork());
    }
    std::string image_of(Session& session, const std::string& name) const {
        std::vector<u8> bytes(disk_bytes);
        must(session.read_disk(0, 0, bytes));
        write_file(directory_ / name, bytes);
        return directory_ / name;
    }

    static constexpr std::size_t disk_bytes = std::size_t{16} << 20;
    std::string const path_ = RAMET_SOURCE "/tests/lab/linux/disk.toml";
    std::string const folder_ = guest_folder("disk");
    std::shared_ptr<StateStore> const store_ = std::make_shared<StateStore>(StateStore::default_directory());
    Directory const directory_;
    Suite suite_;
};

TEST_F(LinuxSuiteDisk, PassesTwice) {
    SuiteReport const report = must(run_suite(suite_, path_, {.jobs = 2, .verify = true, .failures = directory_ / "failures"}, store_));
    EXPECT_GE(report.results.size(), 15U);
    expect_passed(report);
}

TEST_F(LinuxSuiteDisk, AForksFileSystemIsInOrderAndHasItsOwnFiles) {
    Session parent = mounted();
    for (std::string const name : {"one", "another"}) {
        Session child = parent.fork();
        std::vector<Script> const scripts = {{{.kind = Step::Kind::command, .text = "echo of " + name + " >/m/" + name + "; umount /m", .prompt = "/ # ", .prints = ""}}};
        auto const failure = play(child, scripts);
        ASSERT_FALSE(failure) << failure->what;
        std::string const image = image_of(child, name);
        EXPECT_EQ(printed_by("PATH=$PATH:/usr/sbin; debugfs -R 'cat /" + name + "' " + image + " 2>/dev/null"), "of " + name + "\n");
        EXPECT_EQ(printed_by("PATH=$PATH:/usr/sbin; debugfs -R 'ls -p /' " + image + " 2>/dev/null | grep -c one; true"), name == "one" ? "1\n" : "0\n");
        EXPECT_NE(printed_by("PATH=$PATH:/usr/sbin; e2fsck -fn " + image + " 2>&1"), "") << "the file system is damaged";
    }
    EXPECT_EQ(printed_by("PATH=$PATH:/usr/sbin; debugfs -R 'cat /one' " + image_of(parent, "parent") + " 2>/dev/null"), "");
}

}  // namespace
}  // namespace ramet
