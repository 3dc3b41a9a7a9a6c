#include "replay/verify.h"

#include <algorithm>
#include <thread>
#include <vector>

#include "base/parallel.h"
#include "replay/stretch.h"

namespace ramet {

namespace {

Expected<VerifyReport> verify_stretch(const Stretch& stretch, const ImagePaths& images) {
    Player player = TRY(player_of(stretch, images, std::make_shared<PagePool>()));
    NullPorts ports;
    Progress const progress = TRY(player.run_through(stretch.end, ports));
    return VerifyReport{.digests = player.digests_compared(), .end = player.moment(), .divergence = progress.divergence};
}

/// To a Position in pieces of `piece` instructions.
Expected<Progress> run_in_pieces(Player& player, Position to, u64 piece) {
    NullPorts ports;
    Progress progress;
    while (player.position() < to && progress.kind == Progress::Kind::reached)
        progress = TRY(player.run_to(std::min(to, player.position() + piece), ports));
    return progress;
}

}  // namespace

Expected<VerifyReport> verify_log(const std::string& path, const ImagePaths& images, unsigned jobs) {
    auto const lineage = TRY(Lineage::open(path));
    std::vector<Stretch> stretches = TRY(stretches_of(lineage));
    if (jobs <= 1) stretches = {{LineageCursor{lineage}, {}, Stretch::endless}};
    std::vector<std::optional<Expected<VerifyReport>>> results(stretches.size());
    in_parallel(stretches.size(), jobs, [&](std::size_t i) { results[i].emplace(verify_stretch(stretches[i], images)); });
    VerifyReport sum{.stretches = stretches.size()};
    for (auto& result : results) {
        VerifyReport const part = TRY(*std::move(result));
        sum.digests += part.digests;
        sum.end = std::max(sum.end, part.end);
        if (part.divergence && !sum.divergence) sum.divergence = part.divergence;
    }
    return sum;
}

Expected<VerifyReport> verify_twin(const std::string& path, const ImagePaths& images, Position at, u64 every) {
    if (every == 0) return Error{"--every: expected at least 1 instruction"};
    Player parent = TRY(Player::open(path, images, std::make_shared<PagePool>()));
    NullPorts ports;
    VerifyReport report;
    Progress progress = TRY(parent.run_to(at, ports));
    if (progress.kind == Progress::Kind::ended)
        return Error{path + ": ends at " + moment_text(parent.moment()) + ", before position " + std::to_string(at.value)};
    Player child = parent.fork();
    while (progress.kind == Progress::Kind::reached) {
        Position const next = parent.position() + every;
        std::optional<Expected<Progress>> childs;
        {
            std::jthread const thread{[&] { childs.emplace(run_in_pieces(child, next, every / 7 + 1)); }};
            progress = TRY(run_in_pieces(parent, next, every));
        }
        Progress const other = TRY(*std::move(childs));
        report.divergence = progress.divergence ? progress.divergence : other.divergence;
        if (report.divergence) break;
        Digest const expected = TRY(parent.machine().whole_digest()), found = TRY(child.machine().whole_digest());
        ++report.digests;
        if (expected == found && parent.moment() == child.moment()) continue;
        report.divergence = Divergence{parent.moment(), "the child's digest", expected.hex(), found.hex() + " at " + moment_text(child.moment())};
        break;
    }
    report.end = parent.moment();
    return report;
}

}  // namespace ramet
