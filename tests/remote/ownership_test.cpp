// A model of a migration: both automata and a link that loses whatever it likes. Every state that can be reached is looked at: never may both sides run,
// and there is always a way on to a state in which one may.
#include "remote/ownership.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>
#include <tuple>

namespace ramet {
namespace {

enum class Word : u8 { go, ask, renew, complete, done, fence, fenced };

struct Message {
    Word word;
    u64 epoch;
    auto operator<=>(const Message&) const = default;
};

/// Copied at every step. Messages in flight keep their order; a break of the link loses them all.
struct World {
    SourceRight source{1};
    TargetRight target;
    bool target_alive = true;
    bool lease = false;         // the target's, as it sees it
    bool lease_possible = false;  // as the source has to assume
    std::deque<Message> to_target;
    std::deque<Message> to_source;

    auto key() const {
        return std::tuple{source.state(), source.epoch(), target.state(), target.epoch(), target_alive, lease, lease_possible,
                          std::vector<Message>(to_target.begin(), to_target.end()), std::vector<Message>(to_source.begin(), to_source.end())};
    }
    bool target_runs() const { return target_alive && target.may_run(); }
};

constexpr std::size_t in_flight_max = 3;

/// An answer that finds the link full is lost, like any other: whoever needs it asks again.
void answer(std::deque<Message>& to, Message m) {
    if (to.size() < in_flight_max) to.push_back(m);
}

void deliver_to_target(World& world, Message m) {
    switch (m.word) {
    case Word::go: world.target.go(m.epoch); break;
    case Word::renew:
        if (m.epoch != world.target.epoch() && world.target.state() != TargetRight::State::waiting) break;
        world.target.renewed();
        world.lease = true;
        break;
    case Word::complete:
        if (world.target.complete(m.epoch)) answer(world.to_source, {Word::done, m.epoch});
        break;
    case Word::fence:
        if (world.target.fence(m.epoch)) answer(world.to_source, {Word::fenced, m.epoch});
        break;
    default: break;
    }
}

void deliver_to_source(World& world, Message m) {
    switch (m.word) {
    case Word::ask:
        if (!world.source.renews(m.epoch)) break;
        answer(world.to_target, {Word::renew, m.epoch});
        world.lease_possible = true;
        break;
    case Word::done: world.source.done(); break;
    case Word::fenced: world.source.fenced(m.epoch); break;
    default: break;
    }
}

std::vector<World> steps(const World& from) {
    std::vector<World> found;
    auto const step = [&](bool possible, auto change) {
        if (!possible) return;
        World next = from;
        change(next);
        found.push_back(next);
    };
    bool const room_out = from.to_target.size() < in_flight_max, room_in = from.to_source.size() < in_flight_max;
    bool const first = from.source.epoch() == 1;
    step(first && from.source.may_run() && room_out, [](World& w) {  // `go` renews the lease of who asked for the machine
        w.source.give();
        w.to_target.push_back({Word::go, w.source.epoch()});
        w.to_target.push_back({Word::renew, w.source.epoch()});
        w.lease_possible = true;
    });
    step(from.target_alive && from.target.state() == TargetRight::State::leased && room_in, [](World& w) { w.to_source.push_back({Word::ask, w.target.epoch()}); });
    step(from.source.state() == SourceRight::State::given && from.target.state() != TargetRight::State::waiting && room_out, [](World& w) {
        if (w.source.complete()) w.to_target.push_back({Word::complete, w.source.epoch()});
    });
    step(from.source.state() == SourceRight::State::completing && room_out, [](World& w) { w.to_target.push_back({Word::complete, w.source.epoch()}); });
    step(from.source.state() == SourceRight::State::given, [](World& w) { w.source.take_back(); });
    step(from.source.state() == SourceRight::State::fencing && room_out, [](World& w) { w.to_target.push_back({Word::fence, w.source.epoch()}); });
    step(from.lease, [](World& w) { w.target.lease_ended(), w.lease = false; });
    // The source's clock starts when it renews, the target's when it asked, which is before: so it ends here last, and what is in flight renews nothing any more.
    step(from.lease_possible && !from.lease, [](World& w) {
        w.source.lease_ended(), w.lease_possible = false;
        std::erase_if(w.to_target, [](Message m) { return m.word == Word::renew; });
    });
    step(!from.lease_possible && from.source.state() == SourceRight::State::fencing, [](World& w) { w.source.lease_ended(); });
    step(!from.to_target.empty(), [](World& w) {
        Message const m = w.to_target.front();
        w.to_target.pop_front();
        if (w.target_alive) deliver_to_target(w, m);
    });
    step(!from.to_source.empty(), [](World& w) {
        Message const m = w.to_source.front();
        w.to_source.pop_front();
        deliver_to_source(w, m);
    });
    step(true, [](World& w) { w.to_target.clear(), w.to_source.clear(); });  // the link breaks
    step(from.target_alive, [](World& w) { w.target_alive = false, w.lease = false; });
    return found;
}

TEST(Ownership, NeverMayBothSidesRunAndAlwaysOneMayAgain) {
    std::map<decltype(World{}.key()), std::size_t> numbers;
    std::vector<World> worlds;
    std::vector<std::vector<std::size_t>> before;
    auto const add = [&](const World& world) {
        auto const [at, fresh] = numbers.try_emplace(world.key(), worlds.size());
        if (fresh) {
            worlds.push_back(world);
            before.emplace_back();
        }
        return at->second;
    };
    add(World{});
    for (std::size_t i = 0; i < worlds.size(); ++i) {
        World const world = worlds[i];
        ASSERT_FALSE(world.source.may_run() && world.target_runs()) << "both may run, epoch " << world.source.epoch();
        for (const World& next : steps(world)) before[add(next)].push_back(i);
    }
    EXPECT_GT(worlds.size(), 500U);
    std::vector<bool> good(worlds.size());
    std::deque<std::size_t> open;
    for (std::size_t i = 0; i < worlds.size(); ++i)
        if (worlds[i].source.may_run() || worlds[i].target_runs()) good[i] = true, open.push_back(i);
    for (; !open.empty(); open.pop_front())
        for (std::size_t const i : before[open.front()])
            if (!good[i]) good[i] = true, open.push_back(i);
    for (std::size_t i = 0; i < worlds.size(); ++i) {
        const World& world = worlds[i];
        bool const died_complete = !world.target_alive && (world.source.state() == SourceRight::State::completing || world.source.state() == SourceRight::State::gone);
        EXPECT_TRUE(good[i] || died_complete) << "nobody can ever run: source " << int(world.source.state()) << " target " << int(world.target.state());
    }
}

TEST(Ownership, AnOldEpochIsRefusedForGood) {
    SourceRight source{1};
    source.give();
    ASSERT_TRUE(source.take_back());
    source.lease_ended();
    EXPECT_TRUE(source.may_run());
    EXPECT_FALSE(source.renews(2));
    EXPECT_FALSE(source.admits(2));
    EXPECT_EQ(source.epoch(), 3U);
}

TEST(Ownership, WhatIsCompleteCannotBeTakenBackAlone) {
    SourceRight source{1};
    source.give();
    ASSERT_TRUE(source.complete());
    EXPECT_FALSE(source.take_back());
    source.done();
    EXPECT_EQ(source.state(), SourceRight::State::gone);
}

}  // namespace
}  // namespace ramet
