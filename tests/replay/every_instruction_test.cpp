// Save and restore at every instruction equals the straight run: the proof that no state is forgotten.
#include "base/state.h"
#include "machines.h"
#include "replay/snapshot.h"

namespace ramet {
namespace {

constexpr u64 length = 100'000;

/// Feeds the same input at the same Positions, whoever runs.
void feed(Machine& machine) {
    if (machine.position().value % 997 == 0) machine.apply(text("k"));
}

/// The state through its bytes, as every saved form carries it.
MachineState through_bytes(const MachineState& state) {
    MachineState made;
    std::vector<u8> const bytes = state_bytes(state);
    EXPECT_EQ(must(read_state(bytes, made)), bytes.size());
    return made;
}

Machine straight_run(const Subject& subject, std::string& serial) {
    Machine machine = subject.machine();
    BufferPorts ports;
    for (u64 at = 997; machine.position() < Position{length}; at += 997) {
        u64 const to = std::min(at, length);
        EXPECT_EQ(machine.run({.position = Position{to}}, ports).reason, StopReason::position);
        if (machine.position() != Position{to}) break;
        feed(machine);
    }
    serial = ports.serial;
    return machine;
}

TEST(EveryInstruction, DroppedAndRestoredEqualsTheStraightRun) {
    Subject const subject = devices_subject();
    std::string expected;
    Digest const digest = straight_run(subject, expected).digest();
    auto machine = std::make_unique<Machine>(subject.machine());
    BufferPorts ports;
    for (u64 at = 1; at <= length; ++at) {
        Memory kept = machine->memory().fork();
        MachineState const state = through_bytes(machine->state());
        machine = std::make_unique<Machine>(Machine::restore(state, std::move(kept)));
        machine->run({.position = Position{at}}, ports);
        feed(*machine);
    }
    EXPECT_EQ(machine->digest(), digest);
    EXPECT_EQ(ports.serial, expected);
    EXPECT_GT(expected.size(), 30U);
}

TEST(EveryInstruction, ThroughFilesEqualsTheStraightRun) {
    Directory const directory;
    Subject const subject = devices_subject();
    std::string expected;
    Digest const digest = straight_run(subject, expected).digest();
    auto machine = std::make_unique<Machine>(subject.machine());
    BufferPorts ports;
    LogHeader const header = subject.header();
    std::shared_ptr<const Snapshot> before;
    for (u64 at = 997; machine->position() < Position{length}; at += 997) {
        std::string const path = directory / (std::to_string(at) + ".rsnap");
        must(save_snapshot(*machine, header, path, {.snapshot = before}));
        before = must(Snapshot::open(path));
        machine = std::make_unique<Machine>(must(restore_machine(before, std::make_shared<PagePool>())));
        machine->run({.position = Position{std::min(at, length)}}, ports);
        feed(*machine);
    }
    EXPECT_EQ(machine->digest(), digest);
    EXPECT_EQ(ports.serial, expected);
}

}  // namespace
}  // namespace ramet
