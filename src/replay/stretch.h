// A log with snapshots on its way falls into stretches, which can be replayed on their own: from the beginning or a snapshot to the next one.
// Tests: tests/replay/verify_test.cpp, tests/lab/bundle_test.cpp.
#pragma once

#include <string>
#include <vector>

#include "replay/player.h"

namespace ramet {

struct Stretch {
    static constexpr Moment endless{Position{~u64{0}}, Cycles::never()};

    LineageCursor from;
    std::string snapshot = {};  // empty: the beginning
    Moment end;                 // of the snapshot entry that ends it; endless for the last
    Moment begin = {};          // of its snapshot
};

/// In their order; at least one.
Expected<std::vector<Stretch>> stretches_of(const std::shared_ptr<const Lineage>& lineage);

/// A player where the stretch begins. A snapshot that is not there, or not of this run, is an error.
Expected<Player> player_of(const Stretch& stretch, const ImagePaths& images, std::shared_ptr<PagePool> pool);

}  // namespace ramet
