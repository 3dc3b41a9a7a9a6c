#include "lab/bundle.h"

#include "guests.h"
#include "replay/player.h"

namespace ramet {
namespace {

struct Found {
    std::string path;
    Digest digest;
    Position position;
};

/// A failing run of a child of a kept state, as a bundle.
Found failing_run(const Directory& directory) {
    auto const root = must(State::power_on(kv_store(), std::make_shared<StateStore>(directory / "states")));
    auto const ready = root->after("ready", {{expect(serial("ready\n"), seconds(1))}});
    must(ready->fork());
    Session child = must(ready->fork());
    for (const char* const line : {"set a 1", "begin", "del a", "rollback"}) ask(child, line);
    must(write_bundle(directory / "failure.ramet", child, "a is lost"));
    return {directory / "failure.ramet", child.digest(), child.position()};
}

TEST(Bundle, ReplaysFromPowerOn) {
    Directory const directory;
    Found const found = failing_run(directory);
    Player player = must(Player::open(found.path, {}, std::make_shared<PagePool>()));
    BufferPorts ports;
    Progress const progress = must(player.run_to_end(ports));
    EXPECT_EQ(progress.kind, Progress::Kind::ended) << (progress.divergence ? divergence_text(*progress.divergence) : "");
    EXPECT_EQ(player.machine().digest(), found.digest);
    EXPECT_EQ(player.position(), found.position);
    EXPECT_EQ(ports.serial, "ready\nok 1\nok 1\nok 0\nok 0\n");
}

TEST(Bundle, ReplaysAThousandTimesFromItsSnapshot) {
    Directory const directory;
    Found const found = failing_run(directory);
    for (unsigned i = 0; i < 1000; ++i) {
        Player player = must(Player::open_late(found.path, {}, std::make_shared<PagePool>()));
        EXPECT_GT(player.position(), Position{});
        NullPorts ports;
        ASSERT_EQ(must(player.run_to_end(ports)).kind, Progress::Kind::ended);
        ASSERT_EQ(player.machine().digest(), found.digest);
    }
}

TEST(Bundle, ReplaysWithoutTheStatesItWasMadeWith) {
    Directory const directory;
    Found const found = failing_run(directory);
    std::filesystem::remove_all(directory / "states");
    Player player = must(Player::open_late(found.path, {}, std::make_shared<PagePool>()));
    EXPECT_EQ(player.position(), Position{});
    NullPorts ports;
    EXPECT_EQ(must(player.run_to_end(ports)).kind, Progress::Kind::ended);
    EXPECT_EQ(player.machine().digest(), found.digest);
}

TEST(Bundle, OfASessionThatIsGoneIsTheSame) {
    Directory const directory;
    auto const state = must(State::power_on(kv_store(), std::make_shared<StateStore>("")))->after("ready", {{expect(serial("ready\n"), seconds(1))}});
    auto const witness = std::make_shared<Witness>();
    {
        Session child = must(state->fork());
        child.set_witness(witness);
        ask(child, "set a 1");
        child.run(instructions(77));
        must(write_bundle(directory / "live.ramet", child, "what"));
    }
    must(write_bundle(directory / "gone.ramet", must(state->fork()), *witness->last, "what"));
    EXPECT_EQ(file_bytes(directory / "live.ramet"), file_bytes(directory / "gone.ramet"));
}

TEST(Bundle, NamesFilesPlainly) {
    EXPECT_EQ(file_name_of("kv/four commands: (a)"), "kv-four-commands-a");
    EXPECT_EQ(file_name_of("../x"), "case..-x");
    EXPECT_EQ(file_name_of("///"), "case");
}

}  // namespace
}  // namespace ramet
