// Pager: the memory of a machine whose pages are still with its source. It keeps what has come (the memory as of the fork, which nobody writes) and
// gives it to the machine, and to whatever is forked from it, when they touch it: shared, not copied.
//
// A machine that touches a page that has not come waits: on a fiber it suspends, and only that machine waits; without a fiber the pager serves the
// link itself until the page is there. The link may come and go; what is waited for is asked for again.
//
// Threads: the pager, its link and all machines that lack its pages belong to one thread.
// Tests: tests/remote/page_server_test.cpp, migration_test.cpp.
#pragma once

#include <array>
#include <functional>
#include <set>

#include "remote/known_pages.h"
#include "remote/link.h"
#include "remote/messages.h"

namespace ramet {

struct PagerStats {
    u64 asked = 0;     // pages that a machine had to wait for
    u64 received = 0;  // pages that came with their content
    u64 zeros = 0;
    u64 named = 0;     // pages that were here already
    u64 stalled_ns = 0;
    u64 stall_max_ns = 0;
    u64 stall_p50_ns = 0;  // median of the last thousand
};

class Pager final : public PageSource {
public:
    Pager(std::shared_ptr<PagePool> pool, const std::vector<RamRange>& ranges, std::shared_ptr<KnownPages> known = nullptr);

    /// Over what to ask; nullptr while there is no link.
    void connect(Link* link);
    /// Without a fiber: waits for and handles the next message; false when none will ever come.
    void set_pump(std::function<bool()> pump) { pump_ = std::move(pump); }

    bool fetch(Frame frame, Memory& into) override;
    std::string error() const override { return "its source is gone, or has taken the machine back"; }

    static bool is_mine(u32 kind);
    /// zeros, pages and names.
    Expected<Done> handle(const WireFrame& message);
    /// Memory that came another way: rebuilt from a log.
    void supply(Memory& memory) { store_.adopt_all(memory); count_absent(); }
    /// Nothing will come any more: whoever waits gives up.
    void give_up() { lost_ = true; }

    Memory& store() { return store_; }
    bool complete() const { return absent_ == 0; }
    u64 absent() const { return absent_; }
    u64 total() const { return total_; }
    /// What to ask for again, or to send unasked, after a new link came: everything that is not here.
    std::vector<Runs> lacks() const;
    /// Asks for a page on somebody else's behalf.
    void want(Frame frame);
    PagerStats stats() const;

private:
    Expected<Done> take(const Runs& zeros);
    Expected<Done> take(const Pages& pages);
    Expected<Done> take(const Names& names);
    Expected<Done> check(Frame frame, u64 count) const;
    void confirm(u64 sequence);
    void count_absent();

    std::vector<RamRange> ranges_;
    Memory store_;
    std::shared_ptr<KnownPages> known_;
    Link* link_ = nullptr;
    std::function<bool()> pump_;
    std::set<Frame> wanted_;
    u64 total_ = 0;
    u64 absent_ = 0;
    bool lost_ = false;
    PagerStats stats_;
    std::array<u64, 1024> stalls_ = {};  // the last ones, in nanoseconds
};

}  // namespace ramet
