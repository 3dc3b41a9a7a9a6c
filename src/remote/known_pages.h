// KnownPages: pages that this host has already, by the hash of their content: from an earlier fork, a snapshot, a sibling. What a peer names is
// taken from here instead of being sent.
//
// Hashes are our own: computed here, or those of a snapshot, which checks them when it reads. Bounded: at most `pages_max` names.
// Threads: one at a time. Tests: tests/remote/page_server_test.cpp.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "base/sha256.h"
#include "cow/memory.h"
#include "replay/snapshot.h"

namespace ramet {

class KnownPages {
public:
    static constexpr std::size_t pages_max = std::size_t{256} << 10;  // 1 GiB of content

    /// Whatever has a page in `memory` now. Costs a hash for each.
    void add(Memory memory);
    /// Whatever is in the snapshot, without reading it.
    Expected<Done> add(std::shared_ptr<const Snapshot> snapshot, std::shared_ptr<PagePool> pool);
    bool empty() const { return places_.empty(); }
    /// Puts the content into `into`, sharing the page if that is possible; false when it is not known.
    bool put(const Sha256& name, Frame frame, Memory& into);

private:
    struct Place {
        std::size_t memory = 0;
        Frame frame;
    };
    std::vector<std::unique_ptr<Memory>> memories_;
    std::map<Sha256, Place> places_;
};

}  // namespace ramet
