// Disks in the lab: their blocks, when a completion comes, and interrupts out of nowhere, as values that are generated and shrunk. The guest with the
// bug is tests/guests/buggy/disk_driver.S.
#include <ramet/test.hpp>

#include <filesystem>

#include "buggy.h"
#include "replay/player.h"

namespace ramet {
namespace {

rc::detail::TestParams params(int cases) {
    rc::detail::TestParams made;
    made.seed = 1;
    made.maxSuccess = cases;
    return made;
}

/// The property fails; its bundle replays. Returns the minimal case.
template <class Property>
std::string find(const std::string& name) {
    ::setenv("RAMET_BUNDLES", testing::TempDir().c_str(), 1);
    PropertyReport const found = check_property<Property>(name, params(2000));
    EXPECT_FALSE(found.holds) << found.message;
    if (found.bundle.empty()) return "";
    Player player = must(Player::open_late(found.bundle, {}, std::make_shared<PagePool>()));
    NullPorts ports;
    EXPECT_EQ(must(player.run_to_end(ports)).kind, Progress::Kind::ended);
    std::filesystem::remove(found.bundle);
    return found.minimal.empty() ? "" : found.minimal[0].second;
}

class DiskDriver : public GuestTest {
protected:
    DiskDriver() {
        machine(disk_driver());
        warm(serial("reading"));
        warm(instructions(200'000));
    }
    u32 reads(Session& child) { return must(child.read<u32>("reads")); }
    /// Whether the driver is still alive some time later.
    bool goes_on(Session& child) {
        u32 const before = reads(child);
        child.run(milliseconds(2));
        return reads(child) > before + 1;
    }
};

RAMET_DEFINE_PROP(DiskDriver, bears_any_delay, (DiskDelay<100'000> delay)) {
    auto child = warm().fork();
    must(child.delay_disk(delay.cycles));
    RC_ASSERT(goes_on(child));
}

RAMET_DEFINE_PROP(DiskDriver, bears_a_completion_whenever_it_comes, (When<20'000> when)) {
    auto child = warm().fork();
    must(child.hold_disk());
    child.run(milliseconds(1));  // it waits for the disk now
    must(child.delay_disk(0));
    child.run(instructions(100));
    must(child.hold_disk());
    child.run(instructions(2000) && milliseconds(1));  // it has begun the next command
    child.run(when.budget() && milliseconds(1));
    must(child.delay_disk(0));
    child.run(milliseconds(1));
    must(child.delay_disk(Ata::latency_default));
    RC_ASSERT(goes_on(child));
}

RAMET_PROP(DiskDriver, reads_with_the_usual_delay, (When<20'000> when)) {
    auto child = warm().fork();
    child.run(when.budget());
    RC_ASSERT(goes_on(child));
}

TEST(DiskProperty, FindsDelaysThatADriverDoesNotBear) { EXPECT_NE(find<DiskDriver_bears_any_delay_property>("disk delay").find("0 cycles"), std::string::npos); }

TEST(DiskProperty, FindsPositionsAtWhichACompletionIsLost) {
    EXPECT_NE(find<DiskDriver_bears_a_completion_whenever_it_comes_property>("disk completion").find("after 0 instructions"), std::string::npos);
}

class Counter : public GuestTest {
protected:
    Counter() {
        machine(event_counter());
        warm(serial("counting"));
        warm(instructions(5000));
    }
};

RAMET_DEFINE_PROP(Counter, counts_an_interrupt_whenever_it_comes, (When<1004> when)) {
    auto child = warm().fork();
    child.run(when.budget());
    must(child.interrupt(4));
    child.run(instructions(100'000));
    RC_ASSERT(must(child.read<u32>("events")) + must(child.read<u32>("handled")) == 1U);
}

TEST(DiskProperty, FindsInstructionsAtWhichAnInterruptIsLost) {
    ::setenv("RAMET_BUNDLES", testing::TempDir().c_str(), 1);
    PropertyReport const found = check_property<Counter_counts_an_interrupt_whenever_it_comes_property>("interrupt", params(20'000));
    EXPECT_FALSE(found.holds);
    std::filesystem::remove(found.bundle);
}

TEST_F(DiskDriver, AChildsBlocksAreItsOwn) {
    auto parent = warm().fork();
    auto child = parent.fork();
    std::array<u8, 4> bytes = {};
    must(child.write_disk(0, 510, std::array<u8, 4>{1, 2, 3, 4}));
    must(child.read_disk(0, 510, bytes));
    EXPECT_EQ(bytes, (std::array<u8, 4>{1, 2, 3, 4}));
    must(parent.read_disk(0, 510, bytes));
    EXPECT_NE(bytes, (std::array<u8, 4>{1, 2, 3, 4}));
    EXPECT_NE(child.digest(), parent.digest());
    EXPECT_EQ(child.write_disk(0, u64{1} << 30, bytes).error().text, "disk 0: byte 1073741824 does not lie on it at position " + std::to_string(child.position().value));
    EXPECT_FALSE(child.read_disk(1, 0, bytes));
    EXPECT_FALSE(child.interrupt(2));
}

}  // namespace
}  // namespace ramet
