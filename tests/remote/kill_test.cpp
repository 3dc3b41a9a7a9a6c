// SIGKILL in the middle of a migration, at random moments: of the process that receives, and of the one that sends. Afterwards the machine exists once,
// or its log makes it again. RAMET_KILLS says how often (default 6 each); RAMET_SEED which moments.
#include <cstdlib>

#include "families.h"
#include "process.h"
#include "remote/control.h"

namespace ramet {
namespace {

u64 setting(const char* name, u64 otherwise) {
    const char* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::stoull(text);
}

struct Kills : testing::Test {
    Directory directory;
    Subject subject = sweep_subject(directory, 400);
    Host host{directory, "logs"};
    Prng random = Prng::seeded(setting("RAMET_SEED", 1));
    u64 const kills = setting("RAMET_KILLS", 6);

    void SetUp() override { ::setenv("XDG_RUNTIME_DIR", directory.path().c_str(), 1); }
    void wait_a_moment() { std::this_thread::sleep_for(std::chrono::microseconds{random.below(60'000)}); }
    bool advances(const std::string& name) {
        u64 const at = member(*host.family, name).position;
        return eventually([&] { return member(*host.family, name).position > at + 10'000; });
    }
    void stop_and_replay(const std::string& name) {
        std::string const log = member(*host.family, name).log;
        must(host.family->remove(name));
        replayed(log);
    }
};

TEST_F(Kills, TheReceiverDiesAndTheMachineGoesOnAtItsSourceOrHasItsLog) {
    u64 stayed = 0, back = 0, gone = 0;
    for (u64 i = 0; i < kills; ++i) {
        std::string const name = "m" + std::to_string(i), place = directory / ("r" + std::to_string(i));
        must(host.boot(subject, name));
        Process receiver{{RAMET_PROGRAM, "receive", "--listen", "unix:" + place}};
        pid_t const pid = receiver.pid();
        ASSERT_TRUE(eventually([&] { return std::filesystem::exists(place); }));
        MoveOptions options{.to = must(Address::parse("unix:" + place)), .kind = MoveKind::migrate};
        options.serve.push_bytes_per_s = 32 << 20;
        options.lease_ms = 100;
        must(host.family->move(name, options));
        wait_a_moment();
        receiver.kill_now();
        auto const phase = [&] { return last_move(*host.family).report.phase; };
        static_cast<void>(host.family->take_back(name));
        ASSERT_TRUE(eventually([&] { return phase() == Outgoing::Phase::finished || phase() == Outgoing::Phase::taken_back || phase() == Outgoing::Phase::failed; }));
        if (member(*host.family, name).state == "running") {
            EXPECT_TRUE(advances(name));
            stop_and_replay(name);
            ++(phase() == Outgoing::Phase::taken_back ? back : stayed);
        } else {
            replayed(directory / ("ramet/" + std::to_string(pid) + ".logs/" + name + ".rlog"));
            ++gone;
        }
    }
    std::printf("receiver killed %llu times: %llu machines had not left, %llu came back, %llu had arrived and have their log\n", static_cast<unsigned long long>(kills),
                static_cast<unsigned long long>(stayed), static_cast<unsigned long long>(back), static_cast<unsigned long long>(gone));
    EXPECT_EQ(stayed + back + gone, kills);
}

TEST_F(Kills, TheSourceDiesAndTheMachineGoesOnAtItsTargetOrHasItsLog) {
    Address const address = host.listen(directory);
    u64 here = 0, logged = 0;
    for (u64 i = 0; i < kills; ++i) {
        std::string const name = "m" + std::to_string(i), log = directory / (name + ".rlog");
        Process source{{RAMET_PROGRAM, "run", "--kernel", subject.configuration.kernel, "--memory", "8M", "--name", name, "--record", log}};
        ASSERT_TRUE(eventually([&] { return static_cast<bool>(ControlClient::of(name)); }));
        MoveOptions options{.to = address, .kind = MoveKind::migrate};
        options.serve.push_bytes_per_s = 32 << 20;
        must(must(ControlClient::of(name)).move(name, options));
        wait_a_moment();
        source.kill_now();
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
        if (member(*host.family, name).name == name) {
            std::string why;
            EXPECT_TRUE(eventually([&] {
                auto const taken = host.family->take_over(name);
                if (!taken) why = taken.error().text;
                return taken || member(*host.family, name).lacking_pages == 0;
            })) << why;
            EXPECT_TRUE(eventually([&] { return !member(*host.family, name).log.empty(); }));
            EXPECT_TRUE(advances(name));
            stop_and_replay(name);
            ++here;
        } else {
            replayed(log);
            ++logged;
        }
    }
    std::printf("source killed %llu times: %llu machines went on at their target, %llu have their log\n", static_cast<unsigned long long>(kills),
                static_cast<unsigned long long>(here), static_cast<unsigned long long>(logged));
    EXPECT_EQ(here + logged, kills);
}

}  // namespace
}  // namespace ramet
