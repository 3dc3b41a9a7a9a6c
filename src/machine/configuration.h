// Configuration: everything that decides what a run does before its first input. Two machines with equal configurations and equal
// image contents are the same machine; the identity digest says so, and paths are no part of it.
//
// machine.toml has the same keys, see docs/man/ramet.1. read_configuration() refuses what it does not know, with line and column.
// Tests: tests/machine/configuration_test.cpp.
#pragma once

#include <string>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "cow/disk.h"
#include "x86/interpreter.h"

namespace ramet {

/// Who unpacks a compressed kernel: the guest, as on real hardware, or the loader, which saves the guest the time.
enum class Unpack : u8 { guest, host };

/// What the machine begins with: a kernel put into memory by a loader, or a firmware image at the reset vector.
enum class Boot : u8 { kernel, bios };

/// Which output the host shows. Not part of the machine.
enum class Console : u8 { none, serial, debug, both };

/// A disk of the machine, on the IDE channel.
struct DiskConfiguration {
    std::string file;        // path of the image, which is never written
    bool read_only = false;  // the guest may not write either
    u64 place = 0;           // 0: drive 0 ("master"), 1: drive 1
    u64 bytes = 0;           // of the image; 0 as long as nobody has looked

    friend bool operator==(const DiskConfiguration&, const DiskConfiguration&) = default;
};

struct Configuration {
    static constexpr u64 memory_bytes_min = u64{2} << 20;
    static constexpr u64 memory_bytes_max = u64{512} << 30;  // half of what the page tree can address, which leaves room for holes

    CpuModel cpu = CpuModel::ramet_v1;
    u64 memory_bytes = u64{256} << 20;
    std::string kernel;               // path; of the firmware image, if boot says so
    std::string initrd;               // path; multiboot: "file arguments,file arguments"
    std::string append;               // kernel command line
    Unpack unpack = Unpack::guest;
    Boot boot = Boot::kernel;
    i64 rtc = 1'704'067'200;          // Unix time at power-on: 2024-01-01T00:00:00Z
    u64 seed = 0;                     // of the generator behind RDRAND
    Console console = Console::both;
    std::vector<DiskConfiguration> disks;

    /// The lowest place without a disk.
    u64 free_disk_place() const;
    friend bool operator==(const Configuration&, const Configuration&) = default;
};

/// A file given to the machine.
struct Image {
    std::string name;       // for messages
    std::string arguments;  // multiboot modules: the text after the file name
    std::vector<u8> bytes;
};

using DiskImages = std::vector<std::shared_ptr<const DiskImage>>;

struct Images {
    Image kernel;                // or the firmware
    std::vector<Image> modules;  // Linux: at most one, the initrd
    DiskImages disks = {};       // as in Configuration::disks
};

/// "512M", "2G", "65536K", "1048576": bytes. `where` opens the message of an error.
Expected<u64> parse_size(const std::string& text, const std::string& where);
/// "2024-01-01T00:00:00Z": Unix time.
Expected<i64> parse_date(const std::string& text, const std::string& where);
Expected<CpuModel> parse_cpu(const std::string& text, const std::string& where);
Expected<Unpack> parse_unpack(const std::string& text, const std::string& where);
Expected<Console> parse_console(const std::string& text, const std::string& where);

/// Disks that no machine can have; `where` opens the message.
Expected<Done> check_disks(const std::vector<DiskConfiguration>& disks, const std::string& where);
/// Values that no machine can have.
Expected<Done> check_configuration(const Configuration& configuration);

/// Reads machine.toml. Relative paths in it are relative to the file.
Expected<Configuration> read_configuration(const std::string& path);
/// The same from text; `path` is for messages and relative paths.
Expected<Configuration> parse_configuration(const std::string& text, const std::string& path);

Expected<std::vector<u8>> read_file(const std::string& path, const std::string& what);
/// The files that the configuration names. `known`: see DiskImage::open().
Expected<Images> read_images(const Configuration& configuration, ImageHashes* known = nullptr);

/// Names configuration and image contents.
Digest identity_of(const Configuration& configuration, const Images& images);

}  // namespace ramet
