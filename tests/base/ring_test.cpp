#include "base/ring.h"

#include <deque>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/state.h"

namespace ramet {
namespace {

RC_GTEST_PROP(Ring, BehavesLikeABoundedDeque, (std::vector<u8> actions)) {
    Ring<u8, 5> ring;
    std::deque<u8> model;
    for (u8 const action : actions) {
        if (action % 3 == 0 && !model.empty()) {
            RC_ASSERT(ring.pop() == model.front());
            model.pop_front();
        } else {
            bool const stored = ring.push(action);
            RC_ASSERT(stored == (model.size() < 5));
            if (stored) model.push_back(action);
        }
        RC_ASSERT(ring.size() == model.size());
        RC_ASSERT(ring.room() == 5 - model.size());
        RC_ASSERT(ring.valid());
        for (u32 i = 0; i < ring.size(); ++i) RC_ASSERT(ring.at(i) == model[i]);
    }
}

TEST(Ring, RefusesOneBeyondItsCapacity) {
    Ring<u8, 2> ring;
    EXPECT_TRUE(ring.push(1));
    EXPECT_TRUE(ring.push(2));
    EXPECT_TRUE(ring.full());
    EXPECT_FALSE(ring.push(3));
    EXPECT_EQ(ring.pop(), 1);
}

TEST(Ring, AnEmptiedRingIsLikeNew) {
    Ring<u8, 4> ring;
    for (u8 i = 0; i < 3; ++i) ring.push(i);
    for (u8 i = 0; i < 3; ++i) ring.pop();
    EXPECT_EQ(state_digest(ring), state_digest(Ring<u8, 4>{}));
}

}  // namespace
}  // namespace ramet
