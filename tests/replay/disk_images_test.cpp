// Snapshots and logs of machines with disks: what was changed on them travels, and the images are named by content.
#include <fstream>

#include "machines.h"
#include "replay/log_writer.h"
#include "replay/player.h"
#include "replay/snapshot.h"

namespace ramet {
namespace {

void write_image(const std::string& path, char fill) {
    std::ofstream file{path, std::ios::binary};
    file << std::string(100'000, fill);
}

Subject disk_subject(const Directory& directory) {
    write_image(directory / "disk.img", 'a');
    Subject subject = devices_subject();
    subject.configuration.disks.push_back({.file = directory / "disk.img", .read_only = false, .place = 1, .bytes = 0});
    subject.images = must(read_images(subject.configuration));
    return subject;
}

Input disk_input(std::vector<u8> bytes, u64 at) { return {.kind = Input::Kind::disk, .bytes = std::move(bytes), .at = GuestPhys{at}, .value = 1}; }

TEST(DiskImages, ASnapshotHasWhatWasChanged) {
    Directory const directory;
    Subject const subject = disk_subject(directory);
    Machine machine = subject.machine();
    ASSERT_EQ(machine.apply(disk_input({1, 2, 3}, 99'000)), 3U);
    must(save_snapshot(machine, subject.header(), directory / "a.rsnap"));
    Machine restored = must(restore_machine(must(Snapshot::open(directory / "a.rsnap")), std::make_shared<PagePool>()));
    EXPECT_EQ(restored.digest(), machine.digest());
    std::vector<u8> sector(512);
    must(restored.read_disk(1, 99'000 / 512, sector));
    EXPECT_EQ(sector[99'000 % 512], 1);
    EXPECT_EQ(sector[99'000 % 512 + 3], 'a');
    SaveReport const again = must(save_snapshot(restored, subject.header(), directory / "b.rsnap", {.snapshot = must(Snapshot::open(directory / "a.rsnap"))}));
    EXPECT_EQ(again.pages_written, 0U);
}

TEST(DiskImages, ASnapshotWantsTheVeryImage) {
    Directory const directory;
    Subject const subject = disk_subject(directory);
    Machine machine = subject.machine();
    must(save_snapshot(machine, subject.header(), directory / "a.rsnap"));
    auto const snapshot = must(Snapshot::open(directory / "a.rsnap"));
    std::filesystem::rename(directory / "disk.img", directory / "moved.img");
    auto const gone = restore_machine(snapshot, std::make_shared<PagePool>());
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().text, (directory / "a.rsnap") + ": " + (directory / "disk.img") + ": cannot read the disk image: No such file or directory");
    ImagePaths paths;
    paths.disks = {"", directory / "moved.img"};
    EXPECT_TRUE(restore_machine(snapshot, std::make_shared<PagePool>(), paths));
    write_image(directory / "disk.img", 'b');
    auto const other = restore_machine(snapshot, std::make_shared<PagePool>());
    ASSERT_FALSE(other);
    EXPECT_NE(other.error().text.find("made with the disk " + (directory / "disk.img") + " of SHA-256 "), std::string::npos) << other.error().text;
}

TEST(DiskImages, ALogWithInputsOfDisksReplays) {
    Directory const directory;
    Subject const subject = disk_subject(directory);
    Machine machine = subject.machine();
    std::vector<LogEntry> entries;
    BufferPorts ports;
    for (const Input& input : {disk_input({7, 8}, 511), Input{.kind = Input::Kind::disk_delay, .value = 5}, Input{.kind = Input::Kind::interrupt, .value = 4}}) {
        machine.run({.position = machine.position() + 1000}, ports);
        ASSERT_NE(machine.apply(input), 0U);
        entries.push_back(LogEntry::of({machine.position(), machine.cycles()}, input));
        EXPECT_EQ(LogEntry::of({}, entries.back().input()), LogEntry::of({}, input));
    }
    machine.run({.position = machine.position() + 1000}, ports);
    entries.push_back({.kind = LogEntry::Kind::end, .at = {machine.position(), machine.cycles()}, .digest = machine.digest()});
    must(write_log(directory / "run.rlog", subject.header(), entries));
    Player player = must(Player::open(directory / "run.rlog", {}, std::make_shared<PagePool>()));
    Progress const progress = must(player.run_to_end(ports));
    EXPECT_EQ(progress.kind, Progress::Kind::ended) << (progress.divergence ? divergence_text(*progress.divergence) : "");
    std::vector<u8> sectors(1024);
    must(player.machine().read_disk(1, 0, sectors));
    EXPECT_EQ(sectors[511], 7);
    EXPECT_EQ(sectors[512], 8);
    write_image(directory / "disk.img", 'b');
    EXPECT_FALSE(Player::open(directory / "run.rlog", {}, std::make_shared<PagePool>()));
}

}  // namespace
}  // namespace ramet
