// Machines and logs for the tests of this folder: guests in files, because a log names its images by path and hash.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "../machine/images.h"
#include "base/prng.h"
#include "machine/machine.h"
#include "replay/player.h"
#include "replay/recorder.h"

namespace ramet {

template <class T>
T must(Expected<T> result) {
    if (!result) ADD_FAILURE() << result.error().text;
    return *std::move(result);
}

/// A directory of the test's own, removed at the end.
class Directory {
public:
    Directory() {
        const auto* const info = testing::UnitTest::GetInstance()->current_test_info();
        path_ = testing::TempDir() + "ramet-" + info->test_suite_name() + "-" + info->name() + "-" + std::to_string(::getpid());
        std::filesystem::remove_all(path_);
        std::filesystem::create_directories(path_);
    }
    /// Processes that a test started may remove files of theirs meanwhile.
    ~Directory() {
        std::error_code gone;
        std::filesystem::remove_all(path_, gone);
    }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

inline void write_file(const std::string& path, const std::vector<u8>& bytes) {
    std::ofstream{path, std::ios::binary}.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

inline std::vector<u8> file_bytes(const std::string& path) { return must(read_file(path, "file")); }

/// Echoes what comes in, adding it up in EBX; leaves with the sum on 'q'.
inline const Bytes echo_code = {0x31, 0xdb,                    // xor ebx, ebx
                                0x66, 0xba, 0xfd, 0x03, 0xec,  // mov dx, 3FDh; in al, dx
                                0xa8, 0x01, 0x74, 0xf7,        // test al, 1; jz
                                0x66, 0xba, 0xf8, 0x03, 0xec,  // mov dx, 3F8h; in al, dx
                                0xee, 0x01, 0xc3,              // out dx, al; add ebx, eax
                                0x3c, 'q', 0x75, 0xeb,         // cmp al, 'q'; jne
                                0x88, 0xd8, 0xe6, 0xf4};       // mov al, bl; out F4h, al

/// A machine and what a log of it begins with.
struct Subject {
    Configuration configuration;
    Images images;
    std::shared_ptr<PagePool> pool = std::make_shared<PagePool>();

    Machine machine() const { return must(Machine::create(configuration, images, pool)); }
    LogHeader header() const { return header_of(configuration, images, machine()); }
};

inline Subject subject_of(const std::string& kernel) {
    Subject subject;
    subject.configuration.kernel = kernel;
    subject.configuration.memory_bytes = u64{4} << 20;
    subject.images = must(read_images(subject.configuration));
    return subject;
}

inline Subject devices_subject() { return subject_of(RAMET_DEVICES_GUEST); }

inline Subject echo_subject(const Directory& directory) {
    write_file(directory / "echo", multiboot_kernel(echo_code));
    return subject_of(directory / "echo");
}

inline Input text(const std::string& bytes) { return {.bytes = {bytes.begin(), bytes.end()}}; }

/// Records a run of `length` instructions with `inputs` inputs at places that the seed decides.
inline Digest record(const Subject& subject, const std::string& path, u64 seed, u64 length, unsigned inputs, const RecorderOptions& options = {}) {
    Machine machine = subject.machine();
    Recorder recorder = must(Recorder::create(path, subject.header(), options));
    Prng random = Prng::seeded(seed);
    BufferPorts ports;
    RunResult result;
    for (unsigned i = 0; i < inputs; ++i) {
        result = must(recorder.run(machine, {.position = machine.position() + random.below(length / inputs)}, ports));
        must(recorder.apply(machine, text(std::string(1 + random.below(3), static_cast<char>('a' + random.below(16))))));
    }
    result = must(recorder.run(machine, {.position = Position{length}}, ports));
    must(recorder.finish(machine, result));
    return machine.digest();
}

}  // namespace ramet
