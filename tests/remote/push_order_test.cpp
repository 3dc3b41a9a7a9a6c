#include "remote/push_order.h"

#include <gtest/gtest.h>

#include <set>

namespace ramet {
namespace {

struct PushOrderTest : testing::Test {
    Memory memory{std::make_shared<PagePool>(), {{Frame{0}, 4096}}};
    std::set<u64> sent;

    void SetUp() override {
        for (u64 frame = 1000; frame < 3000; ++frame) memory.write(Frame{frame});
    }
    std::vector<u64> take(PushOrder& order, std::size_t count) {
        std::vector<u64> taken;
        while (taken.size() < count) {
            auto const frame = order.next(memory, [&](Frame f) { return !sent.contains(f.value); });
            if (!frame) break;
            sent.insert(frame->value);
            taken.push_back(frame->value);
        }
        return taken;
    }
};

TEST_F(PushOrderTest, TheGivenListComesFirstThenTheRestAscending) {
    PushOrder order{{Frame{2999}, Frame{5}}};
    EXPECT_EQ(take(order, 4), (std::vector<u64>{2999, 5, 1000, 1001}));
}

TEST_F(PushOrderTest, TheNeighbourhoodOfAFaultComesBeforeTheRest) {
    PushOrder order{{}};
    take(order, 2);
    order.fault(Frame{2000});
    EXPECT_EQ(take(order, 9), (std::vector<u64>{2001, 2002, 2003, 2004, 2005, 2006, 2007, 2008, 1002}));
}

TEST_F(PushOrderTest, AFaultNearTheLastOneLooksTwiceAsFar) {
    PushOrder order{{}};
    order.fault(Frame{2000});
    order.fault(Frame{2010});
    std::vector<u64> const taken = take(order, 17);
    EXPECT_EQ(taken.front(), 2011U);
    EXPECT_EQ(taken[15], 2026U);
    EXPECT_EQ(taken[16], 1000U);
}

TEST_F(PushOrderTest, EveryPageComesOnce) {
    PushOrder order{{}};
    for (u64 const frame : {1500, 2995, 1501}) order.fault(Frame{frame});
    EXPECT_GE(take(order, 10'000).size(), 2000U);
    order.start_over();
    EXPECT_TRUE(take(order, 1).empty());
}

}  // namespace
}  // namespace ramet
