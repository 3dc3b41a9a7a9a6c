// Parts of a family that need no machine: what is typed, and the length of slices. And Incoming without a family.
#include "base/state.h"
#include "families.h"
#include "replay/log_writer.h"

namespace ramet {
namespace {

std::string text_of(const std::vector<u8>& bytes) { return {bytes.begin(), bytes.end()}; }

TEST(ConsoleInput, WaitsUntilTheMachineHasReadIt) {
    ConsoleBuffer console;
    must(console.type("abc"));
    must(console.type("de"));
    console.drop(2);
    EXPECT_EQ(text_of(console.typed()), "cde");
    console.drop(9);
    EXPECT_TRUE(console.typed().empty());
}

TEST(ConsoleInput, IsRefusedWhenTooMuchWaits) {
    ConsoleBuffer console;
    must(console.type(std::string(ConsoleBuffer::typed_bytes_max, 'x')));
    auto const more = console.type("y");
    ASSERT_FALSE(more);
    EXPECT_NE(more.error().text.find("64 KiB"), std::string::npos);
    console.drop(1);
    EXPECT_TRUE(console.type("y"));
}

TEST(ConsoleInput, GoesWithTheMachineAndIsRefusedMeanwhile) {
    ConsoleBuffer here, there;
    must(here.type("abc"));
    there.arrive(here.leave());
    auto const refused = here.type("d");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text.find("elsewhere"), std::string::npos);
    there.drop(1);
    here.arrive(there.leave());
    EXPECT_TRUE(here.type("d"));
    EXPECT_EQ(text_of(here.typed()), "bcd");
}

TEST(ConsoleInput, NeverGrowsBeyondWhatGoesWithAMachine) {
    ConsoleBuffer here;
    for (unsigned i = 0; i < 10; ++i) {
        while (here.type(std::string(1000, 'x'))) {}
        std::vector<u8> with_it = here.leave();
        EXPECT_FALSE(here.type("x"));
        ASSERT_LE(with_it.size(), Go::typed_bytes_max);
        here.arrive(std::move(with_it));
    }
}

TEST(PaceOfSlices, BeginsShortAndLastsAboutAMillisecond) {
    Pace pace;
    EXPECT_EQ(pace.cycles(), Pace::cycles_min);
    pace.took(10'000, 10'000);  // a cycle a nanosecond
    EXPECT_EQ(pace.cycles(), 1'000'000U);
    pace.took(1'000'000, 50'000'000);  // fifty times slower
    EXPECT_EQ(pace.cycles(), 20'000U);
    pace.took(20'000, 4'000'000'000);
    EXPECT_EQ(pace.cycles(), Pace::cycles_min);
    pace.took(10'000, 0);
    EXPECT_EQ(pace.cycles(), Pace::cycles_max);
}

TEST(PaceOfSlices, LearnsNothingFromASliceThatEndedEarly) {
    Pace pace;
    pace.took(10'000, 10'000);
    pace.took(1000, 500'000);
    EXPECT_EQ(pace.cycles(), 1'000'000U);
    pace.took(1000, 2'000'000);
    EXPECT_EQ(pace.cycles(), Pace::cycles_min) << "but from one that took too long it does";
}

/// A target without a family.
struct Arriving : testing::Test {
    Directory directory;
    Subject subject = sweep_subject(directory, 10);
    std::pair<std::unique_ptr<ByteLink>, std::unique_ptr<ByteLink>> ends = must(make_byte_link_pair());
    Link source{std::move(ends.first)};
    std::optional<Machine> arrived;
    Machine machine = subject.machine();
    Propose proposal;
    std::optional<Incoming> incoming;

    void SetUp() override {
        proposal = {.epoch = 2, .name = "web", .header = header_of(subject.configuration, subject.images, machine)};
        incoming.emplace(std::make_unique<Link>(std::move(ends.second)), proposal, std::make_shared<PagePool>(), nullptr, DiskImages{}, [&](Machine made) { arrived.emplace(std::move(made)); });
    }
    void wait_until_not_due() {
        EXPECT_TRUE(eventually([&] { return !incoming->go_is_due(); }));
    }
    void deliver() {
        must(source.flush());
        incoming->pump();
    }
};

TEST_F(Arriving, GoIsDueForAShortTimeAfterTheAnswerAndAfterEachPieceOfALog) {
    wait_until_not_due();
    bool was_due = false;
    u64 at = 0;
    EXPECT_TRUE(eventually([&] {  // a host that is busy may let the time pass before anybody asks
        send(source, MessageKind::log, LogPiece{{}, at++, {0}}.bytes());
        deliver();
        return was_due = incoming->go_is_due();
    })) << incoming->error();
    wait_until_not_due();
    EXPECT_TRUE(was_due);
}

TEST_F(Arriving, NothingIsDueOnceTheMachineIsHere) {
    send(source, MessageKind::log, LogPiece{{}, 0, {0}}.bytes());
    send(source, MessageKind::go, Go{.epoch = 2, .at = {}, .log_entries = 0, .log_tail = {}, .typed = {}, .state = state_bytes(machine.state())}.bytes());
    deliver();
    ASSERT_TRUE(arrived) << incoming->error();
    EXPECT_FALSE(incoming->go_is_due());
}

TEST_F(Arriving, LogsThatCouldNotBeKeptAreKeptLaterAsTheyCame) {
    std::vector<LogEntry> const tail = {LogEntry::of({}, text("a"))};
    send(source, MessageKind::log, LogPiece{header_digest(proposal.header), 0, log_bytes(proposal.header, {})}.bytes());
    send(source, MessageKind::go, Go{.epoch = 2, .at = {}, .log_entries = 1, .log_tail = entries_bytes(tail), .typed = {}, .state = state_bytes(machine.state())}.bytes());
    deliver();
    ASSERT_TRUE(arrived) << incoming->error();
    EXPECT_FALSE(incoming->keep_logs(directory / "nowhere"));
    LogHeader const child = must(incoming->keep_logs(directory.path()));
    EXPECT_EQ(must(InputLog::open(directory / child.origin.path))->entry_count(), 1U);
}

}  // namespace
}  // namespace ramet
