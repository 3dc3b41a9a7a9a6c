// DiskImage: what a disk contains when the machine is switched on: a file of the host's, read only and never whole, or bytes in memory. It is named by
// the SHA-256 of its content, which is computed when it is opened, or known from an earlier time. Machines and their forks share it; what they write goes elsewhere (disk.h).
//
// The file must not change while a machine uses it. One that is replaced by another file of that name does no harm: the old one stays open.
// Threads: any number may read at once. Cost: opening reads the file once, if its hash is not known; a read is one system call.
// Tests: tests/cow/disk_test.cpp.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/sha256.h"
#include "base/types.h"

namespace ramet {

/// What the host says about a file: something of it changes whenever the content does.
struct FileVersion {
    u64 device = 0, inode = 0, byte_count = 0;
    i64 modified_ns = 0, changed_ns = 0;

    friend bool operator==(const FileVersion&, const FileVersion&) = default;
};

/// Hashes that were computed before.
class ImageHashes {
public:
    virtual ~ImageHashes() = default;
    virtual std::optional<Sha256> find(const FileVersion& version) = 0;
    virtual void add(const FileVersion& version, const Sha256& hash) = 0;
};

class DiskImage {
public:
    static constexpr u64 bytes_max = u64{512} << 30;

    /// A regular file of 1 byte to bytes_max.
    /// With `known` only a file that is not among them is hashed.
    static Expected<std::shared_ptr<const DiskImage>> open(const std::string& path, ImageHashes* known = nullptr);
    static std::shared_ptr<const DiskImage> of_bytes(std::vector<u8> bytes, std::string name);
    ~DiskImage();
    DiskImage(const DiskImage&) = delete;
    DiskImage& operator=(const DiskImage&) = delete;

    const std::string& path() const { return path_; }
    u64 byte_count() const { return byte_count_; }
    const Sha256& sha256() const { return sha256_; }

    /// Fills `to`; zeros beyond the end. False: the file cannot be read there any more.
    bool read(u64 offset, std::span<u8> to) const;

private:
    DiskImage(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
    Expected<FileVersion> version() const;
    Expected<Done> measure(ImageHashes* known);
    Expected<Sha256> hash() const;

    int fd_ = -1;  // -1: the content is in bytes_
    std::vector<u8> bytes_;
    std::string path_;
    u64 byte_count_ = 0;
    Sha256 sha256_;
};

}  // namespace ramet
