#include "replay/file.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace ramet {

namespace {

constexpr const char* leftover_suffix = ".tmp~";

std::string reason() { return std::strerror(errno); }

int open_retrying(const std::string& path, int flags) {
    constexpr mode_t mode = 0644;
    int fd = -1;
    do fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

}  // namespace

Error file_error(const std::string& path, u64 offset, const std::string& what) {
    return Error{path + ": offset " + std::to_string(offset) + ": " + what};
}

std::string directory_of(const std::string& path) {
    auto const slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

Expected<File> File::open(const std::string& path) {
    int const fd = open_retrying(path, O_RDONLY);
    if (fd < 0) return Error{path + ": cannot open: " + reason()};
    File file{fd, path};
    struct stat status = {};
    if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return Error{path + ": expected a regular file"};
    return file;
}

Expected<File> File::create(const std::string& path) {
    int const fd = open_retrying(path, O_RDWR | O_CREAT | O_TRUNC);
    if (fd < 0) return Error{path + ": cannot create: " + reason()};
    return File{fd, path};
}

Expected<File> File::in_memory(std::span<const u8> bytes, const std::string& path) {
    int const fd = ::memfd_create("ramet", MFD_CLOEXEC);
    if (fd < 0) return Error{path + ": cannot create: " + reason()};
    File file{fd, path};
    TRY(file.write(0, bytes));
    return file;
}

File::~File() {
    if (fd_ >= 0) ::close(fd_);
}

File::File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

File& File::operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(path_, other.path_);
    return *this;
}

Expected<u64> File::size() const {
    struct stat status = {};
    if (::fstat(fd_, &status) != 0) return Error{path_ + ": cannot tell its size: " + reason()};
    return static_cast<u64>(status.st_size);
}

Expected<Done> File::read(u64 offset, std::span<u8> to) const {
    for (std::size_t done = 0; done < to.size();) {
        ssize_t const n = ::pread(fd_, to.data() + done, to.size() - done, static_cast<off_t>(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return file_error(path_, offset + done, "cannot read: " + reason());
        if (n == 0) return file_error(path_, offset + done, "the file ends here, " + std::to_string(to.size() - done) + " bytes too early");
        done += static_cast<std::size_t>(n);
    }
    return Done{};
}

Expected<std::vector<u8>> File::read(u64 offset, u64 size) const {
    u64 const end = TRY(this->size());
    if (offset > end || size > end - offset)
        return file_error(path_, offset, "expected " + std::to_string(size) + " bytes, but the file ends at " + std::to_string(end));
    std::vector<u8> bytes(static_cast<std::size_t>(size));
    TRY(read(offset, std::span{bytes}));
    return bytes;
}

Expected<Done> File::write(u64 offset, std::span<const u8> bytes) {
    for (std::size_t done = 0; done < bytes.size();) {
        ssize_t const n = ::pwrite(fd_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return file_error(path_, offset + done, "cannot write: " + reason());
        done += static_cast<std::size_t>(n);
    }
    return Done{};
}

Expected<Done> File::sync() {
    if (::fdatasync(fd_) != 0) return Error{path_ + ": cannot make it durable: " + reason()};
    return Done{};
}

Expected<AtomicFile> AtomicFile::create(const std::string& path) {
    static std::atomic<u64> counter = 0;  // two writers of one file, in one process or in several, never share a temporary one
    std::string const own = path + "." + std::to_string(::getpid()) + "." + std::to_string(counter++);
    return AtomicFile{TRY(File::create(own + leftover_suffix)), path};
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept : file_(std::move(other.file_)), path_(std::exchange(other.path_, {})) {}

AtomicFile::~AtomicFile() {
    if (!path_.empty()) ::unlink(file_.path().c_str());
}

Expected<Done> AtomicFile::commit() {
    TRY(file_.sync());
    if (::rename(file_.path().c_str(), path_.c_str()) != 0) return Error{path_ + ": cannot rename " + file_.path() + ": " + reason()};
    std::string const directory = directory_of(std::exchange(path_, {}));
    int const fd = open_retrying(directory, O_RDONLY | O_DIRECTORY);
    bool const durable = fd >= 0 && ::fsync(fd) == 0;
    if (fd >= 0) ::close(fd);
    if (!durable) return Error{directory + ": cannot make it durable: " + reason()};
    return Done{};
}

bool AtomicFile::is_leftover(const std::string& path) { return path.ends_with(leftover_suffix); }

}  // namespace ramet
