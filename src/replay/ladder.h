// A ladder of forks along one run: going back to any Position costs at most the way up from the nearest rung below.
//
// Seeking never undoes: it takes that rung, forks it and runs forward. Rungs thin out with age: the gap between neighbours stays in proportion to
// their distance from the newest one, so a run of any length needs a number of rungs that grows with its logarithm. Two limits hold:
// the number of rungs, and the bytes of pages that rungs have to themselves; the rung whose loss hurts least goes first. The first rung stays.
// Tests: tests/replay/verify_test.cpp.
#pragma once

#include <memory>
#include <vector>

#include "replay/player.h"

namespace ramet {

struct LadderLimits {
    std::size_t rungs = 64;
    u64 bytes = u64{1} << 30;
};

class Ladder {
public:
    explicit Ladder(const LadderLimits& limits = {}) : limits_(limits) {}

    /// Keeps a fork of the player; nothing when there is a rung at its Position.
    void add(Player& player);
    /// A fork of the nearest rung at or below the Position; nullptr when there is none.
    std::unique_ptr<Player> from(Position position);

    std::vector<Position> positions() const;
    u64 bytes() const;

private:
    struct Rung {
        std::unique_ptr<Player> player;
        u64 bytes = 0;  // of pages that are not those of the rung below
    };
    void thin();
    void remove(std::size_t index);
    std::size_t least_needed() const;

    LadderLimits limits_;
    std::vector<Rung> rungs_;  // ascending
};

/// A player that can go both ways. Rungs are added on the way, every `rung_every` instructions.
class Traveller {
public:
    explicit Traveller(Player player, u64 rung_every = 10'000'000, const LadderLimits& limits = {});

    /// Forward or back, to the arrival at a Position. Ports see output again when a stretch is run again.
    Expected<Progress> seek(Position position, Ports& ports);
    Player& player() { return *player_; }
    const Ladder& ladder() const { return ladder_; }

private:
    std::unique_ptr<Player> player_;
    Ladder ladder_;
    u64 rung_every_;
};

}  // namespace ramet
