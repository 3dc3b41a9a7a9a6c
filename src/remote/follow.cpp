#include "remote/follow.h"

#include <algorithm>

namespace ramet {

namespace {

Moment moment_of(const Machine& machine) { return {machine.position(), machine.cycles()}; }

Expected<RunResult> run(Machine& machine, Recorder* recorder, const Until& until) {
    NullPorts ports;
    if (recorder != nullptr) return recorder->run(machine, until, ports);
    return machine.run(until, ports);
}

/// To the Position, and if the machine waits there, on to the cycle. Exits and resets are the host's business: the machine went on.
Expected<Done> go_to(Machine& machine, Recorder* recorder, const Moment& target) {
    while (moment_of(machine) < target) {
        Moment const before = moment_of(machine);
        bool const on_the_way = machine.position() < target.position;
        RunResult const result = TRY(run(machine, recorder, on_the_way ? Until{.position = target.position} : Until{.cycles = target.cycles}));
        if (moment_of(machine) == before)
            return Error{"the machine does not repeat what it did elsewhere: at " + moment_text(before) + " it stands (" + reason_text(result.reason) + ")"};
    }
    if (moment_of(machine) == target) return Done{};
    return Error{"the machine does not repeat what it did elsewhere: it is at " + moment_text(moment_of(machine)) + " instead of " + moment_text(target)};
}

}  // namespace

Expected<Done> follow(Machine& machine, Recorder* recorder, const std::vector<LogEntry>& entries, const Moment& last) {
    for (const LogEntry& entry : entries) {
        if (!entry.is_input()) continue;
        TRY(go_to(machine, recorder, entry.at));
        Input const input = entry.input();
        std::size_t const taken = recorder != nullptr ? TRY(recorder->apply(machine, input)) : machine.apply(input);
        if (taken != std::max<std::size_t>(entry.bytes.size(), 1)) return Error{"the machine does not take an input that it took elsewhere, at " + moment_text(entry.at)};
    }
    return go_to(machine, recorder, last);
}

Expected<Machine> rebuild(const std::string& log, const Moment& at, std::shared_ptr<PagePool> pool) {
    Player player = TRY(Player::open(log, {}, std::move(pool)));
    NullPorts ports;
    Progress const progress = TRY(player.run_through(at, ports));
    if (progress.divergence) return Error{log + ": " + divergence_text(*progress.divergence)};
    TRY(follow(player.machine(), nullptr, {}, at));
    return std::move(player.machine());
}

}  // namespace ramet
