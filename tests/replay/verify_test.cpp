#include "replay/verify.h"

#include "machines.h"
#include "replay/bisect.h"
#include "replay/ladder.h"
#include "replay/log_writer.h"

namespace ramet {
namespace {

TEST(Verify, ComparesEveryDigest) {
    Directory const directory;
    Subject const subject = devices_subject();
    record(subject, directory / "run.rlog", 1, 100'000, 10, {.digest_every = 5000});
    VerifyReport const report = must(verify_log(directory / "run.rlog", {}, 1));
    EXPECT_FALSE(report.divergence);
    EXPECT_GE(report.digests, 20U);
    EXPECT_EQ(report.end.position, Position{100'000});
}

TEST(Verify, ReplaysStretchesBetweenSnapshotsInParallel) {
    Directory const directory;
    Subject const subject = devices_subject();
    record(subject, directory / "run.rlog", 2, 100'000, 10, {.digest_every = 5000, .snapshot_every = 20'000});
    VerifyReport const report = must(verify_log(directory / "run.rlog", {}, 3));
    EXPECT_FALSE(report.divergence) << divergence_text(*report.divergence);
    EXPECT_EQ(report.stretches, 6U);
    EXPECT_GE(report.digests, 20U);
}

TEST(Verify, TwinsStayEqual) {
    Directory const directory;
    Subject const subject = devices_subject();
    record(subject, directory / "run.rlog", 3, 60'000, 20);
    VerifyReport const report = must(verify_twin(directory / "run.rlog", {}, Position{20'000}, 1234));
    EXPECT_FALSE(report.divergence) << divergence_text(*report.divergence);
    EXPECT_GE(report.digests, 30U);
    EXPECT_FALSE(verify_twin(directory / "run.rlog", {}, Position{70'000}, 1000));
}

BisectReport bisect_logs(const std::string& a, const std::string& b, const Subject& subject, u64 stride) {
    return must(bisect(must(Player::open(a, {}, subject.pool)), must(Player::open(b, {}, subject.pool)), Symbols{}, stride));
}

void record_inputs(const Subject& subject, const std::string& path, const std::vector<std::pair<u64, std::string>>& inputs) {
    Machine machine = subject.machine();
    Recorder recorder = must(Recorder::create(path, subject.header()));
    NullPorts ports;
    for (auto const& [at, bytes] : inputs) {
        must(recorder.run(machine, {.position = Position{at}}, ports));
        must(recorder.apply(machine, text(bytes)));
    }
    RunResult const result = must(recorder.run(machine, {.position = Position{50'000}}, ports));
    must(recorder.finish(machine, result));
}

TEST(Bisect, FindsTheFirstPositionWhereInputsDiffer) {
    Directory const directory;
    Subject const subject = devices_subject();
    record_inputs(subject, directory / "a", {{100, "same"}, {23'456, "a"}, {40'000, "x"}});
    record_inputs(subject, directory / "b", {{100, "same"}, {23'456, "b"}, {40'000, "x"}});
    for (u64 const stride : {u64{1000}, u64{7777}, u64{1} << 20}) {
        BisectReport const report = bisect_logs(directory / "a", directory / "b", subject, stride);
        EXPECT_FALSE(report.equal);
        EXPECT_EQ(report.last_equal, Position{23'456});
        EXPECT_EQ(report.first_different, Position{23'457});
        ASSERT_FALSE(report.state.empty());
        EXPECT_NE(bisect_text(report).find("board.com1.input"), std::string::npos) << bisect_text(report);
        EXPECT_NE(report.reason.find("serial input 61"), std::string::npos) << report.reason;
    }
}

TEST(Bisect, NamesBlocksOfDisks) {
    Directory const directory;
    write_file(directory / "disk.img", std::vector<u8>(20'000, 0));
    Subject subject = devices_subject();
    subject.configuration.disks.push_back({.file = directory / "disk.img", .read_only = false, .place = 1, .bytes = 0});
    subject.images = must(read_images(subject.configuration));
    for (u8 const value : {u8{1}, u8{2}}) {
        Machine machine = subject.machine();
        NullPorts ports;
        machine.run({.position = Position{1000}}, ports);
        Input const input{.kind = Input::Kind::disk, .bytes = {7, value}, .at = GuestPhys{9000}, .value = 1};
        ASSERT_EQ(machine.apply(input), 2U);
        std::vector<LogEntry> entries = {LogEntry::of({machine.position(), machine.cycles()}, input)};
        machine.run({.position = Position{5000}}, ports);
        entries.push_back({.kind = LogEntry::Kind::end, .at = {machine.position(), machine.cycles()}, .digest = machine.digest()});
        must(write_log(directory / std::to_string(value), subject.header(), entries));
    }
    std::string const report = bisect_text(bisect_logs(directory / "1", directory / "2", subject, 100));
    EXPECT_NE(report.find("disk 1 block 2, offset 9001, 1 bytes, as toggled in the image: a 01, b 02\n"), std::string::npos) << report;
}

TEST(Bisect, FindsEqualRunsEqual) {
    Directory const directory;
    Subject const subject = devices_subject();
    record_inputs(subject, directory / "a", {{100, "same"}});
    record_inputs(subject, directory / "b", {{100, "same"}});
    EXPECT_TRUE(bisect_logs(directory / "a", directory / "b", subject, 1000).equal);
}

TEST(Ladder, GoesToAnyPositionAndBack) {
    Directory const directory;
    Subject const subject = devices_subject();
    record(subject, directory / "run.rlog", 5, 100'000, 30);
    std::map<u64, Digest> expected;
    NullPorts ports;
    Player straight = must(Player::open(directory / "run.rlog", {}, subject.pool));
    Prng random = Prng::seeded(1);
    std::vector<u64> places;
    for (unsigned i = 0; i < 40; ++i) places.push_back(random.below(100'000));
    for (u64 const place : places) expected[place];
    for (auto& [place, digest] : expected) {
        ASSERT_EQ(must(straight.run_to(Position{place}, ports)).kind, Progress::Kind::reached);
        digest = straight.machine().digest();
    }
    Traveller traveller{must(Player::open(directory / "run.rlog", {}, subject.pool)), 1000, {.rungs = 8}};
    for (u64 const place : places) {
        ASSERT_EQ(must(traveller.seek(Position{place}, ports)).kind, Progress::Kind::reached);
        EXPECT_EQ(traveller.player().position(), Position{place});
        EXPECT_EQ(traveller.player().machine().digest(), expected[place]) << place;
        EXPECT_LE(traveller.ladder().positions().size(), 8U);
    }
}

TEST(Ladder, ThinsOutWithAgeAndKeepsTheFirstRung) {
    Directory const directory;
    Subject const subject = devices_subject();
    record(subject, directory / "run.rlog", 6, 100'000, 3);
    NullPorts ports;
    Traveller traveller{must(Player::open(directory / "run.rlog", {}, subject.pool)), 1000, {.rungs = 10}};
    must(traveller.seek(Position{99'999}, ports));
    std::vector<Position> const rungs = traveller.ladder().positions();
    EXPECT_EQ(rungs.size(), 10U);
    EXPECT_EQ(rungs.front(), Position{0});
    EXPECT_EQ(rungs.back(), Position{99'000});
    EXPECT_LT(rungs[9] - rungs[8], rungs[2] - rungs[1]);
}

TEST(Ladder, KeepsItsMemoryLimit) {
    Directory const directory;
    Subject const subject = devices_subject();
    record(subject, directory / "run.rlog", 7, 100'000, 3);
    NullPorts ports;
    Traveller traveller{must(Player::open(directory / "run.rlog", {}, subject.pool)), 500, {.rungs = 1000, .bytes = 40 * page_size}};
    must(traveller.seek(Position{99'999}, ports));
    EXPECT_LE(traveller.ladder().bytes(), 40 * page_size);
    EXPECT_GT(traveller.ladder().positions().size(), 2U);
}

}  // namespace
}  // namespace ramet
