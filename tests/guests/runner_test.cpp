// Every guest of this folder in every way: in one go, in pieces, stepped, forked on two threads, with caches dropped, saved and restored.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "base/state.h"
#include "guest_run.h"
#include "replay/snapshot.h"

namespace ramet {
namespace {

constexpr unsigned checkpoint_count = 16;
constexpr u64 seed = 1;

/// A guest's text without the blanks and line ends around it.
std::string trimmed(const std::string& text) {
    auto const first = text.find_first_not_of(" \r\n");
    return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \r\n") - first + 1);
}

class Guests : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        machine_ = guest_.machine();
        expected_ = follow(guest_, machine_, {}, {});
        checkpoints_ = checkpoints_below(expected_.end, checkpoint_count);
        machine_ = guest_.machine();
        Trace const marked = follow(guest_, machine_, checkpoints_, {});
        expect_same(marked);
        expected_ = marked;
        machine_ = guest_.machine();
    }
    void expect_end(const Trace& trace) const {
        EXPECT_EQ(trace.reason, guest_.exits ? StopReason::exit : StopReason::shutdown) << reason_text(trace.reason);
        EXPECT_EQ(trace.exit_value, guest_.exit_value);
        EXPECT_EQ(trimmed(trace.serial), guest_.serial);
    }
    /// The same end, and the same digest wherever both took one.
    void expect_same(const Trace& trace) const {
        EXPECT_EQ(trace.reason, expected_.reason);
        EXPECT_EQ(trace.exit_value, expected_.exit_value);
        ASSERT_EQ(trace.end, expected_.end);
        for (auto const& [at, digest] : trace.digests) {
            auto const other = expected_.digests.find(at);
            if (other == expected_.digests.end()) continue;
            ASSERT_EQ(digest.hex(), other->second.hex()) << "at Position " << at;
        }
    }
    u64 around() { return 1 + random_.below(expected_.end / 20 + 2); }

    Guest guest_ = read_guest(GetParam());
    Prng random_ = Prng::seeded(seed);
    std::vector<u64> checkpoints_;
    std::unique_ptr<Machine> machine_;
    Trace expected_;
};

TEST_P(Guests, PrintsAndEndsAsItsHeaderSays) { expect_end(expected_); }

TEST_P(Guests, RunsTheSameInPieces) {
    Trace const trace = follow(guest_, machine_, checkpoints_, {.piece = [this] { return around(); }});
    expect_same(trace);
    expect_end(trace);
}

TEST_P(Guests, RunsTheSameStepByStep) {
    Trace const trace = follow(guest_, machine_, checkpoints_, {.piece = [] { return u64{1}; }});
    expect_same(trace);
    expect_end(trace);
}

TEST_P(Guests, RunsTheSameWithCachesDropped) {
    Way const way{.piece = [this] { return around(); }, .between = [](std::unique_ptr<Machine>& machine) { machine->interpreter().drop_caches(); }};
    Trace const trace = follow(guest_, machine_, checkpoints_, way);
    expect_same(trace);
    expect_end(trace);
}

TEST_P(Guests, RunsTheSameForkedOnTwoThreads) {
    for (int round = 0; round < 4; ++round) {
        machine_ = guest_.machine();
        u64 const fork_at = random_.below(expected_.end);
        follow(guest_, machine_, {}, {}, fork_at);
        auto child = std::make_unique<Machine>(machine_->fork());
        Prng pieces = Prng::seeded(random_.next());
        Trace of_parent, of_child;
        {
            std::jthread const one{[&] { of_parent = follow(guest_, machine_, checkpoints_, {}); }};
            std::jthread const two{[&] {
                of_child = follow(guest_, child, checkpoints_, {.piece = [&] { return 1 + pieces.below(expected_.end / 20 + 2); }});
            }};
        }
        expect_same(of_parent);
        expect_same(of_child);
        EXPECT_EQ(of_parent.serial, of_child.serial);
    }
}

TEST_P(Guests, RunsTheSameSavedAndRestored) {
    std::string const path = testing::TempDir() + "ramet-guest-" + std::to_string(::getpid()) + ".rsnap";
    auto const images = read_images(guest_.configuration());
    ASSERT_TRUE(images);
    LogHeader const header = header_of(guest_.configuration(), *images, *machine_);
    auto const reincarnate = [&](std::unique_ptr<Machine>& machine) {
        ASSERT_TRUE(save_snapshot(*machine, header, path));
        auto const saved = Snapshot::open(path);
        ASSERT_TRUE(saved) << saved.error().text;
        machine = std::make_unique<Machine>(*restore_machine(*saved, std::make_shared<PagePool>()));
    };
    Trace const trace = follow(guest_, machine_, checkpoints_, {.piece = [this] { return around(); }, .between = reincarnate});
    std::filesystem::remove(path);
    expect_same(trace);
    expect_end(trace);
}

/// Guests with a disk are short enough to be written down and made anew between any two instructions.
TEST(DiskGuests, EndTheSameRestoredAtEveryInstruction) {
    auto const restore = [](std::unique_ptr<Machine>& machine) {
        std::vector<u8> const bytes = state_bytes(machine->state());
        MachineState state;
        ASSERT_TRUE(read_state(bytes, state));
        machine = std::make_unique<Machine>(Machine::restore(state, machine->memory().fork(), machine->disks()));
    };
    int count = 0;
    for (const std::string& name : guest_names()) {
        Guest const guest = read_guest(name);
        if (!guest.has_disk) continue;
        ++count;
        auto machine = guest.machine();
        Trace const expected = follow(guest, machine, {}, {});
        machine = guest.machine();
        Trace const trace = follow(guest, machine, {}, {.piece = [] { return u64{1}; }, .between = restore});
        EXPECT_EQ(trace.serial, expected.serial) << name;
        EXPECT_EQ(trace.digests, expected.digests) << name;
    }
    EXPECT_EQ(count, 2);
}

INSTANTIATE_TEST_SUITE_P(Every, Guests, testing::ValuesIn(guest_names()), [](const auto& test) { return test.param; });

}  // namespace
}  // namespace ramet
