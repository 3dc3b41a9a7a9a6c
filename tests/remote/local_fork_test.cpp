// Forks of a machine that has arrived and still lacks pages: each gets its pages, whatever becomes of the one it was forked from.
#include "families.h"

namespace ramet {
namespace {

struct LocalForks : testing::Test {
    Directory directory;
    Subject subject = sweep_subject(directory, 1900);
    Host source{directory, "source"};
    Host target{directory, "target"};
    Address address = target.listen(directory);

    /// child is paused at the target, gets no page that it does not ask for, and has a fork there: twin.
    void begin(MoveKind kind = MoveKind::fork) {
        must(source.boot(subject, "web"));
        ASSERT_TRUE(eventually([&] { return member(*source.family, "web").position > 1'000'000; }));
        must(source.family->move("web", {.to = address, .kind = kind, .name = "child", .serve = {.push_bytes_per_s = 0}}));
        ASSERT_TRUE(eventually([&] { return static_cast<bool>(target.family->pause("child")); })) << last_move(*source.family).report.error;
        ASSERT_TRUE(eventually([&] { return static_cast<bool>(target.family->fork("child", "twin")); }));
    }
    static bool runs(Host& host, const std::string& name) {
        u64 const at = member(*host.family, name).position;
        return eventually([&] { return member(*host.family, name).position > at + 1'000'000; });
    }
    static void expect_its_log_replays(Host& host, const std::string& name) {
        std::string const log = member(*host.family, name).log;
        must(host.family->remove(name));
        replayed(log);
    }
};

TEST_F(LocalForks, GoOnWhenTheMachineTheyWereForkedFromIsStopped) {
    begin();
    must(target.family->remove("child"));
    EXPECT_TRUE(runs(target, "twin")) << member(*target.family, "twin").detail;
    EXPECT_NE(member(*target.family, "twin").lacking_pages, 0U);
    expect_its_log_replays(target, "twin");
}

TEST_F(LocalForks, HaveNoDigestBeforeAllOfTheirPages) {
    begin();
    auto const early = target.family->digest("twin");
    ASSERT_FALSE(early);
    EXPECT_NE(early.error().text.find("lacks pages"), std::string::npos) << early.error().text;
    must(source.family->remove("web"));
    source.family->stop_when_empty();
    source.family->wake();
    ASSERT_TRUE(eventually([&] { return member(*target.family, "twin").lacking_pages == 0; }));
    EXPECT_TRUE(target.family->digest("twin"));
    expect_its_log_replays(target, "twin");
}

TEST_F(LocalForks, AreForkedToAThirdHost) {
    begin();
    Host third{directory, "third"};
    Address const there = must(third.family->listen(must(Address::parse("unix:" + (directory / "t")))));
    must(target.family->move("twin", {.to = there, .kind = MoveKind::fork, .name = "far", .serve = {.push_bytes_per_s = 0}}));
    ASSERT_TRUE(eventually([&] { return member(*third.family, "far").position > 0; })) << last_move(*target.family).report.error;
    for (const char* const name : {"child", "twin"}) must(target.family->remove(name));
    EXPECT_TRUE(runs(third, "far")) << member(*third.family, "far").detail;
    expect_its_log_replays(third, "far");
}

TEST_F(LocalForks, DoNotLeaveBeforeAllOfTheirPagesAreHere) {
    begin();
    auto const left = target.family->move("twin", {.to = address, .kind = MoveKind::migrate});
    ASSERT_FALSE(left);
    EXPECT_NE(left.error().text.find("not arrived completely"), std::string::npos) << left.error().text;
}

TEST_F(LocalForks, MakeTheirPagesFromTheLogWhenTheSourceIsGone) {
    begin();
    must(target.family->remove("child"));
    source.family.reset();
    ASSERT_TRUE(eventually([&] { return static_cast<bool>(target.family->take_over("twin")); }));
    EXPECT_TRUE(eventually([&] { return member(*target.family, "twin").lacking_pages == 0; }));
    EXPECT_TRUE(runs(target, "twin")) << member(*target.family, "twin").detail;
    expect_its_log_replays(target, "twin");
}

/// A page that the guest needs and nobody gives is not read as something else.
TEST_F(LocalForks, EndWhenTheSourceTakesItsMachineBackAndPagesLack) {
    begin(MoveKind::migrate);
    must(target.family->pause("twin"));
    must(source.family->take_back("web"));
    ASSERT_TRUE(eventually([&] { return member(*target.family, "child").state == "ended"; }));
    static_cast<void>(target.family->resume("twin"));  // which waited for a page, and has ended already
    ASSERT_TRUE(eventually([&] { return member(*target.family, "twin").state == "ended"; })) << member(*target.family, "twin").detail;
    EXPECT_NE(member(*target.family, "twin").detail.find("cannot be had"), std::string::npos) << member(*target.family, "twin").detail;
    expect_its_log_replays(target, "twin");
    EXPECT_TRUE(runs(source, "web"));
}

}  // namespace
}  // namespace ramet
