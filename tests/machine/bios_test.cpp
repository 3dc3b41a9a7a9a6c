#include "machine/boot/bios.h"

#include <gtest/gtest.h>

#include "images.h"
#include "machine/machine.h"

namespace ramet {
namespace {

/// 64 KiB that begin with what their first 16 bytes of code are, reached by a far jump from the reset vector.
Bytes rom(const Bytes& code, std::size_t size = 64 << 10) {
    Bytes image(size);
    std::copy(code.begin(), code.end(), image.end() - (64 << 10));
    Bytes const jump = {0xea, 0, 0, 0, 0xf0};  // jmp F000:0000
    std::copy(jump.begin(), jump.end(), image.end() - 16);
    return image;
}

Configuration configuration() {
    Configuration c;
    c.kernel = "rom";
    c.boot = Boot::bios;
    c.memory_bytes = u64{4} << 20;
    return c;
}

class Collect final : public Ports {
public:
    bool output(Channel, u8 byte) override {
        text.push_back(static_cast<char>(byte));
        return false;
    }
    std::string text;
};

TEST(Bios, StartsAtTheResetVectorInRealMode) {
    // mov eax, cr0; and al, 1; add al, '0'; out E9h, al; mov al, [cs:0]; out F4h, al
    Images const images = images_of(rom({0x0f, 0x20, 0xc0, 0x24, 1, 0x04, '0', 0xe6, 0xe9, 0x2e, 0xa0, 0, 0, 0xe6, 0xf4}));
    auto machine = Machine::create(configuration(), images, std::make_shared<PagePool>());
    ASSERT_TRUE(machine) << machine.error().text;
    EXPECT_EQ(machine->cpu().rip, 0xfff0u);
    EXPECT_EQ(machine->cpu().seg[CS].base, 0xffff0000u);
    Collect ports;
    RunResult const end = machine->run({.position = Position{100}}, ports);
    EXPECT_EQ(end.reason, StopReason::exit);
    EXPECT_EQ(end.value, 0x0fu);
    EXPECT_EQ(ports.text, "0");
}

TEST(Bios, LiesBelowFourGigabytesAndItsEndBelowOneMegabyte) {
    Images images = images_of(rom({0xf4}, 256 << 10));
    images.kernel.bytes[0] = 0xaa;
    images.kernel.bytes[128 << 10] = 0xbb;
    auto machine = Machine::create(configuration(), images, std::make_shared<PagePool>());
    ASSERT_TRUE(machine) << machine.error().text;
    auto const byte = [&](u64 at) { return machine->memory().read(frame_of(GuestPhys{at}))[0]; };
    EXPECT_EQ(byte(0xfffc0000), 0xaa);
    EXPECT_EQ(byte(0xfffe0000), 0xbb);
    EXPECT_EQ(byte(0xe0000), 0xbb);
}

TEST(Bios, RefusesImagesOfImpossibleSizes) {
    for (std::size_t const size : {std::size_t{0}, std::size_t{4095}, std::size_t{65537}, std::size_t{(16 << 20) + 4096}}) {
        auto const made = Machine::create(configuration(), images_of(Bytes(size)), std::make_shared<PagePool>());
        EXPECT_FALSE(made) << size;
    }
    EXPECT_TRUE(Machine::create(configuration(), images_of(Bytes(16 << 20)), std::make_shared<PagePool>()));
    EXPECT_TRUE(Machine::create(configuration(), images_of(Bytes(4096)), std::make_shared<PagePool>()));
}

}  // namespace
}  // namespace ramet
