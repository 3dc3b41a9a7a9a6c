// Disk: a disk as a value that forks with its machine: a base image that nobody writes, and what was changed since.
//
// The changes are pages of the machine's own memory, in frames that no CPU can address, one for each block of 4 KiB. So whatever holds for memory holds for
// disks: fork in O(1), copy on write, Merkle digest, snapshots that restore lazily, demand paging from another host.
// A page holds the *difference* (exclusive or) between block and image. A page of zeros is therefore a block that is as in the image and costs
// nothing, and two disks over one image are equal exactly when their pages are: how they came to be does not matter.
//
// Sectors have 512 bytes; an image that ends within one is filled up with zeros.
// Tests: tests/cow/disk_test.cpp.
#pragma once

#include <memory>
#include <span>

#include "base/result.h"
#include "cow/disk_image.h"
#include "cow/memory.h"

namespace ramet {

class Disk {
public:
    static constexpr u64 sector_bytes = 512;
    static constexpr std::size_t count_max = 2;

    /// The disk in place `place`, from 0 to count_max - 1, of a machine; as it is in the image.
    Disk(std::shared_ptr<const DiskImage> image, std::size_t place) : image_(std::move(image)), first_(first_frame(place)) {}

    /// The frames of its blocks, for the machine's memory.
    static RamRange frames(u64 byte_count, std::size_t place);

    const DiskImage& image() const { return *image_; }
    u64 sector_count() const { return (image_->byte_count() + sector_bytes - 1) / sector_bytes; }

    /// Whole sectors within the disk; `memory` is the machine's. Errors are the host's: the image is not readable any more, pages are lost or used up.
    Expected<Done> read(Memory& memory, u64 sector, std::span<u8> to) const;
    /// After an error some of the sectors may have been written.
    Expected<Done> write(Memory& memory, u64 sector, std::span<const u8> from) const;

private:
    static constexpr u64 frames_each = ram_frame_count_max / count_max;
    static Frame first_frame(std::size_t place) { return Frame{ram_frame_count_max + place * frames_each}; }
    Expected<Done> read_image(u64 offset, std::span<u8> to) const;
    Error trouble(const Memory& memory) const;

    std::shared_ptr<const DiskImage> image_;
    Frame first_;
};

}  // namespace ramet
