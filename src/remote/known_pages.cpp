#include "remote/known_pages.h"

#include "machine/boot/placement.h"

namespace ramet {

void KnownPages::add(Memory memory) {
    auto const held = std::make_unique<Memory>(std::move(memory));
    for (Frame const frame : held->stored_frames(Frame{}, pages_max - std::min(pages_max, places_.size())))
        places_.try_emplace(sha256_of({held->read(frame), page_size}), Place{memories_.size(), frame});
    memories_.push_back(std::make_unique<Memory>(std::move(*held)));
}

Expected<Done> KnownPages::add(std::shared_ptr<const Snapshot> snapshot, std::shared_ptr<PagePool> pool) {
    auto const ranges = memory_ranges(snapshot->header().configuration);
    for (const RamRange& range : ranges)
        for (u64 i = 0; i < range.count && places_.size() < pages_max; ++i) {
            PageRecord const record = TRY(snapshot->page_record(range.first + i));
            if (record.stored != 0) places_.try_emplace(record.sha256, Place{memories_.size(), range.first + i});
        }
    memories_.push_back(std::make_unique<Memory>(std::move(pool), ranges, std::make_shared<SnapshotSource>(std::move(snapshot))));
    return Done{};
}

bool KnownPages::put(const Sha256& name, Frame frame, Memory& into) {
    auto const found = places_.find(name);
    if (found == places_.end()) return false;
    const u8* const page = memories_[found->second.memory]->read(found->second.frame);
    if (page == nullptr) return false;
    into.install(frame, std::span<const u8, page_size>{page, page_size});
    return !into.is_absent(frame);
}

}  // namespace ramet
