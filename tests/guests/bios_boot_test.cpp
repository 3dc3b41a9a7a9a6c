// Debian's SeaBIOS finds the disk, boots its first sector, and reads the next one for it.
#include <gtest/gtest.h>

#include "machine/machine.h"

namespace ramet {
namespace {

constexpr const char* seabios = "/usr/share/seabios/bios.bin";

TEST(BiosBoot, SeaBiosBootsASectorOfTheDisk) {
    auto firmware = read_file(seabios, "BIOS");
    if (!firmware) GTEST_SKIP() << firmware.error().text << "; it is in Debian's package seabios";
    auto sectors = read_file(RAMET_BOOT_SECTOR, "boot sector");
    ASSERT_TRUE(sectors) << sectors.error().text;
    ASSERT_EQ(sectors->size(), 1024U);
    sectors->resize(4 << 20);
    Configuration configuration;
    configuration.kernel = seabios;
    configuration.boot = Boot::bios;
    configuration.memory_bytes = u64{64} << 20;
    configuration.disks.push_back({.file = "disk", .read_only = false, .place = 0, .bytes = 0});
    Images images{.kernel = {seabios, "", *std::move(firmware)}, .modules = {}};
    images.disks.push_back(DiskImage::of_bytes(*std::move(sectors), "disk"));
    auto machine = Machine::create(configuration, images, std::make_shared<PagePool>());
    ASSERT_TRUE(machine) << machine.error().text;
    BufferPorts ports;
    RunResult const end = machine->run({.cycles = Cycles{60'000'000'000}}, ports);
    EXPECT_EQ(end.reason, StopReason::exit) << reason_text(end.reason) << " " << end.report;
    EXPECT_EQ(end.value, 42U);
    EXPECT_NE(ports.debug.find("second sector"), std::string::npos) << ports.debug;
}

}  // namespace
}  // namespace ramet
