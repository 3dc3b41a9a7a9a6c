#include "remote/page_server.h"

#include <algorithm>
#include <cstring>

#include "base/fiber.h"
#include "remote/host_time.h"

namespace ramet {

namespace {

constexpr u64 window_bytes = 4 << 20;           // in flight while nobody asks: what hides a scheduler's hiccup
constexpr u64 attentive_window_bytes = 64 << 10;  // while the child asks: what an answer may have to wait behind
constexpr u64 attentive_ns = 5 * ns_per_ms;
constexpr std::size_t attentive_batch = 8;
constexpr std::size_t names_batch = 16;           // hashing takes microseconds a page, and answers wait meanwhile
constexpr u64 zeros_examined_max = 64 << 10;      // frames at a time, for the same reason
constexpr std::size_t unsent_max = 512 << 10;
constexpr u64 idle_ns = 200 * ns_per_ms;
constexpr std::size_t history_max = 1 << 20;

std::vector<RamRange> runs_of(const std::vector<Frame>& frames) {
    std::vector<RamRange> runs;
    for (Frame const frame : frames) runs.push_back({frame, 1});
    return runs;
}

bool is_zero(const u8* page) { return page[0] == 0 && std::memcmp(page, page + 1, page_size - 1) == 0; }

constexpr u32 kind(MessageKind k) { return static_cast<u32>(k); }

}  // namespace

PageServer::PageServer(const std::vector<RamRange>& ranges, ServeOptions options, std::shared_ptr<Wakeup> parent)
    : options_(std::move(options)), parent_(std::move(parent)), ledger_(ranges), order_(options_.first) {
    stats_.total = ledger_.total();
    if (!ranges.empty()) queued_.resize(ranges.back().first.value + ranges.back().count);
}

void PageServer::start(Memory frozen, Push push) {
    Lock const lock(mutex_);
    pushes_ = push == Push::at_once;
    frozen_.emplace(std::move(frozen));
    lacks_ = !frozen_->absent_frames(Frame{}, 1).empty();
    push_from_ns_ = host_ns();
    serving_ = true;
}

void PageServer::child_runs() {
    Lock const lock(mutex_);
    pushes_ = true;
}

void PageServer::push_all() {
    {
        Lock const lock(mutex_);
        options_.push_bytes_per_s = ServeOptions::unlimited;
    }
    wakeup_.signal();
}

Expected<Done> PageServer::serve(Link& link, const Other& other) {
    {
        Lock const lock(mutex_);
        serving_ = true;
    }
    auto const run = [&]() -> Expected<Done> {
        for (;;) {
            while (auto const message = TRY(link.receive())) TRY(handle(*message, other));
            u64 const next_push = TRY(fill(link));
            TRY(link.flush());
            {
                Lock const lock(mutex_);
                if (stop_ || (ledger_.all_confirmed() && link.unsent() == 0)) return Done{};
            }
            u64 const now = host_ns();
            if (next_push > now) link.wait(std::min(next_push - now, idle_ns), &wakeup_);
        }
    };
    Expected<Done> const result = run();
    broken();
    return result;
}

void PageServer::broken() {
    Lock const lock(mutex_);
    serving_ = false;
    before_write_.clear();
    changed_.notify_all();
    if (parent_) parent_->signal();
}

Expected<Done> PageServer::restart(const std::vector<RamRange>& lacks) {
    Lock const lock(mutex_);
    if (!ledger_.restart(lacks)) return Error{"the peer lacks pages that it had confirmed; it is not the machine that was sent there"};
    asked_.clear();
    queued_.assign(queued_.size(), false);
    order_.start_over();
    zeros_next_ = {};
    pushes_ = true;
    return Done{};
}

void PageServer::stop() {
    {
        Lock const lock(mutex_);
        stop_ = true;
    }
    wakeup_.signal();
}

bool PageServer::complete() const {
    Lock const lock(mutex_);
    return ledger_.all_confirmed();
}

Expected<Done> PageServer::handle(const WireFrame& message, const Other& other) {
    switch (static_cast<MessageKind>(message.kind)) {
    case MessageKind::want: {
        Want const want = TRY(Want::parse(message.bytes));
        Lock const lock(mutex_);
        for (Frame const frame : want.frames) {
            if (ledger_.fate(frame) == PageLedger::Fate::outside) return Error{"the peer asks for frame " + std::to_string(frame.value) + ", which is no memory"};
            wanted(frame);
        }
        return Done{};
    }
    case MessageKind::got: confirmed(TRY(parse_number(message.bytes))); return Done{};
    case MessageKind::refuse: return Error{"the peer says: " + TRY(Refuse::parse(message.bytes)).text};
    default: break;
    }
    if (TRY(other(message))) return Done{};
    return Error{"the peer sent a message of kind " + std::to_string(message.kind) + ", which has no meaning now"};
}

/// What was sent is on its way, and asking for it again is idle: so a peer cannot make the queue longer than its memory.
void PageServer::wanted(Frame frame) {
    last_ask_ns_ = host_ns();
    ledger_.unname(frame);
    if (!ledger_.needs_sending(frame) || queued_[frame.value]) return;
    queued_[frame.value] = true;
    if (history_.size() < history_max) history_.push_back(frame);
    order_.fault(frame);
    asked_.push_back(frame);
}

void PageServer::confirmed(u64 sequence) {
    Lock const lock(mutex_);
    auto const runs = ledger_.confirm(sequence);
    if (runs.empty()) return;
    if (options_.release && frozen_)
        for (const RamRange& run : runs) frozen_->release(run);
    if (writes_waiting_ == 0) return;
    changed_.notify_all();
    if (parent_) parent_->signal();
}

Expected<u64> PageServer::fill(Link& link) {
    Lock const lock(mutex_);
    if (!frozen_) return host_ns() + idle_ns;
    while (link.unsent() < unsent_max && send_asked(link)) {}
    for (;;) {
        u64 const now = host_ns();
        if (!pushes_) return now + idle_ns;
        bool const attentive = now - last_ask_ns_ < attentive_ns;
        u64 const window = attentive ? attentive_window_bytes : window_bytes;
        if (options_.push_bytes_per_s == 0 && order_.listed_done()) return now + idle_ns;
        if (ledger_.bytes_in_flight() >= window || link.unsent() >= unsent_max) return now + idle_ns;
        u64 const due_ns = options_.push_bytes_per_s == ServeOptions::unlimited || options_.push_bytes_per_s == 0
                               ? 0
                               : push_from_ns_ + static_cast<u64>(u128{push_bytes_} * ns_per_s / options_.push_bytes_per_s);
        if (due_ns > now) return due_ns;
        std::size_t const room = attentive ? attentive_batch : options_.names ? names_batch : Pages::count_max;
        if (!push(link, room)) return now + idle_ns;
        if (attentive) TRY(link.flush());
    }
}

/// One message of asked pages; false when there is nothing to send.
bool PageServer::send_asked(Link& link) {
    std::vector<Frame> frames;
    auto const take = [&](std::deque<Frame>& queue, u64& count) {
        for (; !queue.empty() && frames.size() < Pages::count_max; queue.pop_front()) {
            Frame const frame = queue.front();
            queued_[frame.value] = false;
            if (!ledger_.needs_sending(frame) || std::find(frames.begin(), frames.end(), frame) != frames.end()) continue;
            if (frozen_->is_absent(frame)) {
                lacking_.insert(frame);
                if (parent_) parent_->signal();
                continue;
            }
            frames.push_back(frame);
            ++count;
        }
    };
    take(before_write_, stats_.before_write);
    take(asked_, stats_.demanded);
    if (frames.empty()) return false;
    send_frames(link, frames, PageLedger::Fate::sent);
    return true;
}

/// One message that nobody asked for; false when nothing is left that may go.
bool PageServer::push(Link& link, std::size_t room) {
    bool const list_only = options_.push_bytes_per_s == 0;
    if (order_.listed_done() && !list_only && push_zeros(link)) return true;
    std::vector<Frame> frames;
    auto const wanted = [&](Frame frame) {
        return ledger_.needs_sending(frame) && !frozen_->is_absent(frame) && std::find(frames.begin(), frames.end(), frame) == frames.end();
    };
    while (frames.size() < room && !(list_only && order_.listed_done())) {
        auto const frame = order_.next(*frozen_, wanted);
        if (!frame) break;
        frames.push_back(*frame);
    }
    if (frames.empty()) return false;
    (options_.names ? stats_.named : stats_.pushed) += frames.size();
    push_bytes_ += frames.size() * page_size;
    send_frames(link, frames, options_.names ? PageLedger::Fate::named : PageLedger::Fate::sent);
    return true;
}

/// One message of runs of frames without a page; false when all were told.
bool PageServer::push_zeros(Link& link) {
    Runs message;
    u64 examined = 0;
    auto const due = [&](Frame frame) { return ledger_.needs_sending(frame) && !(lacks_ && frozen_->is_absent(frame)); };
    for (const RamRange& range : frozen_->ranges()) {
        Frame const end = range.first + range.count;
        zeros_next_ = std::max(zeros_next_, range.first);
        while (zeros_next_ < end) {
            if (examined >= zeros_examined_max || message.runs.size() == Runs::count_max) return tell_zeros(link, std::move(message)), true;
            std::vector<Frame> const stored = frozen_->stored_frames(zeros_next_, 1);
            Frame const until = std::min({stored.empty() ? end : stored[0], end, zeros_next_ + zeros_examined_max});
            Frame first = zeros_next_;
            while (first < until && !due(first)) first += 1;
            Frame last = first;
            while (last < until && due(last)) last += 1;
            if (first < last) message.runs.push_back({first, last - first});
            examined += last - zeros_next_ + 1;
            zeros_next_ = last < end && !stored.empty() && last == stored[0] ? last + 1 : last;
        }
    }
    tell_zeros(link, std::move(message));
    return examined != 0;
}

void PageServer::tell_zeros(Link& link, Runs message) {
    if (message.runs.empty()) return;
    for (const RamRange& run : message.runs) stats_.zeros += run.count;
    message.sequence = ledger_.send(message.runs, PageLedger::Fate::sent, 0);
    link.send(kind(MessageKind::zeros), message.bytes());
}

void PageServer::send_frames(Link& link, const std::vector<Frame>& frames, PageLedger::Fate as) {
    std::vector<Frame> stored;
    Runs zeros;
    for (Frame const frame : frames) {
        if (is_zero(frozen_->read(frame)))
            zeros.runs.push_back({frame, 1});
        else
            stored.push_back(frame);
    }
    std::sort(zeros.runs.begin(), zeros.runs.end(), [](const RamRange& a, const RamRange& b) { return a.first < b.first; });
    tell_zeros(link, std::move(zeros));
    if (stored.empty()) return;
    u64 const sequence = ledger_.send(runs_of(stored), as, stored.size() * page_size);
    if (as == PageLedger::Fate::named) {
        Names names{.sequence = sequence, .names = {}};
        for (Frame const frame : stored) names.names.push_back({frame, sha256_of({frozen_->read(frame), page_size})});
        return link.send(kind(MessageKind::names), names.bytes());
    }
    ByteWriter head;
    Pages::begin(head, sequence, stored);
    std::vector<std::span<const u8>> parts = {head.bytes()};
    for (Frame const frame : stored) parts.emplace_back(frozen_->read(frame), page_size);
    link.send(kind(MessageKind::pages), parts);
}

void PageServer::about_to_write(Frame frame) {
    if (options_.on_write == OnWrite::keep) return;
    Lock lock(mutex_);
    auto const waits = [&] { return serving_ && frozen_ && !frozen_->is_absent(frame) && ledger_.fate(frame) != PageLedger::Fate::confirmed; };
    if (waits()) {
        ledger_.unname(frame);
        before_write_.push_back(frame);
        wakeup_.signal();
    }
    ++writes_waiting_;
    while (waits()) {
        if (!Fiber::inside()) {
            changed_.wait(lock);
            continue;
        }
        lock.unlock();
        Fiber::suspend();
        lock.lock();
    }
    --writes_waiting_;
    if (frozen_ && ledger_.fate(frame) == PageLedger::Fate::confirmed) frozen_->release({frame, 1});
}

std::vector<Frame> PageServer::lacking() const {
    Lock const lock(mutex_);
    return {lacking_.begin(), lacking_.end()};
}

bool PageServer::supply(Memory& from) {
    Lock const lock(mutex_);
    if (ledger_.all_confirmed()) return true;
    if (!frozen_) return false;
    if (options_.release || options_.on_write == OnWrite::send) {  // what was released is absent as well, and stays so
        for (Frame const frame : frozen_->absent_frames(Frame{}, ~std::size_t{0}))
            if (ledger_.fate(frame) != PageLedger::Fate::confirmed) frozen_->adopt(frame, from);
    } else {
        frozen_->adopt_all(from);
    }
    for (auto frame = lacking_.begin(); frame != lacking_.end();) {
        bool const here = !frozen_->is_absent(*frame);
        if (here) asked_.push_front(*frame);
        frame = here ? lacking_.erase(frame) : std::next(frame);
    }
    order_.start_over();
    zeros_next_ = {};
    wakeup_.signal();
    return true;
}

std::vector<Frame> PageServer::asked() const {
    Lock const lock(mutex_);
    return history_;
}

ServeStats PageServer::stats() const {
    Lock const lock(mutex_);
    ServeStats stats = stats_;
    stats.confirmed = ledger_.confirmed();
    return stats;
}

Memory PageServer::take() {
    Lock const lock(mutex_);
    CHECK(frozen_.has_value() && !serving_, "memory that nobody serves");
    Memory taken = std::move(*frozen_);
    frozen_.reset();
    return taken;
}

}  // namespace ramet
