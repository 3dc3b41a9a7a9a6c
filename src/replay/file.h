// Files as logs and snapshots need them: exact reads and writes at an offset, durable and atomic replacement, errors that name the file and
// the offset. Nothing below this layer knows files that are written.
// Tests: tests/replay/snapshot_test.cpp.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace ramet {

/// "run.rlog: offset 4096: what"
Error file_error(const std::string& path, u64 offset, const std::string& what);

class File {
public:
    static Expected<File> open(const std::string& path);
    /// Empty, for writing and reading; an old file of that name is replaced.
    static Expected<File> create(const std::string& path);
    /// Without a name on disk; `path` is for messages.
    static Expected<File> in_memory(std::span<const u8> bytes, const std::string& path);

    ~File();
    File(File&& other) noexcept;
    File& operator=(File&& other) noexcept;

    const std::string& path() const { return path_; }
    Expected<u64> size() const;
    /// Fills `to`; a file that ends earlier is an error.
    Expected<Done> read(u64 offset, std::span<u8> to) const;
    Expected<std::vector<u8>> read(u64 offset, u64 size) const;
    Expected<Done> write(u64 offset, std::span<const u8> bytes);
    /// What was written survives a power cut.
    Expected<Done> sync();

private:
    File(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

    int fd_ = -1;
    std::string path_;
};

/// A file that appears under its name complete, or not at all: written beside it under a temporary name, synced, then renamed. Whoever is
/// interrupted leaves the old file as it was, and perhaps a temporary one that is_leftover() recognises.
class AtomicFile {
public:
    static Expected<AtomicFile> create(const std::string& path);
    ~AtomicFile();
    AtomicFile(AtomicFile&& other) noexcept;
    AtomicFile& operator=(AtomicFile&&) = delete;

    File& file() { return file_; }
    Expected<Done> commit();

    static bool is_leftover(const std::string& path);

private:
    AtomicFile(File file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

    File file_;
    std::string path_;  // empty after commit() or a move
};

/// "dir/name" of "dir/name/file"; "." without a slash.
std::string directory_of(const std::string& path);

}  // namespace ramet
