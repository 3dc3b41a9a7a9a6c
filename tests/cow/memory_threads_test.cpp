// Relatives on several threads: each thread owns some machines, all share pages and nodes. Most telling under the thread sanitizer.
#include <barrier>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/cow/family.h"

namespace ramet {
namespace {

struct CountedShared : PageAttachment {
    explicit CountedShared(std::atomic<int>& live) : live_(live) { ++live_; }
    ~CountedShared() override { --live_; }

private:
    std::atomic<int>& live_;
};

/// Machines change hands here: a fork made on one thread goes on living on another.
class Exchange {
public:
    void put(Member member) {
        std::lock_guard const lock(mutex_);
        members_.push_back(std::move(member));
    }
    std::optional<Member> take() {
        std::lock_guard const lock(mutex_);
        if (members_.empty()) return std::nullopt;
        std::optional<Member> taken{std::move(members_.back())};
        members_.pop_back();
        return taken;
    }

private:
    std::mutex mutex_;
    std::vector<Member> members_;
};

/// Returns what went wrong first, or nullptr.
const char* live(u64 seed, std::vector<Member>& own, Exchange& exchange, std::atomic<int>& attachments) {
    Prng prng = Prng::seeded(seed);
    for (int step = 0; step < 600; ++step) {
        if (own.empty()) {
            if (auto taken = exchange.take()) own.push_back(std::move(*taken));
            continue;
        }
        std::size_t const who = prng.below(own.size());
        Member& member = own[who];
        switch (prng.below(16)) {
        case 0:
        case 1:
            if (own.size() < 10) own.push_back(member.fork());
            break;
        case 2:
            if (own.size() > 1) own.erase(own.begin() + static_cast<std::ptrdiff_t>(who));
            break;
        case 3: exchange.put(member.fork()); break;
        case 4:
            if (auto taken = exchange.take()) own.push_back(std::move(*taken));
            if (own.size() > 12) own.erase(own.begin());
            break;
        case 5: member.memory.digest(); break;
        case 6: member.memory.quiesce(); break;
        case 7: {
            Frame const frame = family_frame(prng.below(4));
            if (member.memory.attach(frame, std::make_unique<CountedShared>(attachments)) == nullptr) return "attach";
            if (prng.below(4) == 0) member.memory.detach(frame);
            break;
        }
        case 8:
        case 9:
        case 10:
            if (!member.read(random_word(prng))) return "read";
            break;
        default:
            if (!member.write(random_word(prng), prng.next())) return "write";
            break;
        }
    }
    for (Member& member : own) {
        if (!member.matches()) return "content at the end";
        if (member.memory.digest() != member.expected_digest()) return "digest at the end";
    }
    return nullptr;
}

RC_GTEST_PROP(MemoryThreads, RelativesDoNotDisturbEachOther, (u64 seed)) {
    constexpr std::size_t thread_count = 4;
    auto const pool = std::make_shared<PagePool>();
    std::atomic<int> attachments = 0;
    std::array<const char*, thread_count> wrong = {};
    {
        Member first{Memory{pool, family_ranges()}, {}};
        for (u64 n = 0; n < family_frame_count; ++n) first.write(n * words_per_page, n + 1);
        Exchange exchange;
        std::vector<std::vector<Member>> owned(thread_count);
        for (auto& own : owned) own.push_back(first.fork());
        std::barrier start{std::ptrdiff_t{thread_count}};
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < thread_count; ++i)
            threads.emplace_back([&, i] {
                start.arrive_and_wait();
                wrong[i] = live(seed + i, owned[i], exchange, attachments);
                owned[i].clear();
            });
        threads.clear();  // joins
        RC_ASSERT(first.matches());
        while (auto left = exchange.take()) RC_ASSERT(left->matches());
    }
    for (const char* const what : wrong) RC_ASSERT(what == nullptr);
    RC_ASSERT(pool->live_pages() == 0U);
    RC_ASSERT(pool->live_nodes() == 0U);
    RC_ASSERT(attachments.load() == 0);
}

}  // namespace
}  // namespace ramet
