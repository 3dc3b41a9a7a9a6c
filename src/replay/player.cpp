#include "replay/player.h"

#include "base/enums.h"

namespace ramet {

std::string divergence_text(const Divergence& divergence) {
    return moment_text(divergence.at) + ": " + divergence.what + ": expected " + divergence.expected + ", found " + divergence.actual;
}

Expected<Player> Player::open(const std::string& path, const ImagePaths& images, std::shared_ptr<PagePool> pool) {
    auto lineage = TRY(Lineage::open(path));
    Machine machine = TRY(first_machine(*lineage, images, std::move(pool)));
    return Player{std::move(machine), LineageCursor{std::move(lineage)}};
}

Expected<Progress> Player::run_to(Position position, Ports& ports) {
    for (;;) {
        const LogEntry* const entry = TRY(cursor_.peek());
        if (machine_.position() >= position) return Progress{Progress::Kind::reached};
        if (entry == nullptr) return Progress{Progress::Kind::ended};
        if (entry->at.position >= position) {
            auto divergence = go_to_position(position, ports);
            if (divergence) return diverged(*std::move(divergence));
            return Progress{Progress::Kind::reached};
        }
        auto divergence = go_to(entry->at, ports);
        if (!divergence) divergence = perform(*entry);
        if (divergence) return diverged(*std::move(divergence));
        cursor_.advance();
    }
}

Expected<Progress> Player::run_through(const Moment& last, Ports& ports) {
    while (const LogEntry* const entry = TRY(cursor_.peek())) {
        if (entry->at > last) return Progress{Progress::Kind::reached};
        auto divergence = go_to(entry->at, ports);
        if (!divergence) divergence = perform(*entry);
        if (divergence) return diverged(*std::move(divergence));
        cursor_.advance();
    }
    return Progress{Progress::Kind::ended};
}

Expected<Progress> Player::diverged(Divergence divergence) const {
    if (machine_.memory().trouble() != MemoryTrouble::none) return Error{machine_.memory().trouble_text()};
    return Progress{Progress::Kind::diverged, std::move(divergence)};
}

RunResult Player::run_beyond(Position position, Ports& ports) { return machine_.run({.position = position}, ports); }

/// Runs until the Position is reached. Exits and resets are stops of the host's run loop: the recorded run went on, so this one does.
std::optional<Divergence> Player::go_to_position(Position position, Ports& ports) {
    while (machine_.position() < position) {
        Moment const before = moment();
        RunResult const result = machine_.run({.position = position}, ports);
        if (moment() == before && machine_.position() < position)
            return Divergence{before, "the run", "instructions up to position " + std::to_string(position.value),
                              std::string{reason_text(result.reason)} + (result.report.empty() ? "" : ": " + result.report)};
    }
    return std::nullopt;
}

/// To the Position, and if the machine waits there, on to the cycle.
std::optional<Divergence> Player::go_to(const Moment& target, Ports& ports) {
    if (auto divergence = go_to_position(target.position, ports)) return divergence;
    while (moment().cycles < target.cycles && machine_.position() == target.position) {
        Moment const before = moment();
        RunResult const result = machine_.run({.cycles = target.cycles}, ports);
        if (moment() == before) return Divergence{before, "the clock", "cycle " + std::to_string(target.cycles.value), reason_text(result.reason)};
    }
    if (moment() == target) return std::nullopt;
    return Divergence{target, "the time of an entry", moment_text(target), moment_text(moment())};
}

std::optional<Divergence> Player::perform(const LogEntry& entry) {
    switch (entry.kind) {
    case LogEntry::Kind::serial:
    case LogEntry::Kind::memory:
    case LogEntry::Kind::disk:
    case LogEntry::Kind::disk_delay:
    case LogEntry::Kind::interrupt: {
        std::size_t const taken = machine_.apply(entry.input());
        if (taken == std::max<std::size_t>(entry.bytes.size(), 1)) return std::nullopt;
        return Divergence{entry.at, std::string{enum_name(entry.kind)} + " input", std::to_string(entry.bytes.size()) + " bytes taken", std::to_string(taken)};
    }
    case LogEntry::Kind::digest:
    case LogEntry::Kind::end:
    case LogEntry::Kind::snapshot: return compare(entry);
    case LogEntry::Kind::note: return std::nullopt;
    }
    return std::nullopt;
}

std::optional<Divergence> Player::compare(const LogEntry& entry) {
    if (check_ == DigestCheck::skip || entry.digest == Digest{}) return std::nullopt;  // none was taken at a fork to another host
    Digest const found = machine_.digest();
    ++digests_;
    if (found == entry.digest) return std::nullopt;
    return Divergence{entry.at, "the machine's digest", entry.digest.hex(), found.hex()};
}

}  // namespace ramet
