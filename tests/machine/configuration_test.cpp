#include "machine/configuration.h"

#include <gtest/gtest.h>

#include <fstream>

namespace ramet {
namespace {

/// The message that a configuration gets, or "accepted".
std::string complaint(const std::string& text) {
    auto const result = parse_configuration(text, "dir/machine.toml");
    return result ? "accepted" : result.error().text;
}

TEST(Configuration, ReadsEveryKey) {
    auto const result = parse_configuration(R"(
cpu = "ramet-v2"
memory = "512M"
kernel = "vmlinuz"
initrd = "/boot/initrd"
append = "console=ttyS0"
unpack = "host"
rtc = 2024-02-29T12:34:56Z
seed = 7
console = "serial"
)", "dir/machine.toml");
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_EQ(result->cpu, CpuModel::ramet_v2);
    EXPECT_EQ(result->memory_bytes, u64{512} << 20);
    EXPECT_EQ(result->kernel, "dir/vmlinuz") << "relative to the file";
    EXPECT_EQ(result->initrd, "/boot/initrd");
    EXPECT_EQ(result->append, "console=ttyS0");
    EXPECT_EQ(result->unpack, Unpack::host);
    EXPECT_EQ(result->rtc, 1'709'210'096);
    EXPECT_EQ(result->seed, 7);
    EXPECT_EQ(result->console, Console::serial);
}

TEST(Configuration, BiosTakesThePlaceOfAKernel) {
    auto const bios = parse_configuration("bios = \"rom.bin\"\n", "dir/machine.toml");
    ASSERT_TRUE(bios) << bios.error().text;
    EXPECT_EQ(bios->boot, Boot::bios);
    EXPECT_EQ(bios->kernel, "dir/rom.bin");
    auto const both = parse_configuration("bios = \"rom.bin\"\nkernel = \"vmlinuz\"\n", "machine.toml");
    EXPECT_EQ(both.error().text, "machine.toml:2:10: kernel: a machine has a kernel or a BIOS, not both");
    Configuration c = *bios;
    c.initrd = "i";
    EXPECT_EQ(check_configuration(c).error().text, "bios: a BIOS takes neither initrd nor append");
}

TEST(Configuration, NamesLineAndColumnOfAnUnknownKey) {
    EXPECT_EQ(complaint("memory = \"1G\"\nmemroy = \"2G\"\n"),
              "dir/machine.toml:2:1: memroy: unknown key; known are append, bios, console, cpu, disk, initrd, kernel, memory, rtc, seed, unpack");
}

TEST(Configuration, NamesLineAndColumnOfASyntaxError) {
    EXPECT_EQ(complaint("memory = \n").rfind("dir/machine.toml:1:10: ", 0), 0) << complaint("memory = \n");
}

TEST(Configuration, SaysWhatItExpected) {
    EXPECT_EQ(complaint("memory = 512"), "dir/machine.toml:1:10: memory: expected a size in quotes, as \"512M\"");
    EXPECT_EQ(complaint("memory = \"lots\""), "dir/machine.toml:1:10: memory: \"lots\" is not a size; expected a number with K, M, G or T, as \"512M\"");
    EXPECT_EQ(complaint("cpu = \"i386\""), "dir/machine.toml:1:7: cpu: \"i386\" is not known; expected one of \"ramet-v1\", \"ramet-v2\"");
    EXPECT_EQ(complaint("seed = -1"), "dir/machine.toml:1:8: seed: expected a number from 0 up");
    EXPECT_EQ(complaint("append = 5"), "dir/machine.toml:1:10: append: expected a text in quotes");
    EXPECT_EQ(complaint("rtc = 2024-01-01T00:00:00+02:00"), "dir/machine.toml:1:7: rtc: expected UTC, as 2024-01-01T00:00:00Z");
    EXPECT_EQ(complaint("rtc = \"2023-02-29T00:00:00Z\""),
              "dir/machine.toml:1:7: rtc: \"2023-02-29T00:00:00Z\" is not a date; expected UTC, as 2024-01-01T00:00:00Z");
}

TEST(Configuration, SizesHaveLimits) {
    for (const char* text : {"", "M", "-1M", "1.5G", "99999999999999999999", "18446744073709551615K", "1Q"}) EXPECT_FALSE(parse_size(text, "memory")) << text;
    EXPECT_EQ(*parse_size("65536K", "memory"), u64{64} << 20);
    EXPECT_EQ(*parse_size("1048576", "memory"), u64{1} << 20);
}

TEST(Configuration, MemoryHasLimits) {
    Configuration c;
    c.kernel = "k";
    for (auto const& [bytes, good] : {std::pair{u64{0}, false}, {u64{3} << 40, false}, {Configuration::memory_bytes_min - 4096, false},
                                      {Configuration::memory_bytes_min, true}, {Configuration::memory_bytes_max, true},
                                      {Configuration::memory_bytes_max + 4096, false}, {Configuration::memory_bytes_min + 1, false}}) {
        c.memory_bytes = bytes;
        EXPECT_EQ(static_cast<bool>(check_configuration(c)), good) << bytes;
    }
    c.memory_bytes = 0;
    EXPECT_EQ(check_configuration(c).error().text, "memory: 0 bytes; expected from 2M to 512G");
}

TEST(Configuration, NeedsAKernelThatExists) {
    EXPECT_EQ(read_images({}).error().text, "kernel: missing; expected the path of a kernel image");
    Configuration c;
    c.kernel = "/nowhere/vmlinuz";
    EXPECT_EQ(read_images(c).error().text, "/nowhere/vmlinuz: cannot read the kernel");
    c.kernel = "/";
    EXPECT_FALSE(read_images(c));
}

TEST(Configuration, HasDisks) {
    auto const read = parse_configuration("kernel = \"k\"\n[[disk]]\nfile = \"a.img\"\nplace = 1\nread_only = true\n[[disk]]\nfile = \"/b.img\"\n", "dir/machine.toml");
    ASSERT_TRUE(read) << read.error().text;
    ASSERT_EQ(read->disks.size(), 2U);
    EXPECT_EQ(read->disks[0], (DiskConfiguration{.file = "dir/a.img", .read_only = true, .place = 1, .bytes = 0}));
    EXPECT_EQ(read->disks[1], (DiskConfiguration{.file = "/b.img", .read_only = false, .place = 0, .bytes = 0})) << "the first free place";
}

TEST(Configuration, SaysWhatIsWrongWithDisks) {
    EXPECT_EQ(complaint("disk = \"a.img\""), "dir/machine.toml:1:8: disk: expected [[disk]] tables");
    EXPECT_EQ(complaint("[[disk]]\nread_only = true"), "dir/machine.toml:1:1: disk.file: missing; expected the path of a disk image");
    EXPECT_EQ(complaint("[[disk]]\nfile = \"a\"\nplace = 2"), "dir/machine.toml:3:9: disk.place: expected 0 or 1, the drive on the IDE channel");
    EXPECT_EQ(complaint("[[disk]]\nfile = \"a\"\nread_only = 1"), "dir/machine.toml:3:13: disk.read_only: expected true or false");
    EXPECT_EQ(complaint("[[disk]]\nfile = \"a\"\nsize = 1"), "dir/machine.toml:3:1: disk.size: unknown key; known are file, place, read_only");
    EXPECT_EQ(complaint("[[disk]]\nfile = \"a\"\nplace = 0\n[[disk]]\nfile = \"b\"\nplace = 0"),
              "dir/machine.toml:4:1: disk: dir/a and dir/b are both in place 0");
    Configuration c;
    c.kernel = "k";
    c.disks.resize(1);
    EXPECT_EQ(check_configuration(c).error().text, "disk: missing file; expected the path of a disk image");
    c.disks[0] = {.file = "d", .read_only = false, .place = 7, .bytes = 0};
    EXPECT_EQ(check_configuration(c).error().text, "disk: d in place 7; there are the places 0 and 1");
}

TEST(Configuration, IdentityIncludesDisks) {
    Images const none{.kernel = {"a", "", {1}}, .modules = {}};
    Images one = none, other = none;
    one.disks.push_back(DiskImage::of_bytes({1}, "one"));
    other.disks.push_back(DiskImage::of_bytes({2}, "one"));
    Configuration c, read_only;
    c.disks.push_back({.file = "one", .read_only = false, .place = 0, .bytes = 0});
    read_only.disks.push_back({.file = "one", .read_only = true, .place = 0, .bytes = 0});
    EXPECT_NE(identity_of(c, one), identity_of({}, none));
    EXPECT_NE(identity_of(c, one), identity_of(c, other));
    EXPECT_NE(identity_of(c, one), identity_of(read_only, one));
}

TEST(Configuration, IdentityIsAboutContentNotPaths) {
    Images const images{.kernel = {"a", "", {1, 2, 3}}, .modules = {}};
    Images const moved{.kernel = {"b", "", {1, 2, 3}}, .modules = {}};
    Images const other{.kernel = {"a", "", {1, 2, 4}}, .modules = {}};
    Configuration c;
    EXPECT_EQ(identity_of(c, images), identity_of(c, moved));
    EXPECT_NE(identity_of(c, images), identity_of(c, other));
    Configuration seeded = c;
    seeded.seed = 1;
    EXPECT_NE(identity_of(c, images), identity_of(seeded, images));
    Configuration silent = c;
    silent.console = Console::none;
    EXPECT_EQ(identity_of(c, images), identity_of(silent, images)) << "what the host shows is no part of the machine";
}

}  // namespace
}  // namespace ramet
