// A machine that goes to another host by ssh, which is a script here: it runs the command that it is given, between two programs that can be killed.
#include <csignal>
#include <cstdlib>
#include <fstream>

#include <unistd.h>

#include "families.h"
#include "process.h"
#include "remote/control.h"

namespace ramet {
namespace {

constexpr const char* ssh_script = R"(#!/bin/sh
# ssh -- HOST COMMAND...
shift 2
exec 3<&0
{ cat <&3 3<&- & echo $$ $! >>"$RAMET_TEST_CARRIERS"; wait; } | "$@" 3<&- | cat 3<&-
)";

struct Ssh : testing::Test {
    Directory directory;
    Subject subject = sweep_subject(directory, 400);
    Host host{directory, "logs"};
    std::string const carriers = directory / "carriers", path_before = std::getenv("PATH");

    void SetUp() override {
        std::filesystem::create_directories(directory / "bin");
        std::ofstream{directory / "bin/ssh"} << ssh_script;
        std::filesystem::permissions(directory / "bin/ssh", std::filesystem::perms::owner_all);
        std::filesystem::create_symlink(RAMET_PROGRAM, directory / "bin/ramet");
        ::setenv("PATH", (directory / "bin:" + path_before).c_str(), 1);
        ::setenv("XDG_RUNTIME_DIR", directory.path().c_str(), 1);
        ::setenv("RAMET_TEST_CARRIERS", carriers.c_str(), 1);
        must(host.boot(subject, "web"));
    }
    void TearDown() override {
        if (auto const client = ControlClient::of("child")) static_cast<void>(client->stop("child"));  // and with it its process
        ::setenv("PATH", path_before.c_str(), 1);
    }
    void move(MoveKind kind, u64 push_bytes_per_s, const std::string& ssh_command = {}) {
        MoveOptions options{.to = must(Address::parse("ssh:elsewhere")), .ssh_command = ssh_command, .kind = kind, .name = "child"};
        options.serve.push_bytes_per_s = push_bytes_per_s;
        must(host.family->move("web", options));
        ASSERT_TRUE(eventually([&] { return last_move(*host.family).report.started_ns != 0; })) << last_move(*host.family).report.error;
    }
    std::vector<pid_t> carrying() {
        std::ifstream list{carriers};
        return {std::istream_iterator<pid_t>{list}, {}};
    }
    MemberInfo child() {
        auto const client = ControlClient::of("child");
        if (!client) return {};
        for (const MemberInfo& info : must(client->members()))
            if (info.name == "child") return info;
        return {};
    }
    void expect_finished_and_equal() {
        EXPECT_TRUE(eventually([&] { return last_move(*host.family).report.phase == Outgoing::Phase::finished; })) << last_move(*host.family).report.error;
        EXPECT_EQ(child().lacking_pages, 0U);
        std::string const log = child().log;
        must(must(ControlClient::of("child")).stop("child"));
        replayed(log);
    }
};

TEST_F(Ssh, CarriesAMachine) {
    move(MoveKind::migrate, ServeOptions::unlimited);
    expect_finished_and_equal();
    EXPECT_TRUE(eventually([] { return !ControlClient::of("child"); })) << "its process ends with its last machine";
}

TEST_F(Ssh, IsRunAgainWhenItDiesAndReachesTheProcessThatHasTheMachine) {
    move(MoveKind::migrate, 1 << 20);
    for (unsigned i = 1; i <= 2; ++i) {
        ASSERT_TRUE(eventually([&] { return carrying().size() == 2 * i; }));
        std::vector<pid_t> const all = carrying();
        for (std::size_t n = all.size() - 2; n < all.size(); ++n) kill(all[n], SIGKILL);
    }
    ASSERT_TRUE(eventually([&] { return carrying().size() == 6; }));
    expect_finished_and_equal();
}

/// A real sshd on loopback, with a key, a port and a configuration of its own.
struct RealSsh : Ssh {
    static constexpr const char* sshd = "/usr/sbin/sshd";
    static constexpr const char* client = "/usr/bin/ssh";
    std::optional<Process> server;

