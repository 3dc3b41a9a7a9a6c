// Memory on demand between a source and a child in one process: figures 3 to 5 of the method (docs/method.md).
#include "base/fiber.h"
#include "rig.h"

namespace ramet {
namespace {

constexpr u64 settled = 200'000;  // instructions after which every page of the sweep has been written
constexpr ServeOptions only_on_demand{.push_bytes_per_s = 0};

struct RemoteMemory : testing::Test {
    Directory directory;
    Subject subject = sweep_subject(directory, 100);
    Machine parent = subject.machine();

    void SetUp() override { run(parent, settled); }
    Digest expected_after(u64 instructions) {
        Machine same = parent.fork();
        run(same, instructions);
        return same.digest();
    }
};

TEST_F(RemoteMemory, DemandPagingGivesTheChildEachPageItTouches) {
    Digest const expected = expected_after(50'000);
    Bridge bridge{parent, only_on_demand};
    Machine child = bridge.child(parent);
    EXPECT_EQ(bridge.pager->absent(), bridge.pager->total());
    run(child, 50'000);
    EXPECT_GE(bridge.pager->stats().asked, 100U);
    EXPECT_LT(bridge.pager->stats().asked, 130U) << "no more than it touched";
    EXPECT_EQ(child.digest(), expected);
}

TEST_F(RemoteMemory, BackgroundSendingBringsWhatNobodyAskedFor) {
    Bridge bridge{parent};
    bridge.pump_all();
    EXPECT_TRUE(bridge.pager->complete());
    EXPECT_EQ(bridge.pager->stats().asked, 0U);
    Machine child = bridge.child(parent);
    Digest const expected = expected_after(50'000);
    run(child, 50'000);
    EXPECT_EQ(child.digest(), expected);
    EXPECT_LT(bridge.pager->stats().received, 200U) << "zeros are told, not sent";
    EXPECT_GT(bridge.pager->stats().zeros, 1500U);
}

TEST(RemoteMemoryOfAGibibyte, EveryZeroIsTold) {
    Directory const directory;
    Machine parent = sweep_subject(directory, 10, u64{1} << 30).machine();
    Bridge bridge{parent};
    for (unsigned i = 0; i < 500 && !bridge.pager->complete(); ++i) bridge.pump(20'000'000);
    EXPECT_TRUE(bridge.pager->complete()) << "all of its ranges, the test device's high one too";
    EXPECT_GT(bridge.pager->stats().zeros, (u64{1} << 30) / page_size - 1000);
}

TEST_F(RemoteMemory, AfterAllIsSentTheServerEndsAndTheChildNeedsNoSource) {
    Bridge bridge{parent};
    Machine child = bridge.child(parent);
    bridge.pump_all();
    while (!bridge.server->complete()) bridge.pump(1'000'000);
    ASSERT_TRUE(child.memory().adopt_all(bridge.pager->store()));
    bridge.pager->give_up();
    Digest const expected = expected_after(50'000);
    run(child, 50'000);
    EXPECT_EQ(child.digest(), expected);
}

/// The parent runs on while the child has nothing yet.
void expect_memory_as_of_the_fork(Machine& parent, OnWrite policy, u64 push) {
    MachineState const state = parent.state();
    Machine same = parent.fork();
    Bridge bridge{parent, {.on_write = policy, .push_bytes_per_s = push}};
    parent.memory().watch_writes(bridge.server);
    Machine child = bridge.child(state, parent);
    Fiber going_on{[&] { run(parent, 20'000); }};
    while (!going_on.done()) {
        going_on.resume();
        bridge.pump(1'000'000);
    }
    parent.memory().unwatch_writes(bridge.server.get());
    EXPECT_EQ(child.digest(), same.digest());
    ServeStats const stats = bridge.server->stats();
    if (policy == OnWrite::send && push == 0) {
        EXPECT_GE(stats.before_write, 100U);
    }
    if (policy == OnWrite::keep) {
        EXPECT_EQ(stats.before_write, 0U);
    }
    run(same, 20'000);
    EXPECT_EQ(parent.digest(), same.digest()) << "being forked does not show";
}

TEST_F(RemoteMemory, AboutToModifyKeepsTheOldPageUntilItHasGone) {
    expect_memory_as_of_the_fork(parent, OnWrite::keep, 0);
    expect_memory_as_of_the_fork(parent, OnWrite::keep, ServeOptions::unlimited);
}

TEST_F(RemoteMemory, AboutToModifySendsThePageFirst) {
    expect_memory_as_of_the_fork(parent, OnWrite::send, 0);
    expect_memory_as_of_the_fork(parent, OnWrite::send, ServeOptions::unlimited);
}

TEST_F(RemoteMemory, SendingFirstSavesTheParentTheCopy) {
    Bridge bridge{parent, {.on_write = OnWrite::send, .push_bytes_per_s = 0}};
    parent.memory().watch_writes(bridge.server);
    const u8* const before = parent.memory().read(Frame{0x210});
    bool moved = true;
    Fiber writer{[&] { moved = parent.memory().write(Frame{0x210}).moved; }};
    while (!writer.done()) {
        writer.resume();
        bridge.pump(1'000'000);
    }
    EXPECT_FALSE(moved);
    EXPECT_EQ(parent.memory().read(Frame{0x210}), before);
    parent.memory().unwatch_writes(bridge.server.get());
}

TEST_F(RemoteMemory, NothingIsPushedBeforeTheChildRuns) {
    Bridge bridge{parent, {}, nullptr, PageServer::Push::when_child_runs};
    Machine child = bridge.child(parent);
    run(child, 100);
    EXPECT_GT(bridge.pager->stats().asked, 0U) << "what it asks for comes all the same";
    for (unsigned i = 0; i < 5; ++i) bridge.pump(20'000'000);
    ServeStats const held = bridge.server->stats();
    EXPECT_EQ(held.pushed, 0U);
    EXPECT_EQ(held.zeros, 0U);
    bridge.server->child_runs();
    bridge.server->wakeup().signal();
    bridge.pump_all();
    EXPECT_TRUE(bridge.pager->complete());
    EXPECT_GT(bridge.server->stats().pushed, 0U);
}

TEST_F(RemoteMemory, ADemandOvertakesThePush) {
    Bridge bridge{parent, {.push_bytes_per_s = 4096}};  // a page a second: the push would take minutes
    Machine child = bridge.child(parent);
    run(child, 50'000);
    ServeStats const stats = bridge.server->stats();
    EXPECT_LE(stats.pushed, 2 * Pages::count_max);
    EXPECT_GE(stats.demanded, 30U) << "the child is through long before the push";
}

TEST_F(RemoteMemory, OnlyTheMachineThatLacksAPageWaits) {
    Bridge bridge{parent, only_on_demand};
    Machine child = bridge.child(parent);
    Machine other = parent.fork();
    Fiber first{[&] { run(child, 50'000); }};
    first.resume();
    ASSERT_FALSE(first.done()) << "it lacks its first page";
    Digest const expected = expected_after(10'000);
    Fiber second{[&] { run(other, 10'000); }};
    second.resume();
    EXPECT_TRUE(second.done()) << "the other one on the same thread runs on";
    EXPECT_EQ(other.digest(), expected);
    while (!first.done()) {
        bridge.pump(1'000'000);
        first.resume();
    }
    EXPECT_EQ(child.digest(), expected_after(50'000));
}

TEST_F(RemoteMemory, AChildForksLocallyWhileItLacksPages) {
    Bridge bridge{parent, only_on_demand};
    Machine child = bridge.child(parent);
    run(child, 100);
    Machine grandchild = child.fork();
    run(child, 20'000);
    run(grandchild, 20'000);
    EXPECT_EQ(child.digest(), expected_after(20'100));
    EXPECT_EQ(grandchild.digest(), child.digest());
    EXPECT_LT(bridge.pager->stats().asked, 2100U) << "what came for one is there for the other";
}

TEST_F(RemoteMemory, AChildForksToAThirdHostWhileItLacksPages) {
    Bridge bridge{parent, only_on_demand};
    Machine child = bridge.child(parent);
    run(child, 100);
    Bridge third{child};
    Machine grandchild = third.child(child);
    third.pager->set_pump([&] {  // the middle host: what the third one asks for and is not here is asked for at the first
        for (Frame const frame : third.server->lacking()) bridge.pager->want(frame);
        bridge.pump(50'000);
        third.server->supply(bridge.pager->store());
        return third.pump(50'000);
    });
    run(grandchild, 20'000);
    EXPECT_EQ(grandchild.digest(), expected_after(20'100));
    run(child, 20'000);
    EXPECT_EQ(child.digest(), expected_after(20'100));
}

TEST_F(RemoteMemory, WhatIsSuppliedBeforeTheForkIsNotTaken) {
    PageServer server{parent.memory().ranges(), {}};
    EXPECT_FALSE(server.supply(parent.memory()));
    server.start(std::move(parent.fork().memory()));
    EXPECT_TRUE(server.supply(parent.memory()));
}

TEST_F(RemoteMemory, PagesThatAreKnownByHashAreNotSent) {
    auto const pool = std::make_shared<PagePool>();
    auto const known = std::make_shared<KnownPages>();
    {
        Bridge first{parent};
        first.pump_all();
        known->add(first.pager->store().fork());
    }
    run(parent, 150);  // some thirty pages change
    Bridge bridge{parent, {.names = true}, known};
    bridge.pump_all();
    Machine child = bridge.child(parent);
    EXPECT_EQ(child.digest(), parent.digest());
    EXPECT_LT(bridge.pager->stats().received, 50U);
    EXPECT_GT(bridge.pager->stats().named, 60U);
}

TEST_F(RemoteMemory, ASecondChildNeedsNotAskForWhatTheFirstOneTouched) {
    std::vector<Frame> touched;
    {
        Bridge first{parent, only_on_demand};
        Machine child = first.child(parent);
        run(child, 5'000);
        touched = first.server->asked();
        EXPECT_GE(touched.size(), 100U);
    }
    Bridge second{parent, {.push_bytes_per_s = 0, .first = touched}};
    Machine child = second.child(parent);
    while (second.pager->absent() > second.pager->total() - touched.size()) ASSERT_TRUE(second.pump(100'000'000));
    run(child, 5'000);
    EXPECT_EQ(second.pager->stats().asked, 0U);
}

TEST_F(RemoteMemory, ConfirmedPagesAreGivenBack) {
    auto const stored = [&] { return parent.memory().stored_frames(Frame{}, 10'000).size(); };
    std::size_t const pages = stored();
    Bridge bridge{parent, {.release = true}};
    for (const RamRange& range : parent.memory().ranges()) parent.memory().release(range);  // a migrated parent runs no more
    u64 const before = subject.pool->live_pages();
    while (!bridge.server->complete()) bridge.pump(1'000'000);
    EXPECT_TRUE(bridge.pager->complete());
    EXPECT_LT(subject.pool->live_pages() + pages, before + 64) << "all but those that a tree keeps at hand";
}

}  // namespace
}  // namespace ramet
