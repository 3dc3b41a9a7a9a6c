#include "lab/state_cache.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "guests.h"
#include "lab/bundle.h"
#include "replay/player.h"

namespace ramet {
namespace {

namespace fs = std::filesystem;

/// A folder of states of the store, each behind one command.
class StateCache : public testing::Test {
protected:
    std::shared_ptr<State> state(const std::string& name, u64 limit = state_bytes_default) const {
        auto const root = must(State::power_on(kv_store(), std::make_shared<StateStore>(states_, limit)));
        return root->after(name, {{expect(serial("ready\n"), seconds(1)), send("set " + name + " 1\n"), expect(serial("ok 1\n"), seconds(1))}});
    }
    /// Reaches the state; its files then look as if they had been used `hours` ago.
    std::string make(const std::string& name, int hours) const {
        auto const made = state(name);
        must(made->fork());
        for (const CachedState& cached : must(cached_states(states_)))
            for (const std::string& path : cached.files)
                if (cached.key == made->key()) fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours{hours});
        return made->key();
    }
    std::vector<std::string> keys() const {
        std::vector<std::string> found;
        for (const CachedState& cached : must(cached_states(states_))) found.push_back(cached.key);
        return found;
    }
    u64 bytes() const {
        u64 sum = 0;
        for (const CachedState& cached : must(cached_states(states_))) sum += cached.bytes;
        return sum;
    }

    Directory directory_;
    std::string states_ = directory_ / "states";
};

using Keys = std::vector<std::string>;

TEST_F(StateCache, RemovesTheLongestUnusedUntilTheRestFits) {
    std::string const b = make("b", 2), a = make("a", 3), c = make("c", 1);
    EXPECT_EQ(keys(), (Keys{a, b, c}));
    EXPECT_EQ(must(prune_states(states_, bytes())).removed, 0U) << "exactly the limit";
    PruneReport const report = must(prune_states(states_, bytes() - 1));
    EXPECT_EQ(report.removed, 1U);
    EXPECT_EQ(report.bytes_left, bytes());
    EXPECT_EQ(keys(), (Keys{b, c}));
    EXPECT_EQ(must(prune_states(states_, 0)).removed, 2U);
    EXPECT_TRUE(fs::is_empty(states_));
    EXPECT_EQ(must(prune_states(directory_ / "none", 0)).removed, 0U);
}

TEST_F(StateCache, AUseMakesAStateYoung) {
    std::string const a = make("a", 3), b = make("b", 2);
    auto const again = state("a");
    must(again->fork());
    EXPECT_TRUE(again->restored());
    EXPECT_EQ(keys(), (Keys{b, a}));
}

TEST_F(StateCache, AStateInUseStaysAndItsMachineWorks) {
    std::string const a = make("a", 3);
    {
        auto const used = state("a");
        must(used->fork());
        EXPECT_TRUE(must(cached_states(states_))[0].in_use);
        EXPECT_EQ(must(prune_states(states_, 0)).removed, 0U);
    }
    EXPECT_FALSE(must(cached_states(states_))[0].in_use);
    EXPECT_EQ(must(prune_states(states_, 0)).removed, 1U);
}

TEST_F(StateCache, WritingAStateRemovesOthersBeyondTheLimit) {
    make("a", 3);
    std::string const b = make("b", 2);
    u64 const limit = bytes() + 100;
    auto const third = state("c", limit);
    must(third->fork());
    EXPECT_EQ(third->problem(), "");
    EXPECT_EQ(keys(), (Keys{b, third->key()}));
}

TEST_F(StateCache, FilesThatBelongToNoStateStay) {
    std::string const a = make("a", 3);
    for (const char* const name : {"notes.txt", "0123.ramet", "0123456789abcdef0123456789abcdeg.txt", "0123456789abcdef0123456789abcdef.txt.old"}) write_file(states_ + "/" + name, {1});
    write_file(states_ + "/0123456789abcdef0123456789abcdef.rsnap.77.0.tmp~", {1});
    EXPECT_EQ(must(prune_states(states_, 0)).removed, 2U) << "the state, and what an interrupted save left";
    EXPECT_EQ(std::distance(fs::directory_iterator{states_}, fs::directory_iterator{}), 4);
}

TEST_F(StateCache, ABundleReplaysWithoutTheStateThatItBeganWith) {
    make("a", 3);
    {
        auto const used = state("a");
        Session session = must(used->fork());
        EXPECT_EQ(ask(session, "get a"), "1\n");
        must(write_bundle(directory_ / "b.ramet", session, "a test"));
    }
    must(prune_states(states_, 0));
    Player player = must(Player::open_late(directory_ / "b.ramet", {}, std::make_shared<PagePool>()));
    NullPorts ports;
    EXPECT_EQ(must(player.run_to_end(ports)).kind, Progress::Kind::ended);
}

/// Reaches states and removes them, again and again; how often a state was not what it should be.
int race(const std::function<std::shared_ptr<State>(const std::string&)>& state, const std::string& directory, const std::map<std::string, Digest>& expected) {
    constexpr int rounds = 20;
    int wrong = 0;
    for (int round = 0; round < rounds; ++round) {
        for (auto const& [name, digest] : expected) {
            auto const one = state(name);
            auto session = one->fork();
            wrong += !session || session->digest() != digest || !one->problem().empty();
        }
        wrong += !prune_states(directory, 0);
    }
    return wrong;
}

TEST_F(StateCache, TwoProcessesThatUseAndRemoveTheSameStatesDoNotDisturbEachOther) {
    std::map<std::string, Digest> expected;
    for (const char* const name : {"a", "b"}) expected[name] = must(state(name)->fork()).digest();
    auto const make = [this](const std::string& name) { return state(name, 1); };
    pid_t const other = ::fork();
    if (other == 0) ::_exit(std::min(race(make, states_, expected), 100));
    int const wrong = race(make, states_, expected);
    int status = -1;
    ASSERT_EQ(::waitpid(other, &status, 0), other);
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(status, 0);
}

TEST(StateBytesLimit, ComesFromTheEnvironment) {
    EXPECT_EQ(must(state_bytes_limit()), state_bytes_default);
    ::setenv("RAMET_CACHE_LIMIT", "3M", 1);
    EXPECT_EQ(must(state_bytes_limit()), u64{3} << 20);
    ::setenv("RAMET_CACHE_LIMIT", "much", 1);
    EXPECT_EQ(state_bytes_limit().error().text, "RAMET_CACHE_LIMIT: \"much\" is not a size; expected a number with K, M, G or T, as \"512M\"");
    ::unsetenv("RAMET_CACHE_LIMIT");
}

}  // namespace
}  // namespace ramet
