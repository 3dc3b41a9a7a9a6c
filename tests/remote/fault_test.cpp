// What breaks on the way: links, hosts and peers. Afterwards every machine exists once, and its log replays to equal digests.
#include "base/state.h"
#include "families.h"
#include "proxy.h"

namespace ramet {
namespace {

struct Faults : testing::Test {
    Directory directory;
    Subject subject = sweep_subject(directory, 400);
    Host source{directory, "source"};
    Host target{directory, "target"};
    Address address = target.listen(directory);
    Proxy proxy{must(Address::parse("unix:" + (directory / "proxy"))), address};
    static constexpr u32 lease_ms = 500;

    void SetUp() override {
        must(source.boot(subject, "web"));
        ASSERT_TRUE(eventually([&] { return member(*source.family, "web").position > 1'000'000; }));
    }
    /// Through the proxy; slowly enough that something can happen meanwhile.
    void move(MoveKind kind, u64 push_bytes_per_s = 2 << 20) {
        MoveOptions options{.to = must(Address::parse("unix:" + (directory / "proxy"))), .kind = kind, .name = "child"};
        options.serve.push_bytes_per_s = push_bytes_per_s;
        options.lease_ms = lease_ms;
        must(source.family->move("web", options));
        ASSERT_TRUE(eventually([&] { auto const info = member(*target.family, "child"); return info.name == "child" && !info.log.empty(); }))
            << last_move(*source.family).report.error;
    }
    Outgoing::Phase phase() { return last_move(*source.family).report.phase; }
    void expect_finished_and_equal() {
        ASSERT_TRUE(eventually([&] { return phase() == Outgoing::Phase::finished && member(*target.family, "child").lacking_pages == 0; }))
            << phase_text(phase()) << last_move(*source.family).report.error << " lacks " << member(*target.family, "child").lacking_pages;
        u64 const at = member(*target.family, "child").position;
        EXPECT_TRUE(eventually([&] { return member(*target.family, "child").position > at + 100'000; }));
        std::string const log = member(*target.family, "child").log;
        must(target.family->remove("child"));
        replayed(log);
    }
};

TEST_F(Faults, ALinkThatIsCutIsMadeAgain) {
    for (MoveKind const kind : {MoveKind::fork, MoveKind::migrate}) {
        move(kind);
        for (unsigned i = 0; i < 3; ++i) {
            unsigned const links = proxy.links();
            proxy.cut();
            ASSERT_TRUE(eventually([&] { return proxy.links() > links || phase() == Outgoing::Phase::finished; }));
        }
        expect_finished_and_equal();
    }
}

/// The target answers the proposal; that the child runs gets lost with the link.
TEST_F(Faults, ThatAChildRunsIsToldAgainOverTheNextLink) {
    u64 const greeting_and_answer = 2 * WireFrame::header_bytes + Hello{}.bytes().size() + Ready{}.bytes().size();
    proxy.mute_after(greeting_and_answer);
    move(MoveKind::fork);
    ASSERT_TRUE(eventually([&] { return member(*target.family, "child").first_run_at_ns != 0; }));
    ASSERT_EQ(last_move(*source.family).report.started_ns, 0U);
    proxy.cut();
    EXPECT_TRUE(eventually([&] { return last_move(*source.family).report.started_ns != 0; }));
    expect_finished_and_equal();
}

TEST_F(Faults, ACorruptedByteEndsTheLinkAndNothingElse) {
    proxy.corrupt_after(256 << 10);  // beyond the logs and the state, before the end of the 400 pages
    move(MoveKind::migrate);
    EXPECT_TRUE(eventually([&] { return proxy.links() > 1; }));
    expect_finished_and_equal();
}

TEST_F(Faults, AMigratedChildStandsStillWithoutALeaseAndGoesOnWithOne) {
    move(MoveKind::migrate, 0);
    proxy.set_stalled(true);
    ASSERT_TRUE(eventually([&] { return member(*target.family, "child").detail.starts_with("waits"); }));
    std::this_thread::sleep_for(std::chrono::milliseconds{2 * lease_ms});
    u64 const at = member(*target.family, "child").position;
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
    EXPECT_EQ(member(*target.family, "child").position, at);
    EXPECT_EQ(member(*source.family, "web").state, "elsewhere") << "and the source does not run either";
    proxy.set_stalled(false);
    EXPECT_TRUE(eventually([&] { return member(*target.family, "child").position > at + 100'000; }));
}

TEST_F(Faults, OneByteAtATimeIsSlowAndRight) {
    proxy.set_one_by_one(true);
    move(MoveKind::migrate, ServeOptions::unlimited);
    EXPECT_TRUE(eventually([&] { return last_move(*source.family).report.pages.pushed > 0; }));
    proxy.set_one_by_one(false);
    expect_finished_and_equal();
}

TEST_F(Faults, ASilentTargetLosesTheMachineToItsSource) {
    move(MoveKind::migrate, 0);
    proxy.set_stalled(true);
    must(source.family->take_back("web"));
    ASSERT_TRUE(eventually([&] { return phase() == Outgoing::Phase::taken_back; })) << last_move(*source.family).report.error;
    u64 const child_at = member(*target.family, "child").position, at = member(*source.family, "web").position;
    EXPECT_TRUE(eventually([&] { return member(*source.family, "web").position > at + 100'000; }));
    EXPECT_EQ(member(*target.family, "child").position, child_at) << "its lease was over before";
    proxy.set_stalled(false);
    proxy.cut();
    std::string const log = member(*source.family, "web").log;
    must(source.family->remove("web"));
    replayed(log);
}

TEST_F(Faults, AForkWhoseSourceIsGoneMakesItsPagesFromTheLog) {
    move(MoveKind::fork, 0);
    source.family.reset();
    ASSERT_TRUE(eventually([&] { return static_cast<bool>(target.family->take_over("child")); })) << "as soon as the link is known to be gone";
    EXPECT_TRUE(eventually([&] { return member(*target.family, "child").lacking_pages == 0; }));
    u64 const at = member(*target.family, "child").position;
    EXPECT_TRUE(eventually([&] { return member(*target.family, "child").position > at + 1'000'000; }));
    std::string const log = member(*target.family, "child").log;
    must(target.family->remove("child"));
    replayed(log);
}

/// The longer the source's machine has run, the longer it takes.
TEST_F(Faults, OtherMachinesGoOnWhileMissingPagesAreMade) {
    std::this_thread::sleep_for(std::chrono::milliseconds{700});
    move(MoveKind::fork, 0);
    source.family.reset();
    ASSERT_TRUE(eventually([&] { return member(*target.family, "child").detail.find("no link") != std::string::npos; }));
    std::atomic<bool> made = false;
    std::thread asking{[&] {
        must(target.family->take_over("child"));
        made = true;
    }};
    unsigned answers = 0;
    for (; !made; ++answers) static_cast<void>(member(*target.family, "child"));
    asking.join();
    EXPECT_GT(answers, 20U);
    EXPECT_EQ(member(*target.family, "child").lacking_pages, 0U);
}

/// It waits for a page, and so does whoever waits for its next boundary: there will be none.
TEST_F(Faults, NobodyWaitsForAMachineThatWasTakenBack) {
    move(MoveKind::migrate, 0);
    Host third{directory, "third"};
    Address const there = must(third.family->listen(must(Address::parse("unix:" + (directory / "t")))));
    proxy.set_stalled(true);
    ASSERT_TRUE(eventually([&] { return member(*target.family, "child").detail == "waits for a page"; }));
    must(target.family->move("child", {.to = there, .kind = MoveKind::fork, .name = "far"}));
    must(source.family->take_back("web"));
    proxy.set_stalled(false);
    EXPECT_TRUE(eventually([&] { return last_move(*target.family).report.phase == Outgoing::Phase::failed; })) << phase_text(last_move(*target.family).report.phase);
    EXPECT_EQ(member(*third.family, "far").name, "nobody");
}

/// Both moves were accepted while the machine was here; its memory is not any more when the second one is ready to go.
TEST_F(Faults, AMachineThatHasLeftMeanwhileIsNotMovedAgain) {
    Host third{directory, "third"};
    Address const there = must(third.family->listen(must(Address::parse("unix:" + (directory / "t")))));
    for (MoveKind const kind : {MoveKind::fork, MoveKind::migrate}) {
        std::string const name = kind == MoveKind::fork ? "forked-late" : "migrated-late";
        proxy.set_stalled(true);
        must(source.family->move("web", {.to = must(Address::parse("unix:" + (directory / "proxy"))), .kind = kind, .name = name}));
        must(source.family->move("web", {.to = there, .kind = MoveKind::migrate}));
        ASSERT_TRUE(eventually([&] { return member(*source.family, "web").detail == "migrated"; })) << last_move(*source.family).report.error;
        proxy.set_stalled(false);
        auto const late = [&] { return source.family->moves().rbegin()[1].report; };
        EXPECT_TRUE(eventually([&] { return late().phase == Outgoing::Phase::failed; })) << phase_text(late().phase);
        EXPECT_NE(late().error.find(" has ended: migrated"), std::string::npos) << late().error;
        EXPECT_EQ(member(*target.family, name).name, "nobody");
        std::string const log = member(*third.family, "web").log;
        must(third.family->remove("web"));
        replayed(log);
        must(source.boot(subject, "web"));
    }
    EXPECT_EQ(member(*source.family, "web").state, "running") << "another machine of that name";
}

TEST_F(Faults, APeerThatTalksNonsenseIsRefusedAndOthersAreServed) {
    std::vector<std::unique_ptr<ByteLink>> peers;
    for (unsigned i = 0; i < 40; ++i) {  // more than are listened to at a time: they say nothing, or rubbish
        peers.push_back(must(connect_to(address)));
        if (i % 2 == 0) must(peers.back()->write(std::vector<u8>(100, static_cast<u8>(i))));
    }
    ASSERT_TRUE(eventually([&] {
        std::array<u8, 1024> answer;
        return !peers[0]->read(answer);
    })) << "rubbish ends the link";
    peers.clear();
    move(MoveKind::fork, ServeOptions::unlimited);
    expect_finished_and_equal();
}

TEST_F(Faults, MoreCallersAtOnceThanThereIsRoomForAreAllServed) {
    std::vector<std::unique_ptr<Link>> callers;
    for (unsigned i = 0; i < 40; ++i) callers.push_back(std::make_unique<Link>(must(connect_to(address))));
    for (const auto& caller : callers) {
        ASSERT_TRUE(greet(*caller));
        refuse(*caller, "that was all");  // and makes room
    }
}

TEST_F(Faults, AMachineGoesBackFromAHostThatCannotRecordIt) {
    std::filesystem::remove_all(target.logs);
    must(source.family->move("web", {.to = address, .kind = MoveKind::migrate, .name = "child", .lease_ms = lease_ms}));
    ASSERT_TRUE(eventually([&] { return last_move(*source.family).report.error.find("recording failed") != std::string::npos; }));
    EXPECT_TRUE(member(*target.family, "child").detail.starts_with("recording failed"));
    must(source.family->take_back("web"));
    ASSERT_TRUE(eventually([&] { return phase() == Outgoing::Phase::taken_back; })) << last_move(*source.family).report.error;
    u64 const at = member(*source.family, "web").position;
    EXPECT_TRUE(eventually([&] { return member(*source.family, "web").position > at + 100'000; }));
}

/// A source that follows the protocol until it lies.
struct Liar {
    explicit Liar(const Address& address, const Subject& subject) : link(must(connect_to(address))) {
        must(greet(link));
        Propose const proposal{.session = {1}, .epoch = 1, .name = "liar", .header = subject.header()};
        send(link, MessageKind::propose, proposal.bytes());
        must(await(link, MessageKind::ready));
    }
    /// Whether the target ends the link.
    bool ends_after(MessageKind kind, std::span<const u8> message) {
        send(link, kind, message);
        return eventually([&] { return !link.flush() || !link.receive(); });
    }
    Link link;
};

TEST_F(Faults, AMachineThatIsNotTheProposedOneIsRefused) {
    Machine machine = subject.machine();
    MachineState state = machine.state();
    state.identity.lo ^= 1;
    EXPECT_TRUE(Liar(address, subject).ends_after(MessageKind::go, Go{.epoch = 1, .at = {}, .log_tail = {}, .state = state_bytes(state)}.bytes()));
    std::vector<u8> cut = state_bytes(machine.state());
    cut.pop_back();
    EXPECT_TRUE(Liar(address, subject).ends_after(MessageKind::go, Go{.epoch = 1, .at = {}, .log_tail = {}, .state = cut}.bytes()));
    EXPECT_TRUE(Liar(address, subject).ends_after(MessageKind::go, Go{.epoch = 2, .at = {}, .log_tail = {}, .state = state_bytes(machine.state())}.bytes()));
    EXPECT_TRUE(Liar(address, subject).ends_after(MessageKind::pong, number_bytes(~u64{0})));
    EXPECT_TRUE(Liar(address, subject).ends_after(MessageKind::log, LogPiece{{}, 7, {1}}.bytes()));
    EXPECT_EQ(member(*target.family, "liar").name, "nobody");
}

TEST_F(Faults, FramesOutsideMemoryApplyNothing) {
    Machine machine = subject.machine();
    Liar liar{address, subject};
    send(liar.link, MessageKind::go, Go{.epoch = 1, .at = {}, .log_tail = {}, .state = state_bytes(machine.state())}.bytes());
    must(await(liar.link, MessageKind::want));  // the machine is there, and lacks its first page
    EXPECT_TRUE(liar.ends_after(MessageKind::zeros, Runs{.sequence = 1, .more = false, .runs = {{Frame{0}, 10}, {Frame{1 << 20}, 1}}}.bytes()));
    EXPECT_EQ(member(*target.family, "liar").lacking_pages, 2048U - 32U + 16U) << "all of its RAM, and the test device's";
}

}  // namespace
}  // namespace ramet
