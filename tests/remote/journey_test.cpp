// Machines of three hosts that are forked, moved, taken back, paused and stopped in any order, whatever state they are in. Each request is done or
// refused; afterwards every machine is whole at one host at most, and its log replays to its digest. RAMET_JOURNEYS: so many instead of a few.
#include <algorithm>
#include <cstdlib>

#include "base/prng.h"
#include "families.h"

namespace ramet {
namespace {

constexpr std::size_t hosts_count = 3, names_max = 8;
constexpr unsigned steps = 24;

class Journey {
public:
    explicit Journey(u64 seed) : random_(Prng::seeded(seed)) {
        for (std::size_t i = 0; i < hosts_count; ++i) {
            std::string const name = "h" + std::to_string(i);
            hosts_.push_back(std::make_unique<Host>(directory_, name));
            addresses_.push_back(must(hosts_.back()->family->listen(must(Address::parse("unix:" + (directory_ / (name + ".s")))))));
        }
        must(hosts_[0]->boot(sweep_subject(directory_, 300), new_name()));
    }
    void go() {
        for (unsigned i = 0; i < steps; ++i) step();
        settle();
        if (testing::Test::HasFailure()) return;
        for (const std::string& name : names_) check(name);
    }
    const std::string& story() const { return story_; }

private:
    u64 below(u64 n) { return random_.next() % n; }
    std::string new_name() {
        names_.push_back("m" + std::to_string(names_.size()));
        return names_.back();
    }
    Family& family(std::size_t host) { return *hosts_[host]->family; }

    /// Where it runs, or one of the places where it does not.
    std::size_t home_of(const std::string& name) {
        std::size_t home = 0;
        for (std::size_t host = 0; host < hosts_count; ++host) {
            MemberInfo const info = member(family(host), name);
            if (info.name == name && info.state != "ended" && (info.state != "elsewhere" || below(2) == 0)) home = host;
        }
        return home;
    }
    void step() {
        std::string const name = names_[below(names_.size())];
        std::size_t const host = below(8) == 0 ? below(hosts_count) : home_of(name), other = (host + 1 + below(hosts_count - 1)) % hosts_count;
        static constexpr std::array<u64, 3> rates = {ServeOptions::unlimited, 8 << 20, 1 << 20};
        auto const move = [&](MoveKind kind, const std::string& child) {
            MoveOptions options{.to = addresses_[other], .kind = kind, .name = child};
            options.serve.push_bytes_per_s = rates[below(rates.size())];
            options.serve.on_write = below(2) == 0 ? OnWrite::keep : OnWrite::send;
            options.lease_ms = 500;
            return static_cast<bool>(family(host).move(name, options));
        };
        switch (below(8)) {
        case 0: return note("fork here", host, name, names_.size() < names_max && static_cast<bool>(family(host).fork(name, new_name())));
        case 1: return note("fork to " + std::to_string(other), host, name, names_.size() < names_max && move(MoveKind::fork, new_name()));
        case 2:
        case 3: return note("migrate to " + std::to_string(other), host, name, move(MoveKind::migrate, {}));
        case 4: return note("take back", host, name, static_cast<bool>(family(host).take_back(name)));
        case 5: return note("pause", host, name, static_cast<bool>(family(host).pause(name)));
        case 6: return note("resume", host, name, static_cast<bool>(family(host).resume(name)));
        default: break;
        }
        if (below(4) == 0) return note("stop", host, name, static_cast<bool>(family(host).remove(name)));
        std::this_thread::sleep_for(std::chrono::milliseconds{below(20)});
    }
    void note(const std::string& what, std::size_t host, const std::string& name, bool done) {
        story_ += "  host " + std::to_string(host) + ": " + what + " " + name + (done ? "\n" : ": refused\n");
    }

    bool is_over(const MoveInfo& move) {
        auto const phase = move.report.phase;
        return phase == Outgoing::Phase::finished || phase == Outgoing::Phase::taken_back || phase == Outgoing::Phase::failed;
    }
    bool is_at_rest(std::size_t host) {
        auto const moves = family(host).moves();
        auto const members = family(host).members();
        return std::all_of(moves.begin(), moves.end(), [&](const MoveInfo& move) { return is_over(move); }) &&
               std::all_of(members.begin(), members.end(), [](const MemberInfo& m) { return m.state == "ended" || (m.state != "elsewhere" && m.lacking_pages == 0 && !m.log.empty()); });
    }
    void settle() {
        auto const all_at_rest = [&] {
            bool all = true;
            for (std::size_t host = 0; host < hosts_count; ++host) {
                for (const std::string& name : names_) static_cast<void>(family(host).resume(name));
                all = is_at_rest(host) && all;
            }
            return all;
        };
        EXPECT_TRUE(eventually(all_at_rest)) << state();
    }
    std::string state() {
        std::string text;
        for (std::size_t host = 0; host < hosts_count; ++host) {
            for (const MemberInfo& m : family(host).members())
                text += "host " + std::to_string(host) + ": " + m.name + " " + m.state + ", " + m.detail + ", lacks " + std::to_string(m.lacking_pages) + "\n";
            for (const MoveInfo& m : family(host).moves())
                text += "host " + std::to_string(host) + ": " + m.kind + " of " + m.machine + " to " + m.to + ": " + phase_text(m.report.phase) + " " + m.report.error + "\n";
        }
        return text;
    }
    void check(const std::string& name) {
        unsigned live = 0;
        for (std::size_t host = 0; host < hosts_count; ++host) {
            MemberInfo const info = member(family(host), name);
            if (info.name != name) continue;
            if (info.state == "ended") {
                bool const known = info.detail == "migrated" || info.detail == "taken back by its source" || info.detail.find("cannot be had") != std::string::npos;
                EXPECT_TRUE(known) << name << ": " << info.detail;
                continue;
            }
            ++live;
            u64 const at = member(family(host), name).position;
            EXPECT_TRUE(eventually([&] { return member(family(host), name).position > at; })) << name << "\n" << state();
            auto const removed = family(host).remove(name);
            EXPECT_TRUE(removed) << (removed ? "" : removed.error().text);
            if (removed) replayed(info.log);
        }
        EXPECT_LE(live, 1U) << name << " runs at several hosts";
    }

    Directory directory_;
    Prng random_;
    std::vector<std::unique_ptr<Host>> hosts_;
    std::vector<Address> addresses_;
    std::vector<std::string> names_;
    std::string story_;
};

TEST(Journeys, LeaveEveryMachineWholeOnce) {
    const char* const wanted = std::getenv("RAMET_JOURNEYS");
    u64 const count = wanted == nullptr ? 4 : std::strtoull(wanted, nullptr, 10);
    const char* const first = std::getenv("RAMET_JOURNEYS_FROM");
    u64 const from = first == nullptr ? 1 : std::strtoull(first, nullptr, 10);
    for (u64 seed = from; seed < from + count; ++seed) {
        Journey journey{seed};
        journey.go();
        ASSERT_FALSE(testing::Test::HasFailure()) << "journey " << seed << " (RAMET_JOURNEYS=1 RAMET_JOURNEYS_FROM=" << seed << "):\n" << journey.story();
    }
}

}  // namespace
}  // namespace ramet
