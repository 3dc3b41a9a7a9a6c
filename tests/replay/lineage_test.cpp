#include "replay/lineage.h"

#include "machines.h"
#include "replay/log_writer.h"
#include "replay/player.h"
#include "replay/snapshot.h"

namespace ramet {
namespace {

/// Records a parent, a child forked from it and a grandchild, which all get inputs of their own at one moment: the digest of each.
struct Family {
    std::vector<Digest> digests;
    explicit Family(const Subject& subject, const Directory& directory) {
        BufferPorts ports;
        Machine parent = subject.machine();
        Recorder recorder = must(Recorder::create(directory / "parent.rlog", subject.header()));
        must(recorder.run(parent, {.position = Position{10'000}}, ports));
        must(recorder.apply(parent, text("a")));
        Machine child = parent.fork();
        Recorder childs = must(Recorder::create(directory / "child.rlog", must(recorder.fork_header(child, directory / "child.rlog"))));
        must(recorder.apply(parent, text("p")));
        must(childs.apply(child, text("c")));
        finish(recorder, parent, 40'000);
        must(childs.run(child, {.position = Position{20'000}}, ports));
        Machine grandchild = child.fork();
        Recorder grand = must(Recorder::create(directory / "grand.rlog", must(childs.fork_header(grandchild, directory / "grand.rlog"))));
        must(grand.apply(grandchild, text("gg")));
        finish(childs, child, 40'000);
        finish(grand, grandchild, 40'000);
    }
    void finish(Recorder& recorder, Machine& machine, u64 to) {
        BufferPorts ports;
        RunResult const result = must(recorder.run(machine, {.position = Position{to}}, ports));
        must(recorder.finish(machine, result));
        digests.push_back(machine.digest());
    }
};

Digest replayed(const std::string& path, const ImagePaths& images = {}) {
    Player player = must(Player::open(path, images, std::make_shared<PagePool>()));
    NullPorts ports;
    Progress const progress = must(player.run_to_end(ports));
    EXPECT_EQ(progress.kind, Progress::Kind::ended) << divergence_text(progress.divergence.value_or(Divergence{}));
    return player.machine().digest();
}

TEST(Lineage, AnyLeafOfAForkTreeReplaysFromBoot) {
    Directory const directory;
    Subject const subject = devices_subject();
    Family const family{subject, directory};
    EXPECT_EQ(replayed(directory / "parent.rlog"), family.digests[0]);
    EXPECT_EQ(replayed(directory / "child.rlog"), family.digests[1]);
    EXPECT_EQ(replayed(directory / "grand.rlog"), family.digests[2]);
    EXPECT_NE(family.digests[0], family.digests[1]);
}

TEST(Lineage, ASetOfLogsMayMove) {
    Directory const directory;
    Subject const subject = devices_subject();
    std::string const old_place = directory / "old";
    std::filesystem::create_directories(old_place);
    Digest recorded;
    {
        Machine parent = subject.machine();
        Recorder recorder = must(Recorder::create(old_place + "/parent.rlog", subject.header()));
        must(recorder.apply(parent, text("a")));
        Machine child = parent.fork();
        Recorder childs = must(Recorder::create(old_place + "/child.rlog", must(recorder.fork_header(child, old_place + "/child.rlog"))));
        must(childs.finish(child, RunResult{}));
        recorded = child.digest();
    }
    std::filesystem::rename(old_place, directory / "new");
    EXPECT_EQ(replayed(directory / "new/child.rlog"), recorded);
}

TEST(Lineage, RefusesAnotherParentWithBothNames) {
    Directory const directory;
    Subject const subject = devices_subject();
    Family const family{subject, directory};
    std::string const expected = must(InputLog::open(directory / "parent.rlog"))->name().hex();
    Subject const other = echo_subject(directory);
    record(other, directory / "parent.rlog", 1, 1000, 1);
    auto const lineage = Lineage::open(directory / "child.rlog");
    ASSERT_FALSE(lineage);
    EXPECT_NE(lineage.error().text.find(expected), std::string::npos) << lineage.error().text;
    EXPECT_NE(lineage.error().text.find(must(InputLog::open(directory / "parent.rlog"))->name().hex()), std::string::npos);
}

std::vector<u8> bytes_of(const std::string& path) {
    File const file = must(File::open(path));
    return must(file.read(0, must(file.size())));
}

std::vector<CarriedLog> carried(std::initializer_list<std::string> paths) {
    std::vector<CarriedLog> logs;
    for (const std::string& path : paths) logs.push_back({must(InputLog::open(path))->name(), bytes_of(path)});
    return logs;
}

TEST(CarriedLogs, AreKeptWithTheirAncestorsAndReplay) {
    Directory const directory;
    std::string const other = directory / "other";
    std::filesystem::create_directory(other);
    Family const family{devices_subject(), directory};
    std::string const kept = must(keep_logs(other, carried({directory / "parent.rlog", directory / "child.rlog", directory / "grand.rlog"})));
    std::filesystem::remove(directory / "parent.rlog");  // which the child's names
    EXPECT_EQ(replayed(other + "/" + kept), family.digests[2]);
}

TEST(CarriedLogs, OfOneNameAreKeptApart) {
    Directory const directory;
    std::string const other = directory / "other";
    std::filesystem::create_directory(other);
    Family const family{devices_subject(), directory};
    std::vector<CarriedLog> shorter = carried({directory / "parent.rlog"});
    LogHeader const header = must(InputLog::open(directory / "parent.rlog"))->header();
    shorter[0].bytes = log_bytes(header, {});
    ASSERT_EQ(must(InputLog::read(must(File::in_memory(shorter[0].bytes, "shorter"))))->name(), shorter[0].name);
    std::string const longer_kept = must(keep_logs(other, carried({directory / "parent.rlog", directory / "child.rlog"})));
    std::string const shorter_kept = must(keep_logs(other, shorter));
    EXPECT_EQ(bytes_of(other + "/" + shorter_kept), shorter[0].bytes);
    EXPECT_EQ(replayed(other + "/" + longer_kept), family.digests[1]);
}

TEST(CarriedLogs, AreKeptOnce) {
    Directory const directory;
    std::string const other = directory / "other";
    std::filesystem::create_directory(other);
    Family const family{devices_subject(), directory};
    auto const logs = carried({directory / "parent.rlog"});
    EXPECT_EQ(must(keep_logs(other, logs)), must(keep_logs(other, logs)));
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(other)) files += entry.is_regular_file();
    EXPECT_EQ(files, 1U);
}

TEST(CarriedLogs, OfAnotherNameThanIsSaidAreRefused) {
    Directory const directory;
    std::string const other = directory / "other";
    std::filesystem::create_directory(other);
    Family const family{devices_subject(), directory};
    auto logs = carried({directory / "parent.rlog"});
    logs[0].name.lo ^= 1;
    auto const kept = keep_logs(other, logs);
    ASSERT_FALSE(kept);
    EXPECT_NE(kept.error().text.find(logs[0].name.hex()), std::string::npos) << kept.error().text;
    EXPECT_TRUE(std::filesystem::is_empty(other));
}

TEST(Lineage, ALogMayBeginAtASnapshot) {
    Directory const directory;
    Subject const subject = devices_subject();
    Machine machine = subject.machine();
    NullPorts ports;
    machine.run({.position = Position{5000}}, ports);
    must(save_snapshot(machine, subject.header(), directory / "at.rsnap"));
    auto const snapshot = must(Snapshot::open(directory / "at.rsnap"));
    Machine restored = must(restore_machine(snapshot, std::make_shared<PagePool>()));
    LogHeader header = snapshot->header();
    header.origin = snapshot_origin(*snapshot, restored, directory / "run.rlog");
    Digest recorded;
    {
        Recorder recorder = must(Recorder::create(directory / "run.rlog", header));
        must(recorder.apply(restored, text("hello")));
        RunResult const result = must(recorder.run(restored, {.position = Position{30'000}}, ports));
        must(recorder.finish(restored, result));
        recorded = restored.digest();
    }
    EXPECT_EQ(replayed(directory / "run.rlog"), recorded);
    std::filesystem::rename(directory / "at.rsnap", directory / "moved.rsnap");
    EXPECT_FALSE(Player::open(directory / "run.rlog", {}, std::make_shared<PagePool>()));
    EXPECT_EQ(replayed(directory / "run.rlog", {.snapshot = directory / "moved.rsnap"}), recorded);
}

}  // namespace
}  // namespace ramet
