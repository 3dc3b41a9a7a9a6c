// Snapshots: any bytes are a snapshot or an error. The root is wrapped in a head that is in order, so that hashes do not keep the parser from
// being reached; a machine that comes out of it runs a little, on whatever state it says it has.
#include "replay/snapshot.h"

#include "../replay/roots.h"
#include "replay/player.h"
#include "targets.h"

namespace ramet::fuzz {

namespace {

void read_snapshot(std::span<const u8> file_bytes, std::span<const u8> input) {
    auto file = File::in_memory(file_bytes, "fuzz.rsnap");
    require(static_cast<bool>(file), "a file in memory", input);
    auto const snapshot = Snapshot::read(*std::move(file));
    if (!snapshot) return require(!snapshot.error().text.empty(), "an error says what is wrong", input);
    auto machine = restore_machine(*snapshot, std::make_shared<PagePool>());
    if (!machine) return require(!machine.error().text.empty(), "an error says what is wrong", input);
    NullPorts ports;
    machine->run({.position = machine->position() + 100}, ports);
}

}  // namespace

void snapshot_target(std::span<const u8> bytes) { read_snapshot(bytes, bytes); }

void snapshot_root_target(std::span<const u8> bytes) {
    if (bytes.size() > Snapshot::root_bytes_max) return;
    read_snapshot(snapshot_around(bytes), bytes);
}

}  // namespace ramet::fuzz
