// Families in this process, and what to wait for. Waiting has a generous limit, because hosts are slow; nothing is timed.
#pragma once

#include <chrono>

#include "remote/family.h"
#include "rig.h"

namespace ramet {

inline bool eventually(const std::function<bool()>& holds) {
    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
    return true;
}

inline MemberInfo member(Family& family, const std::string& name) {
    for (const MemberInfo& info : family.members())
        if (info.name == name) return info;
    return {.name = "nobody"};
}

inline MoveInfo last_move(Family& family) {
    auto const moves = family.moves();
    return moves.empty() ? MoveInfo{} : moves.back();
}

/// Echoes what comes in on the serial port, counts it, and writes over `pages` pages after each byte; waits for the next one halted.
inline Subject served_subject(const Directory& directory) { return echo_subject(directory); }

/// A host: a family with a directory for its logs.
struct Host {
    explicit Host(const Directory& directory, const std::string& name) : logs(directory / name) {
        std::filesystem::create_directories(logs);
        family.emplace(logs);
    }
    Expected<Done> boot(const Subject& subject, const std::string& name) {
        Machine machine = subject.machine();
        LogHeader const header = header_of(subject.configuration, subject.images, machine);
        return family->add(name, std::move(machine), header, logs + "/" + name + ".rlog");
    }
    Address listen(const Directory& directory) { return must(family->listen(must(Address::parse("unix:" + (directory / "s")))) ); }

    std::string logs;
    std::optional<Family> family;
};

/// Replays a log and compares every digest in it; where it ends.
inline Digest replayed(const std::string& log) {
    Player player = must(Player::open(log, {}, std::make_shared<PagePool>()));
    NullPorts ports;
    Progress const progress = must(player.run_to_end(ports));
    EXPECT_EQ(progress.kind, Progress::Kind::ended) << (progress.divergence ? divergence_text(*progress.divergence) : "");
    return player.machine().digest();
}

}  // namespace ramet
