#include "lab/trail.h"

#include "guests.h"

namespace ramet {
namespace {

std::shared_ptr<Forest> forest(std::size_t machines_max = 256) {
    auto const root = must(State::power_on(kv_store(), std::make_shared<StateStore>("")));
    return std::make_shared<Forest>(root->after("ready", {{expect(serial("ready\n"), seconds(1))}}), machines_max);
}

std::string walk(Trail& trail, const std::string& line) {
    trail.type(line + "\n");
    EXPECT_TRUE(trail.run_until(serial("\n"), milliseconds(100)));
    return std::string{trail.output()};
}

TEST(Trail, RunsNoKnownStepAgain) {
    auto const trees = forest();
    for (unsigned i = 0; i < 3; ++i) {
        Trail trail = must(Trail::begin(trees));
        EXPECT_EQ(walk(trail, "set a 1"), "ok 1\n");
        EXPECT_EQ(walk(trail, "set b 1"), "ok 2\n");
        EXPECT_EQ(walk(trail, "del a"), "ok 1\n");
    }
    EXPECT_EQ(trees->counts().steps, 9U);
    EXPECT_EQ(trees->counts().steps_run, 3U);
}

TEST(Trail, IsTheMachineThatASessionWouldBe) {
    Trail trail = must(Trail::begin(forest()));
    Session session = ready_store();
    for (const char* const line : {"set a 1", "begin", "del a", "rollback"}) EXPECT_EQ(walk(trail, line), ask(session, line));
    EXPECT_EQ(trail->digest(), session.digest());
}

TEST(Trail, KeepsABoundedNumberOfMachines) {
    auto const trees = forest(4);
    for (unsigned i = 0; i < 50; ++i) {
        Trail trail = must(Trail::begin(trees));
        for (unsigned n = 0; n < 3; ++n) walk(trail, "set a " + std::to_string((i + n) % 10));
    }
    Trail trail = must(Trail::begin(trees));
    EXPECT_EQ(walk(trail, "get a"), "none\n");
    EXPECT_GT(trees->counts().steps_run, 4U);
}

}  // namespace
}  // namespace ramet
