// PageLedger: what the source of a child knows about each frame: whether it has gone out, and whether the child has confirmed it. Pure bookkeeping:
// it sees neither memory nor links.
//
// A message's frames are confirmed together, by its sequence number. What went over a link that broke counts as not sent.
// Cost: one byte a frame.
// Tests: tests/remote/page_ledger_test.cpp.
#pragma once

#include <deque>
#include <vector>

#include "cow/memory.h"

namespace ramet {

class PageLedger {
public:
    enum class Fate : u8 {
        outside,    ///< no RAM
        unsent,
        named,      ///< its hash has gone out
        sent,       ///< its content has gone out
        confirmed,  ///< the child has it
    };

    explicit PageLedger(const std::vector<RamRange>& ranges);

    Fate fate(Frame frame) const;
    bool needs_sending(Frame frame) const { return fate(frame) == Fate::unsent; }

    /// These go out in one message of about `bytes`; its sequence number. Those that are no RAM, confirmed or sent already are left alone.
    u64 send(const std::vector<RamRange>& runs, Fate as, u64 bytes);
    /// The child wants it although it was named: it does not know it.
    void unname(Frame frame);
    /// Confirms all messages up to this number. The frames that became confirmed, in runs.
    std::vector<RamRange> confirm(u64 sequence);
    /// After the link broke: the child lacks exactly these. False when that cannot be: it lacks something that it had confirmed.
    bool restart(const std::vector<RamRange>& lacks);

    u64 next_sequence() const { return next_sequence_; }
    u64 bytes_in_flight() const { return bytes_in_flight_; }
    u64 total() const { return total_; }
    u64 confirmed() const { return confirmed_; }
    bool all_confirmed() const { return confirmed_ == total_; }

private:
    struct Flight {
        u64 sequence = 0;
        u64 bytes = 0;
        std::vector<RamRange> runs;
    };

    /// Where in fates_ a frame is; npos when it is outside.
    std::size_t index(Frame frame) const;
    static constexpr std::size_t npos = ~std::size_t{0};

    std::vector<RamRange> ranges_;
    std::vector<Fate> fates_;  // of the ranges, one after the other
    std::deque<Flight> flights_;
    u64 next_sequence_ = 1;
    u64 bytes_in_flight_ = 0;
    u64 total_ = 0;
    u64 confirmed_ = 0;
};

}  // namespace ramet
