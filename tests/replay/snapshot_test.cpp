#include "replay/snapshot.h"

#include "machines.h"

namespace ramet {
namespace {

void run_to(Machine& machine, u64 position) {
    NullPorts ports;
    machine.run({.position = Position{position}}, ports);
}

void fill(Machine& machine, u64 frame, u64 pages, u8 seed) {
    std::vector<u8> page(page_size);
    Prng random = Prng::seeded(seed);
    for (u64 i = 0; i < pages; ++i) {
        for (u8& byte : page) byte = static_cast<u8>(random.next());
        ASSERT_TRUE(machine.memory().copy_in(address_of(Frame{frame + i}), page));
    }
}

TEST(Snapshot, RestoresTheMachine) {
    Directory const directory;
    Subject const subject = devices_subject();
    Machine machine = subject.machine();
    run_to(machine, 33'333);
    SaveReport const report = must(save_snapshot(machine, subject.header(), directory / "a.rsnap"));
    auto const snapshot = must(Snapshot::open(directory / "a.rsnap"));
    EXPECT_EQ(snapshot->id(), report.id);
    Machine restored = must(restore_machine(snapshot, std::make_shared<PagePool>()));
    EXPECT_EQ(restored.digest(), machine.digest());
    run_to(machine, 66'666);
    run_to(restored, 66'666);
    EXPECT_EQ(restored.digest(), machine.digest());
}

TEST(Snapshot, FetchesOnlyWhatIsTouched) {
    Directory const directory;
    Subject const subject = devices_subject();
    Machine machine = subject.machine();
    fill(machine, 0x200, 300, 1);
    must(save_snapshot(machine, subject.header(), directory / "a.rsnap"));
    Machine restored = must(restore_machine(must(Snapshot::open(directory / "a.rsnap")), std::make_shared<PagePool>()));
    run_to(restored, 1000);
    u64 absent = 0;
    for (u64 i = 0; i < 300; ++i) absent += restored.memory().is_absent(Frame{0x200 + i}) ? 1 : 0;
    EXPECT_EQ(absent, 300U);
}

TEST(Snapshot, SavesAreDeterministic) {
    Directory const directory;
    Subject const subject = devices_subject();
    for (const char* name : {"a", "b"}) {
        Machine machine = subject.machine();
        run_to(machine, 10'000);
        must(save_snapshot(machine, subject.header(), directory / name));
    }
    EXPECT_EQ(file_bytes(directory / "a"), file_bytes(directory / "b"));
}

TEST(Snapshot, WritesOnlyDirtyPagesOnABase) {
    Directory const directory;
    Subject const subject = devices_subject();
    Machine machine = subject.machine();
    fill(machine, 0x200, 400, 1);
    SaveReport const full = must(save_snapshot(machine, subject.header(), directory / "a.rsnap"));
    EXPECT_GE(full.pages_written, 400U);
    Memory const then = machine.memory().fork();
    fill(machine, 0x240, 100, 2);
    auto const base = must(Snapshot::open(directory / "a.rsnap"));
    for (const Memory* known : {&then, static_cast<const Memory*>(nullptr)}) {
        SaveReport const part = must(save_snapshot(machine, subject.header(), directory / "b.rsnap", {base, known}));
        EXPECT_EQ(part.pages_written, 100U);
        EXPECT_LT(part.bytes_written, 100 * page_size + 100'000);
        Machine restored = must(restore_machine(must(Snapshot::open(directory / "b.rsnap")), std::make_shared<PagePool>()));
        EXPECT_EQ(restored.digest(), machine.digest());
    }
}

TEST(Snapshot, AChainReadsEveryPageFromTheFileThatHasIt) {
    Directory const directory;
    Subject const subject = devices_subject();
    Machine machine = subject.machine();
    std::shared_ptr<const Snapshot> base;
    for (unsigned i = 0; i < 6; ++i) {
        fill(machine, 0x200 + 10 * i, 20, static_cast<u8>(i));
        std::string const path = directory / (std::to_string(i) + ".rsnap");
        must(save_snapshot(machine, subject.header(), path, {.snapshot = base}));
        base = must(Snapshot::open(path));
    }
    Machine restored = must(restore_machine(base, std::make_shared<PagePool>()));
    EXPECT_EQ(restored.digest(), machine.digest());
    std::filesystem::remove(directory / "2.rsnap");
    auto const orphan = must(Snapshot::open(directory / "5.rsnap"));
    Machine broken = must(restore_machine(orphan, std::make_shared<PagePool>()));
    broken.digest();
    EXPECT_EQ(broken.memory().trouble(), MemoryTrouble::lost);
}

TEST(Snapshot, CollectKeepsWhatIsNeeded) {
    Directory const directory;
    Subject const subject = devices_subject();
    Machine machine = subject.machine();
    fill(machine, 0x200, 10, 1);
    must(save_snapshot(machine, subject.header(), directory / "base.rsnap"));
    fill(machine, 0x300, 10, 2);
    must(save_snapshot(machine, subject.header(), directory / "keep.rsnap", {.snapshot = must(Snapshot::open(directory / "base.rsnap"))}));
    must(save_snapshot(machine, subject.header(), directory / "other.rsnap"));
    write_file(directory / "dead.rsnap.tmp~", {1, 2, 3});
    write_file(directory / "notes.txt", {1});
    CollectReport const dry = must(collect_snapshots(directory.path(), {directory / "keep.rsnap"}, true));
    EXPECT_EQ(dry.removed.size(), 2U);
    EXPECT_TRUE(std::filesystem::exists(directory / "other.rsnap"));
    must(collect_snapshots(directory.path(), {directory / "keep.rsnap"}, false));
    EXPECT_FALSE(std::filesystem::exists(directory / "other.rsnap"));
    EXPECT_FALSE(std::filesystem::exists(directory / "dead.rsnap.tmp~"));
    EXPECT_TRUE(std::filesystem::exists(directory / "notes.txt"));
    Machine restored = must(restore_machine(must(Snapshot::open(directory / "keep.rsnap")), std::make_shared<PagePool>()));
    EXPECT_EQ(restored.digest(), machine.digest());
}

TEST(Snapshot, AFailedSaveLeavesTheOldFile) {
    Directory const directory;
    Subject const subject = devices_subject();
    Machine machine = subject.machine();
    must(save_snapshot(machine, subject.header(), directory / "a.rsnap"));
    std::vector<u8> const before = file_bytes(directory / "a.rsnap");
    LogHeader foreign = subject.header();
    foreign.identity.lo ^= 1;
    EXPECT_FALSE(save_snapshot(machine, foreign, directory / "a.rsnap"));
    EXPECT_EQ(file_bytes(directory / "a.rsnap"), before);
    EXPECT_FALSE(save_snapshot(machine, subject.header(), directory / "no/such/place"));
}

TEST(Snapshot, NeverTakesAFlippedBitForContent) {
    Directory const directory;
    Subject const subject = devices_subject();
    Machine machine = subject.machine();
    must(save_snapshot(machine, subject.header(), directory / "a.rsnap"));
    std::vector<u8> const good = file_bytes(directory / "a.rsnap");
    u64 const root = load_le<u64>(good.data() + 16);
    Digest const digest = machine.digest();
    NullPorts ports;
    Until const later{.position = machine.position() + 2'000};
    ASSERT_EQ(machine.run(later, ports).reason, StopReason::position);
    Digest const digest_later = machine.digest();
    unsigned lost = 0;
    for (std::size_t at = 0; at < good.size(); at += at < Snapshot::head_bytes || at >= root ? 1 : 61) {
        std::vector<u8> bytes = good;
        bytes[at] ^= 4;
        auto const snapshot = Snapshot::read(must(File::in_memory(bytes, "test.rsnap")));
        ASSERT_TRUE(!snapshot || at >= Snapshot::head_bytes) << at;
        if (!snapshot) {
            EXPECT_NE(snapshot.error().text.find("test.rsnap: offset "), std::string::npos) << snapshot.error().text;
            continue;
        }
        // Another lz4 block may unpack to the same bytes; then nothing is wrong.
        Machine restored = must(restore_machine(*snapshot, subject.pool));
        Digest const found = restored.digest();
        EXPECT_TRUE(restored.memory().trouble() == MemoryTrouble::lost || found == digest) << at;
        Machine running = must(restore_machine(*snapshot, subject.pool));
        RunResult const result = running.run(later, ports);
        if (result.reason == StopReason::lost) {
            EXPECT_NE(result.report.find("test.rsnap: offset "), std::string::npos) << result.report;
            ++lost;
        } else if (running.whole_digest()) {
            EXPECT_EQ(running.digest(), digest_later) << at;
        }
    }
    EXPECT_GT(lost, 0U);
}

TEST(Snapshot, RefusesATruncatedFile) {
    Directory const directory;
    Subject const subject = devices_subject();
    Machine machine = subject.machine();
    must(save_snapshot(machine, subject.header(), directory / "a.rsnap"));
    std::vector<u8> const good = file_bytes(directory / "a.rsnap");
    for (std::size_t size = 0; size < good.size(); size += size < 100 ? 1 : 997)
        EXPECT_FALSE(Snapshot::read(must(File::in_memory(std::span{good}.first(size), "test.rsnap")))) << size;
}

TEST(Snapshot, OfAnotherVersionIsRefused) {
    std::vector<u8> bytes(Snapshot::head_bytes);
    std::copy_n("RametSnp", 8, bytes.begin());
    bytes[8] = 9;
    auto const snapshot = Snapshot::read(must(File::in_memory(bytes, "test.rsnap")));
    ASSERT_FALSE(snapshot);
    EXPECT_EQ(snapshot.error().text, "test.rsnap: offset 8: snapshot version 9; this program reads version 3");
}

}  // namespace
}  // namespace ramet
