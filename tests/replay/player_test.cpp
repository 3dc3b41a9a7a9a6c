#include "replay/player.h"

#include "machines.h"

namespace ramet {
namespace {

TEST(Player, RepeatsARecordedRun) {
    Directory const directory;
    Subject const subject = devices_subject();
    Digest const recorded = record(subject, directory / "run.rlog", 1, 150'000, 20, {.digest_every = 10'000});
    Player player = must(Player::open(directory / "run.rlog", {}, subject.pool));
    BufferPorts ports;
    Progress const progress = must(player.run_to_end(ports));
    ASSERT_EQ(progress.kind, Progress::Kind::ended) << divergence_text(progress.divergence.value_or(Divergence{}));
    EXPECT_EQ(player.machine().digest(), recorded);
    EXPECT_GE(player.digests_compared(), 10U);
    EXPECT_FALSE(ports.serial.empty());
}

TEST(Player, StopsOnArrivalAndForks) {
    Directory const directory;
    Subject const subject = devices_subject();
    Digest const recorded = record(subject, directory / "run.rlog", 2, 50'000, 9);
    Player player = must(Player::open(directory / "run.rlog", {}, subject.pool));
    NullPorts ports;
    EXPECT_EQ(must(player.run_to(Position{12'345}, ports)).kind, Progress::Kind::reached);
    EXPECT_EQ(player.position(), Position{12'345});
    Player child = player.fork();
    EXPECT_EQ(must(player.run_to_end(ports)).kind, Progress::Kind::ended);
    EXPECT_EQ(must(child.run_to_end(ports)).kind, Progress::Kind::ended);
    EXPECT_EQ(player.machine().digest(), recorded);
    EXPECT_EQ(child.machine().digest(), recorded);
}

TEST(Player, SaysWhereARunDoesNotRepeat) {
    Directory const directory;
    Subject const subject = devices_subject();
    record(subject, directory / "run.rlog", 3, 50'000, 5, {.digest_every = 10'000});
    Player player = must(Player::open(directory / "run.rlog", {}, subject.pool));
    NullPorts ports;
    must(player.run_to(Position{25'000}, ports));
    u8 const byte = 1;
    ASSERT_TRUE(player.machine().memory().copy_in(GuestPhys{0x200000}, {&byte, 1}));
    Progress const progress = must(player.run_to_end(ports));
    ASSERT_EQ(progress.kind, Progress::Kind::diverged);
    EXPECT_EQ(progress.divergence->at.position, Position{30'000});
    EXPECT_EQ(progress.divergence->what, "the machine's digest");
}

TEST(Player, RefusesAnotherImageWithBothHashes) {
    Directory const directory;
    Subject const subject = echo_subject(directory);
    record(subject, directory / "run.rlog", 4, 10'000, 3);
    std::string const before = sha256_of(file_bytes(directory / "echo")).hex();
    std::vector<u8> other = file_bytes(directory / "echo");
    other.back() ^= 1;
    write_file(directory / "echo", other);
    auto const player = Player::open(directory / "run.rlog", {}, subject.pool);
    ASSERT_FALSE(player);
    EXPECT_NE(player.error().text.find(before), std::string::npos) << player.error().text;
    EXPECT_NE(player.error().text.find(sha256_of(other).hex()), std::string::npos) << player.error().text;
}

TEST(Player, FindsAnImageThatHasMoved) {
    Directory const directory;
    Subject const subject = echo_subject(directory);
    record(subject, directory / "run.rlog", 5, 10'000, 3);
    std::filesystem::rename(directory / "echo", directory / "moved");
    EXPECT_FALSE(Player::open(directory / "run.rlog", {}, subject.pool));
    EXPECT_TRUE(Player::open(directory / "run.rlog", {.kernel = directory / "moved"}, subject.pool));
}

TEST(Player, RepeatsInputsOfAGuestThatWaits) {
    Directory const directory;
    Subject const subject = devices_subject();
    Digest recorded;
    {
        Machine machine = subject.machine();
        Recorder recorder = must(Recorder::create(directory / "run.rlog", subject.header()));
        BufferPorts ports;
        RunResult result = must(recorder.run(machine, {.position = Position{200'000}}, ports));
        EXPECT_EQ(result.reason, StopReason::exit);
        for (u64 i = 1; i < 20; ++i) {  // at one Position, cycles go on
            result = must(recorder.run(machine, {.cycles = machine.cycles() + 77'777}, ports));
            must(recorder.apply(machine, text("x")));
        }
        must(recorder.finish(machine, result));
        recorded = machine.digest();
    }
    Player player = must(Player::open(directory / "run.rlog", {}, subject.pool));
    NullPorts ports;
    Progress const progress = must(player.run_to_end(ports));
    EXPECT_EQ(progress.kind, Progress::Kind::ended) << divergence_text(progress.divergence.value_or(Divergence{}));
    EXPECT_EQ(player.machine().digest(), recorded);
}

}  // namespace
}  // namespace ramet
