// Digests of Debian's kernel at some Positions of its boot. The guest comes from tools/guest, as for the demo; without Debian's archive, or when the
// archive has a newer kernel than tests/golden/boot.txt, the test is skipped and says so.
#include <cstdio>
#include <filesystem>
#include <iterator>

#include "../golden/golden.h"
#include "machine/machine.h"

namespace ramet {
namespace {

constexpr u64 step = 100'000'000, steps = 3;

std::string text_of(const std::string& path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

/// The folder that tools/guest prints, or nothing.
std::string guest_folder() {
    std::FILE* const pipe = ::popen(RAMET_GUEST_TOOL " cloud", "r");
    std::string line;
    for (int c; (c = std::fgetc(pipe)) != EOF && c != '\n';) line.push_back(static_cast<char>(c));
    return ::pclose(pipe) == 0 ? line : "";
}

TEST(Golden, DigestsOfALinuxBoot) {
    std::string const folder = guest_folder();
    if (folder.empty()) GTEST_SKIP() << "NOT COMPARED: tools/guest could not fetch a kernel";
    std::string const manifest = text_of(folder + "/MANIFEST");
    std::string const path = RAMET_GOLDEN "/boot.txt";
    if (!std::getenv("RAMET_GOLDEN_WRITE") && !text_of(path).starts_with(manifest)) GTEST_SKIP() << "NOT COMPARED: the guest is another than that of " << path;

    Configuration configuration;
    configuration.kernel = folder + "/vmlinuz";
    configuration.initrd = folder + "/initramfs.cpio";
    configuration.append = "console=ttyS0";
    configuration.unpack = Unpack::host;
    auto made = Machine::create(configuration, std::make_shared<PagePool>());
    ASSERT_TRUE(made) << made.error().text;
    BufferPorts ports;
    std::string text = manifest;
    for (u64 i = 1; i <= steps; ++i) {
        ASSERT_EQ(made->run({.position = Position{i * step}}, ports).reason, StopReason::position);
        text += std::to_string(i * step) + " " + made->digest().hex() + "\n";
    }
    expect_golden(path, text);
}

}  // namespace
}  // namespace ramet
