#include "machine/boot/linux.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "images.h"

namespace ramet {
namespace {

constexpr u64 MiB = u64{1} << 20;
constexpr u64 boot_params = 0x7000;

class LinuxTest : public testing::Test {
protected:
    LinuxTest() { configuration.append = "console=ttyS0"; }
    /// Into fresh memory.
    Expected<Done> load(const Images& images) {
        memory = Memory{std::make_shared<PagePool>(), RamLayout::of(64 * MiB).ranges()};
        Placement placement{memory, RamLayout::of(64 * MiB)};
        return load_bzimage(placement, cpu, configuration, images, 0xe0000);
    }
    std::string complaint(const Images& images) {
        auto const result = load(images);
        return result ? "accepted" : result.error().text;
    }
    u64 field(u64 at, unsigned size) {
        std::array<u8, 8> bytes = {};
        EXPECT_TRUE(memory.copy_out(GuestPhys{boot_params + at}, std::span{bytes}.first(size)));
        return load_le<u64>(bytes.data());
    }
    Memory memory{std::make_shared<PagePool>(), RamLayout::of(64 * MiB).ranges()};
    Cpu cpu = reset_cpu();
    Configuration configuration;
};

TEST_F(LinuxTest, EntersThe64BitEntry) {
    ASSERT_TRUE(load(images_of(bzimage(Bytes(2000, 0x90)))));
    EXPECT_EQ(cpu.rip, 0x100200);
    EXPECT_EQ(cpu.gpr[RSI], boot_params);
    EXPECT_EQ(cpu.efer & 0x500, 0x500);
    EXPECT_EQ(field(0x202, 4), 0x53726448);
    EXPECT_EQ(field(0x210, 1), 0xff);
    EXPECT_EQ(field(0x070, 8), 0xe0000);
    EXPECT_GT(field(0x1e8, 1), 3);
}

TEST_F(LinuxTest, EntersThe32BitEntryOfOldKernels) {
    Bytes kernel = bzimage(Bytes(2000, 0x90));
    put<u16>(kernel, 0x236, 0);
    ASSERT_TRUE(load(images_of(kernel)));
    EXPECT_EQ(cpu.rip, 0x100000);
    EXPECT_EQ(cpu.efer, 0);
}

TEST_F(LinuxTest, InitrdLiesHighAboveTheUnpackedKernel) {
    ASSERT_TRUE(load(images_of(bzimage({}), Bytes(10'000, 0x33))));
    u64 const at = field(0x218, 4);
    EXPECT_EQ(field(0x21c, 4), 10'000);
    EXPECT_EQ(at, 64 * MiB - 3 * page_size);
    EXPECT_EQ(memory.read(frame_of(GuestPhys{at}))[5], 0x33);
}

TEST_F(LinuxTest, AnInitrdLargerThanMemoryIsRefused) {
    EXPECT_EQ(complaint(images_of(bzimage({}), Bytes(64 * MiB))),
              "initrd: an initrd of 67108864 bytes does not fit beside the kernel below 0x4000000; give the machine more memory");
    EXPECT_NE(complaint(images_of(bzimage({}), Bytes(48 * MiB))).find("does not fit above the kernel"), std::string::npos);
}

TEST_F(LinuxTest, EveryTruncationIsNoticed) {
    Bytes const whole = bzimage(Bytes(2000, 0x90));
    for (std::size_t size = 0x206; size + 16 < whole.size(); size += 7) {
        Bytes const cut{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)};
        EXPECT_FALSE(load(images_of(cut))) << size;
    }
}

TEST_F(LinuxTest, RefusesOldProtocolsAndLongCommandLines) {
    Bytes kernel = bzimage({});
    put<u16>(kernel, 0x206, 0x0203);
    EXPECT_EQ(complaint(images_of(kernel)), "kernel: boot protocol 0x203; expected 0x206 (Linux 2.6.22) or newer");
    configuration.append = std::string(2048, 'x');
    EXPECT_EQ(complaint(images_of(bzimage({}))), "append: 2048 bytes; this kernel takes at most 2047");
    configuration.append.pop_back();
    EXPECT_EQ(complaint(images_of(bzimage({}))), "accepted");
}

TEST_F(LinuxTest, TakesOneInitrd) {
    Images images = images_of(bzimage({}), {1});
    images.modules.push_back(images.modules.front());
    EXPECT_FALSE(load(images));
}

TEST_F(LinuxTest, UnpacksOnTheHost) {
    Bytes const vmlinux = elf_kernel(true, 0x1000000, 0xffffffff81000000, 0xffffffff81000010, Bytes(5000, 0x90));
    Bytes payload(vmlinux.size() + 1000);
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
    Bytes copy = vmlinux;
    stream.next_in = copy.data();
    stream.avail_in = static_cast<uInt>(copy.size());
    stream.next_out = payload.data();
    stream.avail_out = static_cast<uInt>(payload.size());
    deflate(&stream, Z_FINISH);
    payload.resize(stream.total_out);
    deflateEnd(&stream);

    configuration.unpack = Unpack::host;
    u32 const length = static_cast<u32>(payload.size());
    ASSERT_TRUE(load(images_of(bzimage(payload, 0, length))));
    EXPECT_EQ(cpu.rip, 0x1000010);
    EXPECT_EQ(memory.read(frame_of(GuestPhys{0x1000000}))[0], 0x90);
    EXPECT_NE(complaint(images_of(bzimage(payload, 0, 100'000))).find("lies beyond the end of the file"), std::string::npos);
    EXPECT_NE(complaint(images_of(bzimage(payload, 0, length / 2))).find("damaged or cut short"), std::string::npos);
    EXPECT_NE(complaint(images_of(bzimage(Bytes(100), 0, 100))).find("unknown method"), std::string::npos);
}

TEST_F(LinuxTest, LoadsAPlainVmlinux) {
    Bytes const vmlinux = elf_kernel(true, 0x1000000, 0xffffffff81000000, 0x1000010, Bytes(5000, 0x90));
    Placement placement{memory, RamLayout::of(64 * MiB)};
    ASSERT_TRUE(load_vmlinux(placement, cpu, configuration, images_of(vmlinux), 0xe0000));
    EXPECT_EQ(cpu.rip, 0x1000010);
    EXPECT_EQ(field(0x202, 4), 0x53726448);
}

}  // namespace
}  // namespace ramet
