#include "remote/pager.h"

#include <algorithm>

#include "base/fiber.h"
#include "remote/host_time.h"

namespace ramet {

namespace {

constexpr u32 kind(MessageKind k) { return static_cast<u32>(k); }

Memory nothing(std::shared_ptr<PagePool> pool, const std::vector<RamRange>& ranges) {
    Memory made{std::move(pool), ranges};
    for (const RamRange& range : ranges) CHECK(made.release(range), "memory for the first few tree nodes");
    return made;
}

}  // namespace

Pager::Pager(std::shared_ptr<PagePool> pool, const std::vector<RamRange>& ranges, std::shared_ptr<KnownPages> known)
    : ranges_(ranges), store_(nothing(std::move(pool), ranges)), known_(std::move(known)) {
    for (const RamRange& range : ranges) total_ += range.count;
    absent_ = total_;
}

void Pager::connect(Link* link) {
    link_ = link;
    if (link_ == nullptr || wanted_.empty()) return;
    std::vector<Frame> const frames{wanted_.begin(), wanted_.end()};
    for (std::size_t at = 0; at < frames.size(); at += Want::count_max) {
        auto const end = std::min(frames.size(), at + Want::count_max);
        link_->send(kind(MessageKind::want), Want{{frames.begin() + static_cast<std::ptrdiff_t>(at), frames.begin() + static_cast<std::ptrdiff_t>(end)}}.bytes());
    }
}

void Pager::want(Frame frame) {
    if (!store_.is_absent(frame) || !wanted_.insert(frame).second || link_ == nullptr) return;
    link_->send(kind(MessageKind::want), Want{{frame}}.bytes());
    static_cast<void>(link_->flush());  // a broken link is found by whoever reads it
}

bool Pager::fetch(Frame frame, Memory& into) {
    if (store_.is_absent(frame)) {
        ++stats_.asked;
        u64 const from = host_ns();
        want(frame);
        while (store_.is_absent(frame)) {
            if (lost_) return false;
            if (Fiber::inside())
                Fiber::suspend();
            else if (!pump_ || !pump_())
                return false;
        }
        u64 const stalled = host_ns() - from;
        stalls_[(stats_.asked - 1) % stalls_.size()] = stalled;
        stats_.stalled_ns += stalled;
        stats_.stall_max_ns = std::max(stats_.stall_max_ns, stalled);
    }
    into.adopt(frame, store_);
    return true;
}

PagerStats Pager::stats() const {
    PagerStats stats = stats_;
    std::size_t const count = static_cast<std::size_t>(std::min<u64>(stats.asked, stalls_.size()));
    std::array<u64, 1024> sorted = stalls_;
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(count / 2), sorted.begin() + static_cast<std::ptrdiff_t>(count));
    if (count != 0) stats.stall_p50_ns = sorted[count / 2];
    return stats;
}

bool Pager::is_mine(u32 k) { return k == kind(MessageKind::zeros) || k == kind(MessageKind::pages) || k == kind(MessageKind::names); }

Expected<Done> Pager::handle(const WireFrame& message) {
    switch (static_cast<MessageKind>(message.kind)) {
    case MessageKind::zeros: return take(TRY(Runs::parse(message.bytes)));
    case MessageKind::pages: return take(TRY(Pages::parse(message.bytes)));
    case MessageKind::names: return take(TRY(Names::parse(message.bytes)));
    default: return Error{"no message of pages"};
    }
}

Expected<Done> Pager::check(Frame frame, u64 count) const {
    for (const RamRange& range : ranges_)
        if (frame >= range.first && frame - range.first <= range.count && count <= range.count - (frame - range.first)) return Done{};
    return Error{"the peer sent frame " + std::to_string(frame.value) + ", which is no memory of the machine"};
}

/// Nothing is applied of a message that is wrong anywhere.
Expected<Done> Pager::take(const Runs& zeros) {
    for (const RamRange& run : zeros.runs) TRY(check(run.first, run.count));
    for (const RamRange& run : zeros.runs) {
        for (u64 i = 0; i < run.count; ++i) {
            if (!store_.is_absent(run.first + i)) continue;
            --absent_;
            ++stats_.zeros;
        }
        if (!store_.install_zeros(run)) return Error{"no memory is left for the machine"};
        wanted_.erase(wanted_.lower_bound(run.first), wanted_.lower_bound(run.first + run.count));
    }
    confirm(zeros.sequence);
    return Done{};
}

Expected<Done> Pager::take(const Pages& pages) {
    for (Frame const frame : pages.frames) TRY(check(frame, 1));
    for (std::size_t i = 0; i < pages.frames.size(); ++i) {
        Frame const frame = pages.frames[i];
        if (!store_.is_absent(frame)) continue;
        if (!store_.install(frame, pages.content.subspan(i * page_size).first<page_size>())) return Error{"no memory is left for the machine"};
        --absent_;
        ++stats_.received;
        wanted_.erase(frame);
    }
    confirm(pages.sequence);
    return Done{};
}

Expected<Done> Pager::take(const Names& names) {
    for (const Names::Name& name : names.names) TRY(check(name.frame, 1));
    std::vector<Frame> unknown;
    for (const Names::Name& name : names.names) {
        if (!store_.is_absent(name.frame)) continue;
        if (known_ && known_->put(name.sha256, name.frame, store_)) {
            --absent_;
            ++stats_.named;
            wanted_.erase(name.frame);
        } else {
            unknown.push_back(name.frame);
        }
    }
    if (!unknown.empty() && link_ != nullptr) link_->send(kind(MessageKind::want), Want{unknown}.bytes());  // before the confirmation
    confirm(names.sequence);
    return Done{};
}

void Pager::confirm(u64 sequence) {
    if (link_ != nullptr) link_->send(kind(MessageKind::got), number_bytes(sequence));
}

void Pager::count_absent() {
    absent_ = store_.absent_frames(Frame{}, ~std::size_t{0}).size();
    std::erase_if(wanted_, [this](Frame frame) { return !store_.is_absent(frame); });
}

std::vector<Runs> Pager::lacks() const {
    std::vector<Runs> messages(1);
    for (Frame const frame : store_.absent_frames(Frame{}, ~std::size_t{0})) {
        auto& runs = messages.back().runs;
        if (!runs.empty() && runs.back().first + runs.back().count == frame) {
            ++runs.back().count;
        } else if (runs.size() < Runs::count_max) {
            runs.push_back({frame, 1});
        } else {
            messages.back().more = true;
            messages.emplace_back().runs.push_back({frame, 1});
        }
    }
    return messages;
}

}  // namespace ramet
