// Two hosts for real, as far as the kernel can tell: network namespaces joined by a cable that is pulled out for ten seconds.
// Without the right to make namespaces the test says so and is skipped.
#include <cstdlib>
#include <fstream>

#include <unistd.h>

#include "families.h"
#include "process.h"
#include "remote/control.h"

namespace ramet {
namespace {

class Network {
public:
    static bool possible() { return run_to_end({"ip", "netns", "add", name("a")}) == 0; }
    static std::string name(const std::string& which) { return "ramet-" + std::to_string(getpid()) + "-" + which; }

    Network() {
        bool const made = ip({"netns", "add", name("b")}) && ip({"link", "add", "ramet0", "netns", name("a"), "type", "veth", "peer", "name", "ramet0", "netns", name("b")});
        EXPECT_TRUE(made && configure("a", "10.77.0.1/24") && configure("b", "10.77.0.2/24"));
    }
    ~Network() {
        for (const char* const which : {"a", "b"}) ip({"netns", "del", name(which)});
    }
    void set_cable(bool in) { EXPECT_TRUE(ip({"-n", name("b"), "link", "set", "ramet0", in ? "up" : "down"})); }
    static std::vector<std::string> inside(const std::string& which, std::vector<std::string> words) {
        std::vector<std::string> all = {"ip", "netns", "exec", name(which)};
        all.insert(all.end(), words.begin(), words.end());
        return all;
    }

private:
    static bool ip(std::vector<std::string> words) {
        words.insert(words.begin(), "ip");
        return run_to_end(words) == 0;
    }
    static bool configure(const std::string& which, const std::string& address) {
        return ip({"-n", name(which), "address", "add", address, "dev", "ramet0"}) && ip({"-n", name(which), "link", "set", "ramet0", "up"});
    }
};

TEST(Namespaces, AMigrationSurvivesACableThatIsOutForTenSeconds) {
    if (!Network::possible()) GTEST_SKIP() << "network namespaces cannot be made here: run as root, with iproute2";
    Network network;
    Directory directory;
    ::setenv("XDG_RUNTIME_DIR", directory.path().c_str(), 1);
    Subject const subject = sweep_subject(directory, 400);
    std::ofstream{directory / "key"} << std::string(32, 'k');
    std::filesystem::permissions(directory / "key", std::filesystem::perms::owner_read);
    Process const receiver{Network::inside("b", {RAMET_PROGRAM, "receive", "--listen", "tcp:10.77.0.2:7070", "--key", directory / "key"})};
    Process const source{Network::inside("a", {RAMET_PROGRAM, "run", "--kernel", subject.configuration.kernel, "--memory", "8M", "--name", "web"})};
    ASSERT_TRUE(eventually([] { return ControlClient::of("web") && must(ControlClient::all()).size() == 2; }));
    ControlClient const at_source = must(ControlClient::of("web"));
    MoveOptions options{.to = must(Address::parse("tcp:10.77.0.2:7070")), .key_file = directory / "key", .kind = MoveKind::migrate, .name = "child"};
    options.serve.push_bytes_per_s = 256 << 10;
    must(at_source.move("web", options));
    auto const report = [&] { return must(at_source.moves()).back().report; };
    ASSERT_TRUE(eventually([&] { return report().started_ns != 0; })) << report().error;
    auto const child = [] {
        for (const MemberInfo& info : must(must(ControlClient::of("child")).members()))
            if (info.name == "child") return info;
        return MemberInfo{};
    };
    network.set_cable(false);
    ASSERT_TRUE(eventually([&] { return child().detail.starts_with("waits"); })) << "for a page, or for its lease";
    std::this_thread::sleep_for(std::chrono::seconds{10});
    EXPECT_EQ(must(at_source.members())[0].state, "elsewhere") << "the source does not run meanwhile";
    EXPECT_TRUE(child().detail.starts_with("waits"));
    network.set_cable(true);
    ASSERT_TRUE(eventually([&] { return child().lacking_pages == 0; })) << report().error;
    u64 const at = child().position;
    EXPECT_TRUE(eventually([&] { return child().position > at + 100'000; }));
    std::string const log = child().log;
    must(must(ControlClient::of("child")).stop("child"));
    replayed(log);
}

}  // namespace
}  // namespace ramet
