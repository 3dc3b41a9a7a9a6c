#include "cow/disk_image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ramet {

Expected<std::shared_ptr<const DiskImage>> DiskImage::open(const std::string& path, ImageHashes* known) {
    int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a FIFO is refused, not waited for
    if (fd < 0) return Error{path + ": cannot read the disk image: " + std::strerror(errno)};
    std::shared_ptr<DiskImage> made{new DiskImage{fd, path}};
    TRY(made->measure(known));
    return std::shared_ptr<const DiskImage>{std::move(made)};
}

std::shared_ptr<const DiskImage> DiskImage::of_bytes(std::vector<u8> bytes, std::string name) {
    std::shared_ptr<DiskImage> made{new DiskImage{-1, std::move(name)}};
    made->bytes_ = std::move(bytes);
    made->byte_count_ = made->bytes_.size();
    made->sha256_ = sha256_of(made->bytes_);
    return made;
}

DiskImage::~DiskImage() {
    if (fd_ >= 0) ::close(fd_);
}

Expected<FileVersion> DiskImage::version() const {
    struct stat status = {};
    if (::fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) return Error{path_ + ": cannot read the disk image; expected a regular file"};
    auto const ns = [](const timespec& time) { return i64{time.tv_sec} * 1'000'000'000 + time.tv_nsec; };
    return FileVersion{status.st_dev, status.st_ino, static_cast<u64>(status.st_size), ns(status.st_mtim), ns(status.st_ctim)};
}

Expected<Done> DiskImage::measure(ImageHashes* known) {
    FileVersion const found = TRY(version());
    byte_count_ = found.byte_count;
    if (byte_count_ == 0) return Error{path_ + ": the disk image is empty"};
    if (byte_count_ > bytes_max) return Error{path_ + ": " + std::to_string(byte_count_) + " bytes are too many for a disk image; at most 512G are possible"};
    if (auto const hash = known ? known->find(found) : std::nullopt) {
        sha256_ = *hash;
        return Done{};
    }
    sha256_ = TRY(hash());
    if (known && TRY(version()) == found) known->add(found, sha256_);  // and nobody wrote it meanwhile
    return Done{};
}

Expected<Sha256> DiskImage::hash() const {
    Sha256Stream stream;
    std::vector<u8> piece(std::size_t{1} << 20);
    for (u64 at = 0; at < byte_count_; at += piece.size()) {
        std::span<u8> const part = std::span{piece}.first(static_cast<std::size_t>(std::min<u64>(piece.size(), byte_count_ - at)));
        if (!read(at, part)) return Error{path_ + ": cannot read the disk image at offset " + std::to_string(at)};
        stream.add(part);
    }
    return stream.finish();
}

bool DiskImage::read(u64 offset, std::span<u8> to) const {
    u64 const there = offset < byte_count_ ? std::min<u64>(to.size(), byte_count_ - offset) : 0;
    std::span<u8> rest = to.first(static_cast<std::size_t>(there));
    std::fill(to.begin() + static_cast<std::ptrdiff_t>(there), to.end(), u8{0});
    if (fd_ < 0) {
        if (there != 0) std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), there, rest.begin());
        return true;
    }
    while (!rest.empty()) {
        ssize_t const got = ::pread(fd_, rest.data(), rest.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;  // an error, or somebody has cut the file short
        offset += static_cast<u64>(got);
        rest = rest.subspan(static_cast<std::size_t>(got));
    }
    return true;
}

}  // namespace ramet