    void SetUp() override {
        if (::access(sshd, X_OK) != 0 || ::access(client, X_OK) != 0) GTEST_SKIP() << "openssh-server and openssh-client are not installed";
        if (::geteuid() == 0 && ::access("/run/sshd", X_OK) != 0 && run_to_end({"unshare", "--mount", "true"}) != 0)
            GTEST_SKIP() << "root needs /run/sshd for sshd, or the right to make a mount namespace";
        Ssh::SetUp();
        std::string const port = free_port(), key = directory / "key";
        ASSERT_EQ(run_to_end({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key}), 0);
        std::ofstream{directory / "sshd_config"} << "ListenAddress 127.0.0.1:" << port << "\nHostKey " << key << "\nAuthorizedKeysFile " << key << ".pub\nPidFile none\nUsePAM no\n"
                                                 << "StrictModes no\nPermitRootLogin prohibit-password\nSetEnv PATH=" << std::getenv("PATH") << " XDG_RUNTIME_DIR=" << directory.path() << "\n";
        std::ofstream{directory / "ssh_config"} << "Host elsewhere\n HostName 127.0.0.1\n Port " << port << "\n IdentityFile " << key << "\n IdentitiesOnly yes\n BatchMode yes\n"
                                                << " StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n";
        std::string const run = std::string{sshd} + " -D -e -f " + (directory / "sshd_config");
        bool const hidden_run = ::geteuid() == 0 && ::access("/run/sshd", X_OK) != 0;  // where root's sshd locks itself in
        if (hidden_run) server.emplace(std::vector<std::string>{"unshare", "--mount", "sh", "-c", "mount -t tmpfs none /run && mkdir /run/sshd && exec " + run});
        else server.emplace(std::vector<std::string>{"sh", "-c", "exec " + run});
        ASSERT_TRUE(eventually([&] { return static_cast<bool>(connect_to(must(Address::parse("tcp:127.0.0.1:" + port)))); }));
    }
    void TearDown() override {
        if (server) Ssh::TearDown();
    }
    static std::string free_port() { return std::to_string(must(Listener::open(must(Address::parse("tcp:127.0.0.1:0")))).address().port); }
    std::string command() const { return std::string{client} + " -F " + (directory / "ssh_config"); }
};

TEST_F(RealSsh, CarriesAMachineWithPortAndKeyFromACommand) {
    move(MoveKind::migrate, ServeOptions::unlimited, command());
    expect_finished_and_equal();
    EXPECT_TRUE(carrying().empty()) << "the ssh of PATH was not asked";
}

/// A receiver among siblings, one of which listens and never says anything.
struct Siblings : testing::Test {
    Directory directory;
    Subject subject = sweep_subject(directory, 400);
    Host host{directory, "logs"};
    std::optional<Listener> silent;

    void SetUp() override {
        silent.emplace(must(Listener::open(must(Address::parse("unix:" + (directory / "silent.link"))))));
        must(host.family->join_siblings(directory / "ours"));
    }
    /// A source that asks for a session which nobody has.
    std::unique_ptr<Link> ask() {
        auto link = std::make_unique<Link>(must(connect_to(must(Address::parse("unix:" + (directory / "ours.link"))))));
        must(greet(*link));
        send(*link, MessageKind::resume, Resume{}.bytes());
        must(link->flush());
        return link;
    }
};

TEST_F(Siblings, AReceiverWithoutMachinesAsksThemForASession) {
    auto const source = ask();
    std::unique_ptr<ByteLink> asked;
    EXPECT_TRUE(eventually([&] { return (asked = must(silent->accept())) != nullptr; }));
    asked.reset();  // so that it does not wait for an answer
    EXPECT_TRUE(is(must(await(*source)), MessageKind::refuse));
}

TEST_F(Siblings, AReceiverWithMachinesRefusesAtOnceAndItsMachinesRunOn) {
    must(host.boot(subject, "web"));
    EXPECT_TRUE(is(must(await(*ask())), MessageKind::refuse));
    EXPECT_EQ(must(silent->accept()), nullptr) << "nobody was waited for";
    u64 const at = member(*host.family, "web").position;
    EXPECT_TRUE(eventually([&] { return member(*host.family, "web").position > at; }));
}

}  // namespace
}  // namespace ramet
