#include "remote/page_ledger.h"

#include <gtest/gtest.h>

namespace ramet {
namespace {

using Fate = PageLedger::Fate;

struct PageLedgerTest : testing::Test {
    PageLedger ledger{{{Frame{0}, 10}, {Frame{20}, 5}}};
};

TEST_F(PageLedgerTest, OnlyRamIsSent) {
    EXPECT_EQ(ledger.total(), 15U);
    EXPECT_EQ(ledger.fate(Frame{9}), Fate::unsent);
    for (u64 const frame : {10, 19, 25, 1'000'000}) EXPECT_EQ(ledger.fate(Frame{frame}), Fate::outside);
}

TEST_F(PageLedgerTest, MessagesAreConfirmedUpToANumber) {
    u64 const first = ledger.send({{Frame{0}, 3}}, Fate::sent, 100);
    u64 const second = ledger.send({{Frame{3}, 7}, {Frame{20}, 5}}, Fate::sent, 200);
    EXPECT_EQ(ledger.bytes_in_flight(), 300U);
    EXPECT_EQ(ledger.confirm(first).size(), 1U);
    EXPECT_EQ(ledger.bytes_in_flight(), 200U);
    EXPECT_FALSE(ledger.all_confirmed());
    EXPECT_EQ(ledger.confirm(second + 100).size(), 2U);
    EXPECT_TRUE(ledger.all_confirmed());
    EXPECT_TRUE(ledger.confirm(second).empty());
}

TEST_F(PageLedgerTest, AnUnknownNameIsSentAgainAndNotConfirmedByItsName) {
    u64 const names = ledger.send({{Frame{1}, 2}}, Fate::named, 0);
    ledger.unname(Frame{2});
    EXPECT_TRUE(ledger.needs_sending(Frame{2}));
    ledger.send({{Frame{2}, 1}}, Fate::sent, 0);
    ledger.confirm(names);
    EXPECT_EQ(ledger.fate(Frame{1}), Fate::confirmed);
    EXPECT_EQ(ledger.fate(Frame{2}), Fate::sent);
}

TEST_F(PageLedgerTest, AfterABreakWhatTheChildLacksIsUnsentAndTheRestConfirmed) {
    ledger.confirm(ledger.send({{Frame{0}, 1}}, Fate::sent, 0));
    ledger.send({{Frame{1}, 4}}, Fate::sent, 50);
    ASSERT_TRUE(ledger.restart({{Frame{3}, 7}, {Frame{20}, 5}}));
    EXPECT_EQ(ledger.confirmed(), 3U);
    EXPECT_EQ(ledger.fate(Frame{2}), Fate::confirmed);
    EXPECT_TRUE(ledger.needs_sending(Frame{3}));
    EXPECT_EQ(ledger.bytes_in_flight(), 0U);
}

TEST_F(PageLedgerTest, APeerThatLacksWhatItConfirmedOrWhatIsNoMemoryIsRefused) {
    ledger.confirm(ledger.send({{Frame{0}, 1}}, Fate::sent, 0));
    EXPECT_FALSE(ledger.restart({{Frame{0}, 2}}));
    EXPECT_FALSE(ledger.restart({{Frame{8}, 4}}));
}

}  // namespace
}  // namespace ramet
