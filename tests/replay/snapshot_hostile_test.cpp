// Snapshots that somebody made by hand: every state that the reader lets through is one that a machine can run from, however absurd.
#include "cow/codec.h"
#include "machines.h"
#include "roots.h"

namespace ramet {
namespace {

std::vector<u8> root_of(const std::vector<u8>& file) {
    u64 const offset = load_le<u64>(file.data() + 16);
    std::vector<u8> root(load_le<u32>(file.data() + 36));
    EXPECT_TRUE(decompress(std::span{file}.subspan(static_cast<std::size_t>(offset)), root));
    return root;
}

std::vector<u8> valid_root(const Directory& directory) {
    Subject const subject = devices_subject();
    Machine machine = subject.machine();
    NullPorts ports;
    machine.run({.position = Position{20'000}}, ports);
    must(save_snapshot(machine, subject.header(), directory / "a.rsnap"));
    return root_of(file_bytes(directory / "a.rsnap"));
}

TEST(HostileSnapshot, IsAnErrorOrAMachineThatRuns) {
    Directory const directory;
    std::vector<u8> const good = valid_root(directory);
    Prng random = Prng::seeded(7);
    unsigned accepted = 0;
    for (unsigned i = 0; i < 3000; ++i) {
        std::vector<u8> root = good;
        for (u64 n = random.below(4) + 1; n != 0; --n) root[random.below(random.below(3) == 0 ? root.size() : 1500)] = static_cast<u8>(random.next());
        auto const snapshot = Snapshot::read(must(File::in_memory(snapshot_around(root), directory / "hostile.rsnap")));
        if (!snapshot) continue;
        ++accepted;
        Machine machine = must(restore_machine(*snapshot, std::make_shared<PagePool>()));
        NullPorts ports;
        machine.run({.position = machine.position() + 300, .cycles = machine.cycles() + 100'000}, ports);
    }
    EXPECT_GT(accepted, 100U);
}

TEST(HostileSnapshot, CutShortIsAnError) {
    Directory const directory;
    std::vector<u8> const good = valid_root(directory);
    for (std::size_t size = 0; size < good.size(); size += 1 + size / 50)
        EXPECT_FALSE(Snapshot::read(must(File::in_memory(snapshot_around(std::span{good}.first(size)), "short.rsnap")))) << size;
}

}  // namespace
}  // namespace ramet
