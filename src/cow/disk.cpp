#include "cow/disk.h"

#include <algorithm>
#include <array>

namespace ramet {

namespace {

/// Calls piece(block, offset in the block, offset in the range, bytes) for each block that a range of bytes touches, while it returns done.
Expected<Done> for_each_block(u64 offset, u64 size, auto piece) {
    for (u64 done = 0; done < size;) {
        u64 const at = offset + done, inside = at % page_size;
        u64 const bytes = std::min(page_size - inside, size - done);
        TRY(piece(at / page_size, inside, done, bytes));
        done += bytes;
    }
    return Done{};
}

void toggle(std::span<u8> bytes, const u8* by) {
    for (u8& byte : bytes) byte ^= *by++;
}

}  // namespace

RamRange Disk::frames(u64 byte_count, std::size_t place) { return {first_frame(place), (byte_count + page_size - 1) / page_size}; }

Expected<Done> Disk::read(Memory& memory, u64 sector, std::span<u8> to) const {
    u64 const offset = sector * sector_bytes;
    TRY(read_image(offset, to));
    return for_each_block(offset, to.size(), [&](u64 block, u64 inside, u64 done, u64 bytes) -> Expected<Done> {
        const u8* const page = memory.read(first_ + block);
        if (page == nullptr) return trouble(memory);
        toggle(to.subspan(done, bytes), page + inside);
        return Done{};
    });
}

Expected<Done> Disk::write(Memory& memory, u64 sector, std::span<const u8> from) const {
    return for_each_block(sector * sector_bytes, from.size(), [&](u64 block, u64 inside, u64 done, u64 bytes) -> Expected<Done> {
        std::array<u8, page_size> difference;
        std::span<u8> const piece = std::span{difference}.first(bytes);
        TRY(read_image(block * page_size + inside, piece));
        toggle(piece, from.data() + done);
        const u8* const page = memory.read(first_ + block);
        if (page == nullptr) return trouble(memory);
        if (std::equal(piece.begin(), piece.end(), page + inside)) return Done{};  // what changes nothing takes no page
        WriteGrant const grant = memory.write(first_ + block);
        if (grant.bytes == nullptr) return trouble(memory);
        std::copy(piece.begin(), piece.end(), grant.bytes + inside);
        return Done{};
    });
}

Expected<Done> Disk::read_image(u64 offset, std::span<u8> to) const {
    if (image_->read(offset, to)) return Done{};
    return Error{image_->path() + ": cannot read the disk image at offset " + std::to_string(offset) + "; was it changed while a machine used it?"};
}

Error Disk::trouble(const Memory& memory) const {
    bool const beyond = memory.trouble() == MemoryTrouble::none;
    return Error{image_->path() + ": " + (beyond ? "a sector beyond the end of the disk" : memory.trouble_text())};
}

}  // namespace ramet
