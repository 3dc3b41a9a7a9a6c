#include "lab/session.h"

#include "guests.h"

namespace ramet {
namespace {

TEST(Session, StopsAtTheLastByteOfAText) {
    Session session = must(State::power_on(kv_store(), std::make_shared<StateStore>("")))->fork().operator*();
    ASSERT_TRUE(session.run_until(serial("rea"), seconds(1)));
    EXPECT_EQ(session.output(Channel::serial), "rea");
    EXPECT_TRUE(session.run_until(serial("dy\n"), seconds(1)));
    EXPECT_EQ(session.unread(), "");
}

TEST(Session, FindsATextThatCameEarlierAndReadsItOnce) {
    Session session = ready_store();
    session.type("set a 1\nset b 2\n");
    session.run(milliseconds(10));
    EXPECT_EQ(session.unread(), "ok 1\nok 2\n");
    Position const before = session.position();
    EXPECT_TRUE(session.run_until(serial("ok 1"), seconds(1)));
    EXPECT_EQ(session.position(), before);
    EXPECT_EQ(session.unread(), "\nok 2\n");
    EXPECT_TRUE(session.run_until(serial("ok 2\n"), seconds(1)));
    EXPECT_FALSE(session.run_until(serial("ok"), milliseconds(1)));
}

TEST(Session, CompletesATextThatHadBegun) {
    Session session = ready_store();
    session.type("get a\n");
    ASSERT_TRUE(session.run_until(serial("no"), seconds(1)));
    session.set_read(Channel::serial, session.read_so_far(Channel::serial) - 2);
    EXPECT_TRUE(session.run_until(serial("none"), seconds(1)));
}

TEST(Session, BudgetsAreExact) {
    Session session = ready_store();
    Position const at = session.position();
    Outcome const outcome = session.run(instructions(12345));
    EXPECT_EQ(outcome.kind, Outcome::Kind::exhausted);
    EXPECT_EQ(session.position(), at + 12345);
    Cycles const now = session.cycles();
    session.run(microseconds(7));
    EXPECT_GE(session.cycles(), now + 7000);
    EXPECT_LT(session.cycles(), now + 8000);
}

TEST(Session, ForksHaveOnePastAndTwoFutures) {
    Session parent = ready_store();
    EXPECT_EQ(ask(parent, "set a 1"), "ok 1\n");
    Session child = parent.fork();
    EXPECT_EQ(child.digest(), parent.digest());
    EXPECT_EQ(ask(child, "set b 2"), "ok 2\n");
    EXPECT_EQ(ask(parent, "get b"), "none\n");
    EXPECT_EQ(output_of(*child.record(), Channel::serial), "ready\nok 1\nok 2\n");
    EXPECT_EQ(output_of(*parent.record(), Channel::serial), "ready\nok 1\nnone\n");
    EXPECT_EQ(entries_of(*child.record()).size(), 2U);
}

TEST(Session, TypesMoreThanThePortHasRoomFor) {
    Session session = ready_store();
    std::string script;
    for (unsigned i = 0; i < 1000; ++i) script += "set a 1\n";
    session.type(script + "get a\n");
    EXPECT_TRUE(session.run_until(serial("\n1\n"), seconds(10)));
    EXPECT_GT(entries_of(*session.record()).size(), 1U);
}

TEST(Session, ReadsAndWritesMemoryBySymbol) {
    auto const root = must(State::power_on(event_counter(), std::make_shared<StateStore>("")));
    Session session = must(root->after("counting", {{expect(serial("counting"), seconds(1)), wait(instructions(5000))}})->fork());
    EXPECT_EQ(must(session.read<u32>("handled")), 0U);
    must(session.write<u32>("handled", 7));
    session.type("x");
    session.run(milliseconds(1));
    EXPECT_EQ(must(session.read<u32>("handled")) + must(session.read<u32>("events")), 8U);
    EXPECT_FALSE(session.read<u32>("nothing"));
    EXPECT_FALSE(session.read<u32>(GuestVirt{0x7000'0000}));
    EXPECT_EQ(session.reg("rip"), session.machine().cpu().rip);
    EXPECT_FALSE(session.reg("r77"));
}

/// A guest of tests/guests, run to its end.
Session ended_guest(const std::string& name) {
    Configuration configuration = small_machine(RAMET_GUEST_IMAGES "/" + name + ".elf");
    Session session = must(must(State::power_on(configuration, std::make_shared<StateStore>("")))->fork());
    EXPECT_TRUE(session.run_until(ended(), seconds(1)));
    return session;
}

TEST(Session, FollowsThePageTablesOfTheMoment) {
    Session session = ended_guest("page_faults");  // 32 bit, 4 KiB pages, the first 4 MiB one to one
    EXPECT_EQ(session.machine().physical(GuestVirt{0x101234}), GuestPhys{0x101234});
    EXPECT_FALSE(session.machine().physical(GuestVirt{0x400000}));
    EXPECT_FALSE(session.read<u32>(GuestVirt{0x3ffffe})) << "the second page of the range is not there";
}

TEST(Session, FollowsLargePagesOfLongMode) {
    Session session = ended_guest("syscall");  // the first 2 MiB by one large page
    EXPECT_EQ(session.machine().physical(GuestVirt{0x1fffff}), GuestPhys{0x1fffff});
    EXPECT_FALSE(session.machine().physical(GuestVirt{0x200000}));
}

TEST(Session, LookingDoesNotTouch) {
    Session session = ended_guest("page_faults");
    Digest const before = session.digest();
    static_cast<void>(session.read<u64>(GuestVirt{0x101234}));
    EXPECT_EQ(session.digest(), before);
}

TEST(Session, WaitsForAHaltThatNothingEnds) {
    Directory const directory;
    // hlt with interrupts off, over and over.
    write_file(directory / "halt", multiboot_kernel({0xf4, 0xeb, 0xfd}));
    Session session = must(must(State::power_on(small_machine(directory / "halt"), std::make_shared<StateStore>("")))->fork());
    EXPECT_EQ(session.run(seconds(1)).kind, Outcome::Kind::ended);
}

TEST(Session, IsNotIdleWhileInputIsUnread) {
    Directory const directory;
    write_file(directory / "wait", multiboot_kernel({0xfb, 0xf4, 0xeb, 0xfd}));  // sti; hlt, over and over
    Session session = must(must(State::power_on(small_machine(directory / "wait"), std::make_shared<StateStore>("")))->fork());
    EXPECT_TRUE(session.run_until(idle(), seconds(1)));
    session.type("x");
    EXPECT_FALSE(session.run_until(idle(), milliseconds(10)));
}

TEST(Session, AnEndOfTheGuestIsNoText) {
    Directory const directory;
    write_file(directory / "exit", multiboot_kernel({0xb0, 20, 0xe6, 0xf4}));
    auto const root = must(State::power_on(small_machine(directory / "exit"), std::make_shared<StateStore>("")));
    Session a = must(root->fork()), b = must(root->fork()), c = must(root->fork());
    EXPECT_EQ(a.run_until(serial("x"), seconds(1)).kind, Outcome::Kind::ended);
    EXPECT_TRUE(b.run_until(ended(20), seconds(1)));
    EXPECT_FALSE(c.run_until(ended(21), seconds(1)));
}

}  // namespace
}  // namespace ramet
