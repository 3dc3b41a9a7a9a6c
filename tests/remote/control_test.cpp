// The control interface: what docs/openapi.json describes is what is served, and a family can be driven over it alone.
#include "remote/control.h"

#include <sys/stat.h>

#include "families.h"
#include "process.h"
#include "remote/control_json.h"

namespace ramet {
namespace {

struct Control : testing::Test {
    Directory directory;
    Host host{directory, "logs"};
    std::unique_ptr<ControlServer> server;

    void SetUp() override {
        ::setenv("XDG_RUNTIME_DIR", directory.path().c_str(), 1);
        server = must(ControlServer::start(*host.family, must(runtime_directory())));
    }
};

TEST_F(Control, TheDescriptionIsWhatIsServed) {
    std::vector<u8> const text = file_bytes(RAMET_OPENAPI);
    std::vector<std::string> described = must(openapi_operations({text.begin(), text.end()})), served = ControlServer::operations();
    std::sort(described.begin(), described.end());
    std::sort(served.begin(), served.end());
    EXPECT_EQ(described, served);
}

TEST_F(Control, OnlyTheOwnerMayOpenTheSocket) {
    struct stat status {};
    ASSERT_EQ(stat(server->path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700U & status.st_mode);
    ASSERT_EQ(stat((directory / "ramet").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700U);
}

TEST_F(Control, AFamilyIsDrivenOverItsSocketAlone) {
    must(host.boot(echo_subject(directory), "web"));
    ControlClient const client = must(ControlClient::of("web"));
    must(client.type("web", "ab"));
    EXPECT_TRUE(eventually([&] { return must(client.console("web", 0, 100)).bytes == "ab"; }));
    must(client.fork("web", "child"));
    must(client.type("child", "c"));
    EXPECT_TRUE(eventually([&] { return must(client.console("child", 0, 100)).bytes == "c"; }));
    EXPECT_EQ(must(client.members()).size(), 2U);
    must(client.pause("web"));
    EXPECT_EQ(must(client.members())[0].state, "paused");
    EXPECT_EQ(must(client.digest("web")).size(), 32U);
    must(client.resume("web", ""));
    must(client.type("web", "q"));
    EXPECT_TRUE(eventually([&] { return must(client.members())[0].state == "ended"; }));
    std::string const log = must(client.members())[1].log;
    must(client.stop("child"));
    replayed(log);
    EXPECT_TRUE(must(client.moves()).empty());
}

/// More than may wait for a machine, which does not read at first.
TEST_F(Control, AttachGoesOnTypingWhenTheMachineReads) {
    constexpr u64 size = 200'000;
    write_file(directory / "keys", Bytes(size, 'x'));
    must(host.boot(echo_subject(directory), "web"));
    must(host.family->pause("web"));
    Process const attach{{"sh", "-c", "exec " + std::string{RAMET_PROGRAM} + " attach web <" + (directory / "keys")}};
    auto const console = must(host.family->console("web"));
    ASSERT_TRUE(eventually([&] { return console->typed().size() > ConsoleBuffer::typed_bytes_max / 2; }));
    must(host.family->resume("web"));
    EXPECT_TRUE(eventually([&] { return console->read(0, 0).bytes.size() + console->typed().size() > ConsoleBuffer::typed_bytes_max + 256; }));
}

/// Its log may be replayed by a process that has another directory.
TEST_F(Control, AHostedMachineNamesItsImagesFromAnywhere) {
    echo_subject(directory);
    Process const hosting{{"sh", "-c", "cd " + directory.path() + " && exec " + std::string{RAMET_PROGRAM} + " run --kernel echo --name hosted"}};
    ASSERT_TRUE(eventually([&] { return static_cast<bool>(ControlClient::of("hosted")); }));
    std::string const log = must(must(ControlClient::of("hosted")).members())[0].log;
    EXPECT_EQ(must(InputLog::open(log))->header().configuration.kernel, directory / "echo");
}

/// Of a process that had the same number.
TEST_F(Control, ANewProcessLeavesOldLogsAlone) {
    std::string const place = directory / "r", runtime = directory / "ramet/";
    Process const receiver{{"sh", "-c", "mkdir " + runtime + "$$.logs && exec " + std::string{RAMET_PROGRAM} + " receive --listen unix:" + place}};
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(place); }));
    must(host.boot(echo_subject(directory), "web"));
    must(host.family->move("web", {.to = must(Address::parse("unix:" + place))}));
    std::string const process = runtime + std::to_string(receiver.pid());
    EXPECT_TRUE(eventually([&] { return std::filesystem::exists(process + ".2.logs/web.rlog"); }));
    EXPECT_TRUE(std::filesystem::is_empty(process + ".logs"));
}

/// At whatever moment of its watching.
TEST_F(Control, AttachEndsInOrderWhenTheMachineIsStopped) {
    for (unsigned i = 0; i < 8; ++i) {
        must(host.boot(echo_subject(directory), "web"));
        must(must(host.family->console("web"))->type("a"));
        host.family->wake();
        Process attach{{"sh", "-c", "exec " + std::string{RAMET_PROGRAM} + " attach web >" + (directory / "shown") + " </dev/null"}};
        EXPECT_TRUE(eventually([&] { return std::filesystem::exists(directory / "shown") && std::filesystem::file_size(directory / "shown") != 0; }));
        std::this_thread::sleep_for(std::chrono::milliseconds{3 * i});
        must(host.family->remove("web"));
        EXPECT_EQ(attach.wait(), 0);
        std::filesystem::remove(directory / "shown");
        std::filesystem::remove(host.logs + "/web.rlog");
    }
}

TEST_F(Control, ErrorsSayWhatToDo) {
    ControlClient const client{server->path()};
    EXPECT_NE(client.pause("nobody").error().text.find("ramet ps"), std::string::npos);
    EXPECT_FALSE(ControlClient::of("nobody"));
    must(host.boot(echo_subject(directory), "web"));
    EXPECT_NE(client.fork("web", "../x").error().text.find("no name"), std::string::npos);
    EXPECT_NE(client.resume("web", "sideways").error().text.find("take-back"), std::string::npos);
    EXPECT_FALSE(client.resume("web", "take-back"));
    EXPECT_FALSE(client.resume("web", "take-over"));
}

}  // namespace
}  // namespace ramet
