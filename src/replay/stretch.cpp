#include "replay/stretch.h"

#include "replay/paths.h"
#include "replay/snapshot.h"

namespace ramet {

Expected<std::vector<Stretch>> stretches_of(const std::shared_ptr<const Lineage>& lineage) {
    LineageCursor cursor{lineage};
    std::vector<Stretch> stretches = {{cursor, {}, Stretch::endless}};
    while (const LogEntry* const entry = TRY(cursor.peek())) {
        bool const snapshot = entry->kind == LogEntry::Kind::snapshot;
        std::string const path = snapshot ? path_from(lineage->leaf().path(), entry->path) : "";
        Moment const at = entry->at;
        cursor.advance();
        if (!snapshot) continue;
        stretches.back().end = at;
        stretches.push_back({cursor, path, Stretch::endless, at});
    }
    return stretches;
}

Expected<Player> player_of(const Stretch& stretch, const ImagePaths& images, std::shared_ptr<PagePool> pool) {
    const Lineage& lineage = stretch.from.lineage();
    if (stretch.snapshot.empty()) return Player{TRY(first_machine(lineage, images, std::move(pool))), stretch.from};
    auto const snapshot = TRY(Snapshot::open(stretch.snapshot));
    Moment const at{snapshot->state().clock.position, snapshot->state().clock.cycles};
    if (snapshot->header().identity != lineage.root().header().identity || at != stretch.begin)
        return Error{stretch.snapshot + ": at " + moment_text(at) + ", is not of the run in " + lineage.leaf().path() + ", which names it at " + moment_text(stretch.begin)};
    return Player{TRY(restore_machine(snapshot, std::move(pool), images)), stretch.from};
}

Expected<Player> Player::open_late(const std::string& path, const ImagePaths& images, std::shared_ptr<PagePool> pool) {
    std::vector<Stretch> const stretches = TRY(stretches_of(TRY(Lineage::open(path))));
    for (std::size_t i = stretches.size(); i-- > 1;)
        if (auto player = player_of(stretches[i], images, pool)) return player;
    return player_of(stretches.front(), images, std::move(pool));
}

}  // namespace ramet
