// The TLB against a model that forgets nothing it was not told to: what the TLB still answers, from a slot or from its victims, the model has.
#include "x86/tlb.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

namespace ramet {
namespace {

constexpr u64 stride = Tlb::entry_count * page_size;  // pages so far apart share a slot

struct Known {
    u32 frame;
    bool writable;
};
using Pages = std::map<std::pair<Context, u64>, Known>;

std::array<std::array<u8, page_size>, 8> host;  // by frame

/// Host address of the page as the TLB has it, or nullptr.
const u8* answer(Tlb& tlb, Context c, u64 page, bool write) {
    TlbEntry const& e = tlb.at(c, page);
    bool const hit = (write ? e.write_tag : e.read_tag) == page;
    return hit || tlb.recall(c, page, write) ? reinterpret_cast<const u8*>(page + e.addend) : nullptr;
}

void fill(Tlb& tlb, Pages& pages, Context c, u64 page, u32 frame, bool write) {
    if (write) tlb.fill_write(c, page, Frame{frame}, host[frame].data());
    else tlb.fill_read(c, page, Frame{frame}, host[frame].data());
    auto const [at, added] = pages.try_emplace({c, page}, Known{frame, write});
    if (!added) at->second = {frame, write || (at->second.frame == frame && at->second.writable)};
}

template <class Predicate>
void forget(Pages& pages, Predicate gone) {
    std::erase_if(pages, [&](auto const& p) { return gone(p.first.second, p.second); });
}

RC_GTEST_PROP(Tlb, AnswersNothingThatWasTakenBack, ()) {
    Tlb tlb;
    Pages pages;
    auto const some = [](unsigned count) { return *rc::gen::inRange(0U, count); };
    for (unsigned i = some(2000); i > 0; --i) {
        auto const c = static_cast<Context>(some(2));
        u64 const page = some(6) * stride;
        u32 const frame = some(8);
        switch (some(9)) {
        case 0: tlb.flush_page(page), forget(pages, [&](u64 p, Known) { return p == page; }); break;
        case 1: tlb.drop_frame(Frame{frame}), forget(pages, [&](u64, Known k) { return k.frame == frame; }); break;
        case 2:
            tlb.revoke_write(Frame{frame});
            for (auto& [at, k] : pages) k.writable = k.writable && k.frame != frame;
            break;
        case 3:
            if (some(8) == 0) tlb.flush(), pages.clear();
            break;
        case 4:
            if (some(8) == 0) {
                tlb.revoke_all_writes();
                for (auto& [at, k] : pages) k.writable = false;
            }
            break;
        default:
            tlb.flush_page(page), forget(pages, [&](u64 p, Known) { return p == page; });  // as a mapping changes
            fill(tlb, pages, c, page, frame, some(2) == 0);
        }
        bool const write = some(2) == 0;
        const u8* const at = answer(tlb, c, page, write);
        if (at == nullptr) continue;
        auto const known = pages.find({c, page});
        RC_ASSERT(known != pages.end());
        RC_ASSERT(!write || known->second.writable);
        RC_ASSERT(at == host[known->second.frame].data());
    }
}

TEST(Tlb, KeepsPagesThatShareASlot) {
    Tlb tlb;
    for (u64 n = 0; n < 5; ++n) tlb.fill_write(Context::user, n * stride, Frame{n}, host[n].data());
    for (u64 round = 0; round < 3; ++round)
        for (u64 n = 0; n < 5; ++n) EXPECT_EQ(answer(tlb, Context::user, n * stride, true), host[n].data());
}

}  // namespace
}  // namespace ramet
