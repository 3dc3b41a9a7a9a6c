// What must never change by accident: digests of every guest at some Positions, and the schema of the saved state. The same in every build,
// whatever the compiler.
#include "../golden/golden.h"
#include "base/state.h"
#include "guest_run.h"

namespace ramet {
namespace {

constexpr unsigned digests_per_guest = 3;  // and one at its end

TEST(Golden, DigestsOfGuests) {
    std::string text = "# guest, Position, digest of the machine there\n";
    for (const std::string& name : guest_names()) {
        Guest const guest = read_guest(name);
        auto machine = guest.machine();
        u64 const end = follow(guest, machine, {}, {}).end;
        machine = guest.machine();
        for (auto const& [at, digest] : follow(guest, machine, checkpoints_below(end, digests_per_guest), {}).digests)
            text += name + " " + std::to_string(at) + " " + digest.hex() + "\n";
    }
    expect_golden(RAMET_GOLDEN "/digests.txt", text);
}

TEST(Golden, SchemaOfSavedState) { expect_golden(RAMET_GOLDEN "/schema.txt", state_schema<MachineState>()); }

}  // namespace
}  // namespace ramet
