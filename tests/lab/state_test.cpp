#include "lab/state.h"

#include <thread>

#include "guests.h"
#include "lab/bundle.h"
#include "replay/player.h"

namespace ramet {
namespace {

std::vector<Script> ready() { return {{expect(serial("ready\n"), seconds(1))}}; }

TEST(State, IsFoundOnDiskByTheNextProcess) {
    Directory const directory;
    auto const make = [&] { return must(State::power_on(kv_store(), std::make_shared<StateStore>(directory / "states")))->after("ready", ready()); };
    auto const first = make(), second = make();
    Session a = must(first->fork()), b = must(second->fork());
    EXPECT_FALSE(first->restored());
    EXPECT_TRUE(second->restored());
    EXPECT_EQ(first->problem(), "");
    EXPECT_EQ(a.digest(), b.digest());
    EXPECT_EQ(ask(a, "set a 1"), ask(b, "set a 1"));
    EXPECT_EQ(a.digest(), b.digest());
    EXPECT_EQ(entries_of(*a.record()), entries_of(*b.record()));
    EXPECT_EQ(output_of(*b.record(), Channel::serial), "ready\nok 1\n");
}

TEST(State, IsReachedOnceWhateverAsksForIt) {
    Directory const directory;
    auto const root = must(State::power_on(kv_store(), std::make_shared<StateStore>(directory / "states")));
    auto const ready_state = root->after("ready", ready());
    auto const one = ready_state->after("one", {{send("set a 1\n"), expect(serial("ok 1\n"))}});
    std::vector<Digest> digests(8);
    {
        std::vector<std::jthread> threads;
        for (Digest& digest : digests)
            threads.emplace_back([&one, &digest] {
                Session session = must(one->fork());
                session.type("get a\n");
                EXPECT_TRUE(session.run_until(serial("1\n")));
                digest = session.digest();
            });
    }
    for (const Digest& digest : digests) EXPECT_EQ(digest, digests[0]);
}

TEST(State, HasAnotherKeyForAnythingThatLeadsElsewhere) {
    auto const store = std::make_shared<StateStore>("");
    auto const key = [&](const Configuration& configuration, std::vector<Script> scripts) {
        return must(State::power_on(configuration, store))->after("x", std::move(scripts))->key();
    };
    Configuration other = kv_store();
    other.seed = 1;
    EXPECT_EQ(key(kv_store(), ready()), key(kv_store(), ready()));
    EXPECT_NE(key(kv_store(), ready()), key(other, ready()));
    EXPECT_NE(key(kv_store(), ready()), key(event_counter(), ready()));
    EXPECT_NE(key(kv_store(), ready()), key(kv_store(), {{expect(serial("ready"), seconds(1))}}));
}

TEST(State, DamagedFilesAreMadeAnew) {
    Directory const directory;
    auto const make = [&] { return must(State::power_on(kv_store(), std::make_shared<StateStore>(directory / "states")))->after("ready", ready()); };
    Digest const good = must(make()->fork()).digest();
    std::string const key = make()->key();
    for (const char* const suffix : {".ramet", ".rsnap", ".txt"}) {
        std::string const path = directory / ("states/" + key + suffix);
        if (std::string{suffix} == ".txt") std::filesystem::remove(path);
        else std::filesystem::resize_file(path, 40);
        auto const again = make();
        EXPECT_EQ(must(again->fork()).digest(), good);
        EXPECT_FALSE(again->restored()) << suffix;
        must(make()->fork());
        auto const healed = make();
        must(healed->fork());
        EXPECT_TRUE(healed->restored()) << suffix;
    }
}

TEST(State, ThatIsNotReachedSaysWhyAndShowsTheMachine) {
    auto const root = must(State::power_on(kv_store(), std::make_shared<StateStore>("")));
    auto const never_there = root->after("there", {{expect(serial("login: "), milliseconds(1))}});
    auto const result = never_there->fork();
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().text.find("the state \"there\" is not reached: expected serial \"login: \""), std::string::npos) << result.error().text;
    ASSERT_NE(never_there->failed(), nullptr);
    EXPECT_EQ(never_there->failed()->unread(), "ready\n");
    EXPECT_FALSE(never_there->after("further", {})->fork());
}

}  // namespace
}  // namespace ramet
