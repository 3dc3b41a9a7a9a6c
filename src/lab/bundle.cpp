#include "lab/bundle.h"

#include "replay/log_writer.h"
#include "replay/player.h"

namespace ramet {

namespace {

constexpr std::size_t note_bytes_max = 4096;
constexpr std::size_t name_bytes_max = 100;

Expected<Done> write(const std::string& path, const LogHeader& header, const Record& record, const std::string& what, Machine& machine) {
    std::vector<LogEntry> entries = entries_of(record);
    entries.push_back({.kind = LogEntry::Kind::note, .at = record.now, .path = what.substr(0, note_bytes_max)});
    entries.push_back({.kind = LogEntry::Kind::end, .at = record.now, .digest = machine.digest()});
    return write_log(path, header, entries);
}

/// A player that stands where `start` does, over the record's log.
Expected<Player> player_at(Session start, const Record& record) {
    std::vector<LogEntry> entries = entries_of(record);
    std::size_t const done = entries_of(*start.record()).size();
    entries.push_back({.kind = LogEntry::Kind::note, .at = record.now});  // so that the player goes there
    auto lineage = std::make_shared<Lineage>();
    lineage->logs.push_back(TRY(InputLog::read(TRY(File::in_memory(log_bytes(start.header(), entries), "the failing run")))));
    LineageCursor cursor{std::move(lineage)};
    for (std::size_t i = 0; i < done; ++i) {
        TRY(cursor.peek());
        cursor.advance();
    }
    return Player{std::move(start.machine()), std::move(cursor)};
}

}  // namespace

Expected<Done> write_bundle(const std::string& path, Session& session, const std::string& what) {
    return write(path, session.header(), *session.record(), what, session.machine());
}

Expected<Done> write_bundle(const std::string& path, Session start, const Record& record, const std::string& what) {
    auto const header = start.shared_header();
    Player player = TRY(player_at(std::move(start), record));
    NullPorts ports;
    Progress const progress = TRY(player.run_to_end(ports));
    if (progress.divergence) return Error{path + ": the failing run does not repeat at " + divergence_text(*progress.divergence)};
    return write(path, *header, record, what, player.machine());
}

std::string file_name_of(const std::string& text) {
    std::string name;
    for (char const c : text.substr(0, name_bytes_max)) {
        bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
        if (plain) name += c;
        else if (!name.empty() && name.back() != '-') name += '-';
    }
    while (name.ends_with('-')) name.pop_back();
    return name.empty() || name[0] == '.' ? "case" + name : name;
}

}  // namespace ramet
