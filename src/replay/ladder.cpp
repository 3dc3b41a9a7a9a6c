#include "replay/ladder.h"

#include <algorithm>

namespace ramet {

namespace {

/// Pages of `a` that `b` has not.
u64 bytes_between(const Player& a, const Player& b) {
    return a.machine().memory().differing_frames(b.machine().memory()).size() * page_size;
}

}  // namespace

void Ladder::add(Player& player) {
    Position const at = player.position();
    auto const above = std::upper_bound(rungs_.begin(), rungs_.end(), at, [](Position p, const Rung& rung) { return p < rung.player->position(); });
    if (above != rungs_.begin() && std::prev(above)->player->position() == at) return;
    auto const made = rungs_.insert(above, Rung{std::make_unique<Player>(player.fork())});
    made->bytes = made == rungs_.begin() ? 0 : bytes_between(*made->player, *std::prev(made)->player);
    if (std::next(made) != rungs_.end()) std::next(made)->bytes = bytes_between(*std::next(made)->player, *made->player);
    thin();
}

std::unique_ptr<Player> Ladder::from(Position position) {
    auto const above = std::upper_bound(rungs_.begin(), rungs_.end(), position, [](Position p, const Rung& rung) { return p < rung.player->position(); });
    if (above == rungs_.begin()) return nullptr;
    return std::make_unique<Player>(std::prev(above)->player->fork());
}

std::vector<Position> Ladder::positions() const {
    std::vector<Position> found;
    for (const Rung& rung : rungs_) found.push_back(rung.player->position());
    return found;
}

u64 Ladder::bytes() const {
    u64 sum = 0;
    for (const Rung& rung : rungs_) sum += rung.bytes;
    return sum;
}

void Ladder::thin() {
    while (rungs_.size() > 2 && (rungs_.size() > limits_.rungs || bytes() > limits_.bytes)) remove(least_needed());
}

void Ladder::remove(std::size_t index) {
    rungs_.erase(rungs_.begin() + static_cast<std::ptrdiff_t>(index));
    if (index < rungs_.size()) rungs_[index].bytes = bytes_between(*rungs_[index].player, *rungs_[index - 1].player);
}

/// The inner rung with the smallest gap around it, measured against its age.
std::size_t Ladder::least_needed() const {
    u64 const newest = rungs_.back().player->position().value;
    auto const place = [&](std::size_t i) { return rungs_[i].player->position().value; };
    std::size_t best = 1;
    for (std::size_t i = 2; i + 1 < rungs_.size(); ++i) {
        u128 const gap = place(i + 1) - place(i - 1), age = newest - place(i) + 1;
        u128 const best_gap = place(best + 1) - place(best - 1), best_age = newest - place(best) + 1;
        if (gap * best_age < best_gap * age) best = i;
    }
    return best;
}

Traveller::Traveller(Player player, u64 rung_every, const LadderLimits& limits)
    : player_(std::make_unique<Player>(std::move(player))), ladder_(limits), rung_every_(std::max<u64>(rung_every, 1)) {
    ladder_.add(*player_);
}

Expected<Progress> Traveller::seek(Position position, Ports& ports) {
    if (position <= player_->position())
        if (auto below = ladder_.from(position)) player_ = std::move(below);
    while (player_->position() < position) {
        Position const piece{std::min(position.value, (player_->position().value / rung_every_ + 1) * rung_every_)};
        Progress const progress = TRY(player_->run_to(piece, ports));
        if (progress.kind != Progress::Kind::reached) return progress;
        if (piece < position) ladder_.add(*player_);
    }
    return Progress{Progress::Kind::reached};
}

}  // namespace ramet
