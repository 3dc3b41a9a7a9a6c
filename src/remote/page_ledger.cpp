#include "remote/page_ledger.h"

#include <algorithm>

namespace ramet {

namespace {

/// Appends one frame to ascending runs.
void extend(std::vector<RamRange>& runs, Frame frame) {
    if (!runs.empty() && runs.back().first + runs.back().count == frame)
        ++runs.back().count;
    else
        runs.push_back({frame, 1});
}

}  // namespace

PageLedger::PageLedger(const std::vector<RamRange>& ranges) : ranges_(ranges) {
    for (const RamRange& range : ranges) total_ += range.count;
    fates_.assign(total_, Fate::unsent);
}

std::size_t PageLedger::index(Frame frame) const {
    std::size_t before = 0;
    for (const RamRange& range : ranges_) {
        if (frame.value - range.first.value < range.count) return before + (frame.value - range.first.value);
        before += range.count;
    }
    return npos;
}

PageLedger::Fate PageLedger::fate(Frame frame) const {
    std::size_t const at = index(frame);
    return at == npos ? Fate::outside : fates_[at];
}

u64 PageLedger::send(const std::vector<RamRange>& runs, Fate as, u64 bytes) {
    for (const RamRange& run : runs)
        for (u64 i = 0; i < run.count; ++i) {
            std::size_t const at = index(run.first + i);
            if (at != npos && fates_[at] == Fate::unsent) fates_[at] = as;
        }
    flights_.push_back({next_sequence_, bytes, runs});
    bytes_in_flight_ += bytes;
    return next_sequence_++;
}

void PageLedger::unname(Frame frame) {
    if (fate(frame) != Fate::named) return;
    fates_[index(frame)] = Fate::unsent;
    for (Flight& flight : flights_) {
        std::vector<RamRange> rest;
        for (const RamRange& run : flight.runs)
            for (u64 i = 0; i < run.count; ++i)
                if (run.first + i != frame) extend(rest, run.first + i);
        flight.runs = std::move(rest);
    }
}

std::vector<RamRange> PageLedger::confirm(u64 sequence) {
    std::vector<RamRange> confirmed;
    while (!flights_.empty() && flights_.front().sequence <= sequence) {
        for (const RamRange& run : flights_.front().runs)
            for (u64 i = 0; i < run.count; ++i) {
                std::size_t const at = index(run.first + i);
                if (at == npos) continue;
                Fate& fate = fates_[at];
                if (fate != Fate::sent && fate != Fate::named) continue;
                fate = Fate::confirmed;
                ++confirmed_;
                extend(confirmed, run.first + i);
            }
        bytes_in_flight_ -= flights_.front().bytes;
        flights_.pop_front();
    }
    return confirmed;
}

bool PageLedger::restart(const std::vector<RamRange>& lacks) {
    std::vector<bool> lacking(fates_.size());
    for (const RamRange& run : lacks)
        for (u64 i = 0; i < run.count; ++i) {
            Frame const frame = run.first + i;
            if (fate(frame) == Fate::outside || fate(frame) == Fate::confirmed) return false;
            lacking[index(frame)] = true;
        }
    flights_.clear();
    bytes_in_flight_ = 0;
    for (std::size_t i = 0; i < fates_.size(); ++i) {
        if (fates_[i] == Fate::confirmed) continue;
        fates_[i] = lacking[i] ? Fate::unsent : Fate::confirmed;
        if (!lacking[i]) ++confirmed_;
    }
    return true;
}

}  // namespace ramet
