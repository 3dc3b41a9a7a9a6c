// Machines that move between two families of this process: forks and migrations, their logs, and the way back.
#include <fstream>

#include "families.h"
#include "remote/follow.h"

namespace ramet {
namespace {

struct Moving : testing::Test {
    Directory directory;
    Subject subject = sweep_subject(directory, 200);
    Host source{directory, "source"};
    Host target{directory, "target"};
    Address address = target.listen(directory);

    void SetUp() override {
        must(source.boot(subject, "web"));
        ASSERT_TRUE(eventually([&] { return member(*source.family, "web").position > 1'000'000; }));
    }
    void move(MoveKind kind, const std::string& name = {}, ServeOptions serve = {}) {
        must(source.family->move("web", {.to = address, .kind = kind, .name = name, .serve = std::move(serve)}));
    }
    bool over() {
        return eventually([&] {
            auto const phase = last_move(*source.family).report.phase;
            return phase == Outgoing::Phase::finished || phase == Outgoing::Phase::taken_back || phase == Outgoing::Phase::failed;
        });
    }
    bool complete(const std::string& name) {
        return eventually([&] { auto const info = member(*target.family, name); return info.name == name && info.lacking_pages == 0 && !info.log.empty(); });
    }
    /// Ends a machine in order; the digest of its replayed log.
    Digest ended(Host& host, const std::string& name) {
        std::string const log = member(*host.family, name).log;
        must(host.family->remove(name));
        return replayed(log);
    }
};

TEST(Outgoing, SaysWhatIsAheadAsFarAsItKnows) {
    Outgoing::Report report;
    report.pages.total = 1000;
    EXPECT_EQ(Outgoing::ahead(report).pages, 1000U);
    EXPECT_EQ(Outgoing::ahead(report).ms, 0U) << "nothing is there yet";
    report.pages.confirmed = 250;
    report.total_ns = 500'000'000;
    EXPECT_EQ(Outgoing::ahead(report).pages, 750U);
    EXPECT_EQ(Outgoing::ahead(report).ms, 1500U);
    EXPECT_EQ(Outgoing::ahead(report).bytes_per_s, 500U * page_size);
}

TEST_F(Moving, AForkRunsOnBothHostsAndBothLogsReplay) {
    move(MoveKind::fork, "web2");
    ASSERT_TRUE(over());
    EXPECT_EQ(last_move(*source.family).report.phase, Outgoing::Phase::finished) << last_move(*source.family).report.error;
    ASSERT_TRUE(complete("web2"));
    u64 const child_at = member(*target.family, "web2").position, parent_at = member(*source.family, "web").position;
    EXPECT_TRUE(eventually([&] { return member(*target.family, "web2").position > child_at + 1'000'000; })) << "the child runs";
    EXPECT_TRUE(eventually([&] { return member(*source.family, "web").position > parent_at + 1'000'000; })) << "the parent runs on";
    ended(target, "web2");
    ended(source, "web");
}

TEST_F(Moving, AMigrationLeavesNothingBehindAndItsLogReplays) {
    move(MoveKind::migrate);
    ASSERT_TRUE(over());
    EXPECT_EQ(last_move(*source.family).report.phase, Outgoing::Phase::finished) << last_move(*source.family).report.error;
    EXPECT_EQ(member(*source.family, "web").detail, "migrated");
    EXPECT_LT(member(*source.family, "web").private_bytes, 64U << 10) << "its memory is given back";
    ASSERT_TRUE(complete("web"));
    u64 const at = member(*target.family, "web").position;
    EXPECT_TRUE(eventually([&] { return member(*target.family, "web").position > at + 1'000'000; }));
    EXPECT_EQ(member(*target.family, "web").epoch, 2U);
    ended(target, "web");
    EXPECT_FALSE(source.family->digest("web")) << "of what is left of it";
    ended(source, "web");
}

/// web2 descends from the log that web had before it went away.
TEST_F(Moving, AMachineThatMigratesBackLeavesOtherLogsAlone) {
    must(source.family->fork("web", "web2"));
    std::string const web2 = member(*source.family, "web2").log;
    move(MoveKind::migrate);
    ASSERT_TRUE(over());
    ASSERT_TRUE(complete("web"));
    Address const home = must(source.family->listen(must(Address::parse("unix:" + (directory / "home")))));
    must(target.family->move("web", {.to = home, .kind = MoveKind::migrate}));
    ASSERT_TRUE(eventually([&] { return last_move(*target.family).report.phase == Outgoing::Phase::finished && member(*source.family, "web").state == "running"; }));
    ended(source, "web2");
    ended(source, "web");
    must(source.boot(subject, "base"));
    must(source.family->fork("base", "web2"));
    replayed(web2);
}

TEST_F(Moving, AChildGetsItsMemoryThoughItsParentWasStopped) {
    must(source.family->remove("web"));
    must(source.boot(sweep_subject(directory, 1900), "web"));  // touches more pages than come before anybody looks
    ASSERT_TRUE(eventually([&] { return member(*source.family, "web").position > 1'000'000; }));
    move(MoveKind::fork, "web2", {.push_bytes_per_s = 256 << 10});
    ASSERT_TRUE(eventually([&] { return member(*target.family, "web2").name == "web2"; }));
    ASSERT_NE(member(*target.family, "web2").lacking_pages, 0U);
    must(source.family->remove("web"));
    ASSERT_TRUE(over());
    EXPECT_EQ(last_move(*source.family).report.phase, Outgoing::Phase::finished) << last_move(*source.family).report.error;
    ASSERT_TRUE(complete("web2"));
    ended(target, "web2");
}

TEST_F(Moving, AProcessThatWantsToEndGivesAChildItsMemoryFirst) {
    move(MoveKind::fork, "web2", {.push_bytes_per_s = 0});
    ASSERT_TRUE(eventually([&] { return member(*target.family, "web2").name == "web2"; }));
    must(source.family->remove("web"));
    source.family->stop_when_empty();
    source.family->wake();
    ASSERT_TRUE(eventually([&] { return source.family->stopped(); }));
    ASSERT_TRUE(complete("web2"));
    ended(target, "web2");
}

TEST_F(Moving, AMachineThatIsOnItsWayIsNotStopped) {
    move(MoveKind::migrate, {}, {.push_bytes_per_s = 0});
    ASSERT_TRUE(eventually([&] { return member(*source.family, "web").state == "elsewhere"; }));
    auto const stopped = source.family->remove("web");
    ASSERT_FALSE(stopped);
    EXPECT_NE(stopped.error().text.find("--take-back"), std::string::npos) << stopped.error().text;
    ASSERT_TRUE(eventually([&] { return member(*target.family, "web").name == "web"; }));
    auto const stopped_there = target.family->remove("web");
    ASSERT_FALSE(stopped_there) << "its source would wait for it";
    EXPECT_NE(stopped_there.error().text.find("not arrived completely"), std::string::npos) << stopped_there.error().text;
    must(source.family->take_back("web"));
    ASSERT_TRUE(over());
    must(source.family->remove("web"));
}

TEST_F(Moving, AMachineGoesToAndFroAndItsLineageReplays) {
    constexpr unsigned journeys = 8;
    std::array<Host*, 2> const hosts = {&source, &target};
    std::array<Address, 2> const addresses = {must(source.family->listen(must(Address::parse("unix:" + (directory / "home"))))), address};
    for (unsigned i = 0; i < journeys; ++i) {
        Family& from = *hosts[i % 2]->family;
        Family& to = *hosts[(i + 1) % 2]->family;
        must(from.move("web", {.to = addresses[(i + 1) % 2], .kind = MoveKind::migrate}));
        ASSERT_TRUE(eventually([&] { return last_move(from).report.phase == Outgoing::Phase::finished; })) << last_move(from).report.error;
        u64 const at = member(to, "web").position;
        ASSERT_TRUE(eventually([&] { return member(to, "web").position > at; }));
        EXPECT_EQ(member(to, "web").epoch, i + 2U);
    }
    EXPECT_EQ(must(Lineage::open(member(*source.family, "web").log))->logs.size(), journeys + 1U);
    ended(source, "web");
}

void give_a_disk(const Directory& directory, Subject& subject) {
    std::ofstream{directory / "disk.img", std::ios::binary} << std::string(1 << 20, 'd');
    subject.configuration.disks.push_back({.file = directory / "disk.img", .read_only = false, .place = 0, .bytes = 0});
    subject.images = must(read_images(subject.configuration));
}

struct MovingWithADisk : Moving {
    MovingWithADisk() { give_a_disk(directory, subject); }
};

TEST_F(MovingWithADisk, TheImageIsFoundAtTheTargetAndTheRestTravels) {
    move(MoveKind::migrate);
    ASSERT_TRUE(over());
    EXPECT_EQ(last_move(*source.family).report.phase, Outgoing::Phase::finished) << last_move(*source.family).report.error;
    ASSERT_TRUE(complete("web"));
    ended(target, "web");
}

TEST_F(MovingWithADisk, ATargetWithoutTheImageRefuses) {
    std::ofstream{directory / "disk.img", std::ios::binary} << "another one";
    move(MoveKind::fork, "web2");
    ASSERT_TRUE(over());
    EXPECT_EQ(last_move(*source.family).report.phase, Outgoing::Phase::failed);
    EXPECT_NE(last_move(*source.family).report.error.find("this host lacks the machine's disk images: " + (directory / "disk.img")), std::string::npos) << last_move(*source.family).report.error;
    EXPECT_EQ(member(*source.family, "web").name, "web") << "it goes on where it was";
}

TEST_F(Moving, SeveralChildrenGoToSeveralHostsAtOnce) {
    Host third{directory, "third"};
    Address const there = must(third.family->listen(must(Address::parse("tcp:127.0.0.1:0"))));
    move(MoveKind::fork, "a");
    must(source.family->move("web", {.to = there, .name = "b"}));
    move(MoveKind::fork, "c", {.on_write = OnWrite::send});
    ASSERT_TRUE(eventually([&] {
        auto const moves = source.family->moves();
        return std::all_of(moves.begin(), moves.end(), [](const MoveInfo& move) { return move.report.phase == Outgoing::Phase::finished; });
    }));
    ASSERT_TRUE(complete("a"));
    ASSERT_TRUE(complete("c"));
    ended(target, "a");
    ended(target, "c");
    EXPECT_TRUE(eventually([&] { auto const info = member(*third.family, "b"); return info.lacking_pages == 0 && !info.log.empty(); }));
    ended(third, "b");
}

TEST_F(Moving, AMachineComesBackWhileItLacksPages) {
    move(MoveKind::migrate, {}, {.push_bytes_per_s = 0});
    ASSERT_TRUE(eventually([&] { return member(*target.family, "web").position > 0 && !member(*target.family, "web").log.empty(); }));
    EXPECT_EQ(member(*source.family, "web").state, "elsewhere");
    EXPECT_FALSE(source.family->resume("web")) << "only one side may run";
    must(source.family->take_back("web"));
    ASSERT_TRUE(over());
    EXPECT_EQ(last_move(*source.family).report.phase, Outgoing::Phase::taken_back) << last_move(*source.family).report.error;
    EXPECT_TRUE(eventually([&] { return member(*target.family, "web").state == "ended"; }));
    u64 const at = member(*source.family, "web").position;
    EXPECT_TRUE(eventually([&] { return member(*source.family, "web").position > at + 1'000'000; }));
    EXPECT_EQ(member(*source.family, "web").epoch, 3U);
    ended(source, "web");
}

TEST_F(Moving, AMachineGoesThereAndBackAgain) {
    move(MoveKind::migrate);
    ASSERT_TRUE(over());
    ASSERT_TRUE(complete("web"));
    Address const home = must(source.family->listen(must(Address::parse("unix:" + (directory / "home")))));
    must(target.family->move("web", {.to = home, .kind = MoveKind::migrate}));
    ASSERT_TRUE(eventually([&] { return last_move(*target.family).report.phase == Outgoing::Phase::finished; })) << last_move(*target.family).report.error;
    ASSERT_TRUE(eventually([&] { auto const info = member(*source.family, "web"); return info.state == "running" && info.lacking_pages == 0 && !info.log.empty(); }));
    ended(source, "web");
}

TEST_F(Moving, ANameThatIsTakenIsRefused) {
    move(MoveKind::fork, "web2");
    ASSERT_TRUE(over());
    move(MoveKind::fork, "web2");
    ASSERT_TRUE(over());
    MoveInfo const move = last_move(*source.family);
    EXPECT_EQ(move.report.phase, Outgoing::Phase::failed);
    EXPECT_NE(move.report.error.find("already"), std::string::npos) << move.report.error;
}

TEST_F(Moving, NobodyThereIsAnErrorAndTheMachineRunsOn) {
    must(source.family->move("web", {.to = must(Address::parse("unix:" + (directory / "nobody"))), .kind = MoveKind::migrate}));
    ASSERT_TRUE(over());
    EXPECT_NE(last_move(*source.family).report.error.find("ramet receive"), std::string::npos);
    u64 const at = member(*source.family, "web").position;
    EXPECT_TRUE(eventually([&] { return member(*source.family, "web").position > at; }));
}

struct Typing : Moving {
    Typing() { subject = served_subject(directory); }
    void SetUp() override { must(source.boot(subject, "web")); }
};

TEST_F(Typing, InputsOfAChildGoIntoItsLogWhichNamesTheParents) {
    must(must(source.family->console("web"))->type("abc"));
    source.family->wake();
    ASSERT_TRUE(eventually([&] { return must(source.family->console("web"))->read(0, 0).bytes == "abc"; }));
    move(MoveKind::migrate);
    ASSERT_TRUE(over());
    ASSERT_TRUE(complete("web"));
    must(must(target.family->console("web"))->type("de"));
    target.family->wake();
    ASSERT_TRUE(eventually([&] { return must(target.family->console("web"))->read(0, 0).bytes == "de"; }));
    std::string const log = member(*target.family, "web").log;
    EXPECT_EQ(must(Lineage::open(log))->logs.size(), 2U);
    ended(target, "web");
}

TEST_F(Typing, WhatTheMachineHasNotReadGoesWithIt) {
    must(source.family->pause("web"));
    std::string const text(200, 'x');
    ASSERT_TRUE(must(source.family->console("web"))->type(text + "."));
    move(MoveKind::migrate);
    ASSERT_TRUE(over());
    EXPECT_TRUE(eventually([&] { return must(target.family->console("web"))->read(0, 0).bytes == text + "."; }));
    ended(target, "web");
}

TEST_F(Typing, AForkLeavesToTheParentWhatWasTypedThere) {
    must(source.family->pause("web"));
    ASSERT_TRUE(must(source.family->console("web"))->type("mine"));
    move(MoveKind::fork, "web2");
    ASSERT_TRUE(over());
    ASSERT_TRUE(complete("web2"));
    must(source.family->resume("web"));
    EXPECT_TRUE(eventually([&] { return must(source.family->console("web"))->read(0, 0).bytes == "mine"; }));
    EXPECT_EQ(must(target.family->console("web2"))->read(0, 0).bytes, "");
}

TEST_F(Typing, WhatWasNotReadElsewhereComesBackWithTheMachine) {
    must(source.family->pause("web"));
    std::string text;
    for (unsigned i = 0; i < 800; ++i) text += static_cast<char>('a' + i % 16);
    ASSERT_TRUE(must(source.family->console("web"))->type(text));
    move(MoveKind::migrate, {}, {.push_bytes_per_s = 0});
    ASSERT_TRUE(eventually([&] { return member(*target.family, "web").name == "web" && !must(target.family->console("web"))->read(0, 0).bytes.empty(); }));
    must(target.family->pause("web"));  // before it has read all
    must(source.family->take_back("web"));
    ASSERT_TRUE(over());
    EXPECT_EQ(last_move(*source.family).report.phase, Outgoing::Phase::taken_back) << last_move(*source.family).report.error;
    std::string const there = must(target.family->console("web"))->read(0, 0).bytes;
    EXPECT_LT(there.size(), text.size()) << "else nothing was left to come back";
    auto const all_is_read = [&] { return there.size() + must(source.family->console("web"))->read(0, 0).bytes.size() >= text.size(); };
    EXPECT_TRUE(eventually(all_is_read) || eventually(all_is_read)) << "even by a build that is not optimised, on a host that does other things as well";
    EXPECT_EQ(there + must(source.family->console("web"))->read(0, 0).bytes, text) << there.size() << " bytes of it there; " << member(*source.family, "web").detail;
    ended(source, "web");
}

/// Else it would be lost when the machine stays there, and what waits would grow with each time that it comes back.
TEST_F(Typing, NothingIsTakenForAMachineThatIsElsewhere) {
    must(source.family->pause("web"));
    std::string const text(20, 'x');
    auto const at_source = must(source.family->console("web"));
    ASSERT_TRUE(at_source->type(text));
    move(MoveKind::migrate, {}, {.push_bytes_per_s = 0});
    ASSERT_TRUE(eventually([&] { return member(*source.family, "web").state == "elsewhere"; }));
    EXPECT_FALSE(at_source->type("y"));
    must(source.family->take_back("web"));
    ASSERT_TRUE(over());
    EXPECT_TRUE(at_source->type("z"));
    source.family->wake();
    EXPECT_TRUE(eventually([&] { return at_source->read(0, 0).bytes.ends_with("z"); }));
    ended(source, "web");
}

/// Two runs of one configuration begin with the same header, which is what a log is named by.
TEST_F(Typing, LogsOfTwoRunsOfOneMachineAreKeptApart) {
    Host again{directory, "again"};
    must(again.boot(subject, "web"));
    unsigned children = 0;
    for (Host* const host : {&source, &again}) {
        std::string const text = host == &source ? "a" : "bcd", child = "child" + std::to_string(children++);
        must(must(host->family->console("web"))->type(text));
        host->family->wake();
        ASSERT_TRUE(eventually([&] { return must(host->family->console("web"))->read(0, 0).bytes == text; }));
        must(host->family->move("web", {.to = address, .name = child}));
        ASSERT_TRUE(eventually([&] { return last_move(*host->family).report.phase == Outgoing::Phase::finished; }));
        ASSERT_TRUE(complete(child));
    }
    ended(target, "child0");
    ended(target, "child1");
}

/// Between the pieces of the log and the switch the source goes on reading; those entries are the tail that goes with the machine.
TEST_F(Typing, InputsThatTheSourceReadsUpToTheSwitchAreInTheChildsLineage) {
    std::atomic<bool> typing = true;
    std::thread typist{[&] {
        while (typing) {
            if (auto const console = source.family->console("web")) static_cast<void>((*console)->type("k"));
            source.family->wake();
        }
    }};
    for (unsigned i = 0; i < 4; ++i) {
        std::string const name = "child" + std::to_string(i);
        move(MoveKind::fork, name);
        EXPECT_TRUE(over());
        EXPECT_TRUE(complete(name));
        ended(target, name);
    }
    typing = false;
    typist.join();
}

TEST(Follow, RepeatsEveryKindOfInputAndSoDoesTheLog) {
    Directory const directory;
    Subject subject = sweep_subject(directory, 100);
    give_a_disk(directory, subject);
    Machine machine = subject.machine(), other = machine.fork();
    std::vector<Machine> deprived;
    for (unsigned i = 0; i < 5; ++i) deprived.push_back(machine.fork());
    Recorder recorder = must(Recorder::create(directory / "run.rlog", header_of(subject.configuration, subject.images, machine)));
    std::vector<LogEntry> entries;
    recorder.add_tap([&](const LogEntry& entry) { entries.push_back(entry); });
    run(machine, 1000);
    for (const Input& input : {Input{.kind = Input::Kind::serial, .bytes = {'a', 'b'}}, Input{.kind = Input::Kind::memory, .bytes = {1, 2, 3}, .at = GuestPhys{0x210ffe}},
                               Input{.kind = Input::Kind::disk, .bytes = {4, 5}, .at = GuestPhys{1023}}, Input{.kind = Input::Kind::disk_delay, .value = 12345},
                               Input{.kind = Input::Kind::interrupt, .value = 5}}) {
        EXPECT_NE(must(recorder.apply(machine, input)), 0U);
        run(machine, 777);
    }
    EXPECT_EQ(must(recorder.apply(machine, {.kind = Input::Kind::interrupt, .value = 2})), 0U) << "there is no such line";
    EXPECT_EQ(must(recorder.apply(machine, {.kind = Input::Kind::disk, .bytes = {1}, .value = 3})), 0U) << "there is no such disk";
    ASSERT_EQ(entries.size(), 5U) << "what the machine refuses is not logged";
    Moment const last{machine.position(), machine.cycles()};
    must(follow(other, nullptr, entries, last));
    EXPECT_EQ(other.digest(), machine.digest());
    for (std::size_t i = 0; i < entries.size(); ++i) {
        std::vector<LogEntry> others = entries;
        others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
        must(follow(deprived[i], nullptr, others, last));
        EXPECT_NE(deprived[i].digest(), machine.digest()) << "entry " << i << " changes nothing";
    }
    must(recorder.finish(machine, {StopReason::interrupted}));
    EXPECT_EQ(replayed(directory / "run.rlog"), machine.digest());
}

}  // namespace
}  // namespace ramet
