#include "machine/stores.h"

#include <algorithm>

namespace ramet {

bool Stores::is_ram(GuestPhys at, u64 bytes) const {
    for (u64 frame = frame_of(at).value; frame <= frame_of(at + (bytes - 1)).value; ++frame)
        if (!memory_.contains(Frame{frame})) return false;
    return true;
}

Moved Stores::memory_failed() {
    trouble_ = memory_.trouble_text();
    return Moved::failed;
}

Moved Stores::memory_read(GuestPhys from, std::span<u8> to) {
    if (!is_ram(from, to.size())) return Moved::nowhere;
    return memory_.copy_out(from, to) ? Moved::all : memory_failed();
}

Moved Stores::memory_write(GuestPhys to, std::span<const u8> from) {
    if (!is_ram(to, from.size())) return Moved::nowhere;
    if (!memory_.copy_in(to, from)) return memory_failed();
    for (Frame frame = frame_of(to); frame <= frame_of(to + (from.size() - 1)); frame += 1)
        if (written_.empty() || written_.back() != frame) written_.push_back(frame);
    return Moved::all;
}

Moved Stores::moved(const Expected<Done>& result) {
    if (result) return Moved::all;
    trouble_ = result.error().text;
    return Moved::failed;
}

const Disk* Stores::disk(unsigned place, u64 sector, u64 bytes) {
    const Disk* const found = place < disks_.size() && disks_[place] ? &*disks_[place] : nullptr;
    u64 const sectors = bytes / Disk::sector_bytes;
    if (found != nullptr && sector < found->sector_count() && sectors <= found->sector_count() - sector) return found;
    trouble_ = "disk " + std::to_string(place) + " has no sector " + std::to_string(sector) + ", which the drive's state names";
    return nullptr;
}

Moved Stores::disk_read(unsigned place, u64 sector, std::span<u8> to) {
    const Disk* const found = disk(place, sector, to.size());
    return found ? moved(found->read(memory_, sector, to)) : Moved::failed;
}

Moved Stores::disk_write(unsigned place, u64 sector, std::span<const u8> from) {
    const Disk* const found = disk(place, sector, from.size());
    return found ? moved(found->write(memory_, sector, from)) : Moved::failed;
}

void Stores::settle() {
    for (Frame const frame : written_) interpreter_.frame_written(frame);
    written_.clear();
}

}  // namespace ramet
