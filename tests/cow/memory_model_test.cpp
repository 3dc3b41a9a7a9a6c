// Random lives of a family of memories, compared with plain arrays.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/cow/attachments.h"
#include "tests/cow/family.h"

namespace ramet {
namespace {

constexpr std::size_t family_size_max = 40;

/// Steps of one random life; rapidcheck chooses and shrinks the seed and the length.
void live(u64 seed, u64 steps) {
    Prng prng = Prng::seeded(seed);
    auto const pool = std::make_shared<PagePool>();
    int attachments = 0;
    {
        std::vector<Member> family;
        family.push_back({Memory{pool, family_ranges()}, {}});
        for (u64 step = 0; step < steps; ++step) {
            std::size_t const who = prng.below(family.size());
            Member& member = family[who];
            switch (prng.below(16)) {
            case 0:
            case 1:
                if (family.size() < family_size_max) family.push_back(member.fork());
                break;
            case 2:
                if (family.size() > 1) family.erase(family.begin() + static_cast<std::ptrdiff_t>(who));
                break;
            case 3: RC_ASSERT(member.memory.digest() == member.expected_digest()); break;
            case 4: RC_ASSERT(member.matches()); break;
            case 5: member.memory.quiesce(); break;
            case 6: {
                std::size_t const other = prng.below(family.size());
                auto const frames = member.memory.differing_frames(family[other].memory);
                for (u64 n = 0; n < family_frame_count; ++n) {
                    bool const listed = std::find(frames.begin(), frames.end(), family_frame(n)) != frames.end();
                    RC_ASSERT(listed == (member.memory.read(family_frame(n)) != family[other].memory.read(family_frame(n))));
                }
                break;
            }
            case 7: {
                Frame const frame = family_frame(prng.below(family_frame_count));
                RC_ASSERT(member.memory.attach(frame, std::make_unique<CountedAttachment>(attachments, 0)) != nullptr);
                RC_ASSERT(member.memory.attachment(frame) != nullptr);
                if (prng.below(2) == 0) member.memory.detach(frame);
                break;
            }
            case 8: {
                std::size_t const other = prng.below(family.size());
                if (other != who) member = family[other].fork();
                break;
            }
            case 9:
            case 10: RC_ASSERT(member.read(random_word(prng))); break;
            default: RC_ASSERT(member.write(random_word(prng), prng.below(3) == 0 ? 0 : prng.next())); break;
            }
        }
        for (Member& member : family) {
            RC_ASSERT(member.matches());
            RC_ASSERT(member.memory.digest() == member.expected_digest());
        }
    }
    RC_ASSERT(pool->live_pages() == 0U);
    RC_ASSERT(pool->live_nodes() == 0U);
    RC_ASSERT(attachments == 0);
}

RC_GTEST_PROP(MemoryModel, AFamilyBehavesLikeArrays, (u64 seed)) { live(seed, *rc::gen::inRange<u64>(0, 600)); }

/// A pointer from an earlier grant stays good exactly as long as the contract says: same epoch, not moved.
RC_GTEST_PROP(MemoryModel, CachedWriteRightsHoldUntilTheEpochAdvances, (u64 seed)) {
    Prng prng = Prng::seeded(seed);
    struct Right {
        u64 epoch;
        u8* bytes;
    };
    auto const pool = std::make_shared<PagePool>();
    Member member{Memory{pool, family_ranges()}, {}};
    std::vector<Member> children;
    std::map<u64, Right> rights;  // by frame index: what a TLB would hold
    for (int step = 0; step < 400; ++step) {
        u64 const word = random_word(prng);
        u64 const n = word / words_per_page;
        switch (prng.below(12)) {
        case 0: children.push_back(member.fork()); break;
        case 1: children.clear(); break;
        case 2: member.memory.digest(); break;
        default:
            auto const held = rights.find(n);
            u64 const value = prng.next();
            if (held != rights.end() && held->second.epoch == member.memory.epoch()) {
                store_le(held->second.bytes + word % words_per_page * 8, value);  // as the CPU does: without asking
                member.content[word] = value;
            } else {
                RC_ASSERT(member.write(word, value));
                rights[n] = {member.memory.epoch(), member.memory.write(family_frame(n)).bytes};
            }
        }
        RC_ASSERT(member.read(word));
    }
    RC_ASSERT(member.matches());
    RC_ASSERT(member.memory.digest() == member.expected_digest());
    for (Member& child : children) RC_ASSERT(child.matches());
}

/// With few pages, writes fail now and then; what did not fail is as the model says, and nothing is lost.
RC_GTEST_PROP(MemoryModel, AFamilySurvivesExhaustion, (u64 seed)) {
    Prng prng = Prng::seeded(seed);
    auto const pool = std::make_shared<PagePool>(1 + prng.below(60));
    {
        std::vector<Member> family;
        family.push_back({Memory{pool, family_ranges()}, {}});
        for (u64 step = 0; step < 300; ++step) {
            std::size_t const who = prng.below(family.size());
            if (prng.below(12) == 0 && family.size() < 12) {
                family.push_back(family[who].fork());
            } else if (prng.below(12) == 0 && family.size() > 1) {
                family.erase(family.begin() + static_cast<std::ptrdiff_t>(who));
            } else if (!family[who].write(random_word(prng), prng.next())) {
                RC_ASSERT(family[who].memory.trouble() == MemoryTrouble::exhausted);
            }
        }
        for (Member& member : family) RC_ASSERT(member.matches());
    }
    RC_ASSERT(pool->live_pages() == 0U);
}

}  // namespace
}  // namespace ramet
