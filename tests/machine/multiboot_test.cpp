#include "machine/boot/multiboot.h"

#include <gtest/gtest.h>

#include "images.h"

namespace ramet {
namespace {

constexpr u64 MiB = u64{1} << 20;

class MultibootTest : public testing::Test {
protected:
    Expected<Done> load(const Images& images) {
        configuration.append = "one two";
        return load_multiboot(placement, cpu, configuration, images);
    }
    u32 word(u64 at) {
        std::array<u8, 4> bytes;
        EXPECT_TRUE(memory.copy_out(GuestPhys{at}, bytes));
        return load_le<u32>(bytes.data());
    }
    std::string text(u64 at) {
        std::string found;
        for (;; ++at) {
            std::array<u8, 1> byte;
            if (!memory.copy_out(GuestPhys{at}, byte) || byte[0] == 0) return found;
            found.push_back(static_cast<char>(byte[0]));
        }
    }
    Memory memory{std::make_shared<PagePool>(), RamLayout::of(16 * MiB).ranges()};
    Placement placement{memory, RamLayout::of(16 * MiB)};
    Cpu cpu = reset_cpu();
    Configuration configuration;
};

TEST_F(MultibootTest, EntersFlatProtectedMode) {
    ASSERT_TRUE(load(images_of(multiboot_kernel({0xf4}))));
    EXPECT_EQ(cpu.rip, multiboot_code);
    EXPECT_EQ(cpu.gpr[RAX], 0x2badb002);
    EXPECT_EQ(cpu.cr0 & 0x80000001, 1);
    EXPECT_EQ(cpu.seg[CS].limit, 0xffffffff);
    EXPECT_EQ(cpu.rflags, 2);
    EXPECT_EQ(cpu.idtr.base, 0);  // INT in real mode finds the vector table without LIDT
    EXPECT_EQ(cpu.idtr.limit, 0xffff);
}

TEST_F(MultibootTest, InformationTellsMemoryCommandLineAndModules) {
    Images images = images_of(multiboot_kernel({0xf4}));
    images.modules = {{"path/one", "a b", Bytes(5000, 0x11)}, {"two", "", Bytes(10, 0x22)}};
    ASSERT_TRUE(load(images));
    u64 const info = cpu.gpr[RBX];
    EXPECT_EQ(info, 0x9000U) << "not behind the kernel, which may use what is there";
    EXPECT_EQ(word(info + 4), 640);
    EXPECT_EQ(word(info + 8), 15 * 1024);
    EXPECT_EQ(text(word(info + 16)), "kernel one two");
    ASSERT_EQ(word(info + 20), 2);
    u64 const modules = word(info + 24);
    EXPECT_EQ(word(modules + 4) - word(modules), 5000);
    EXPECT_EQ(word(word(modules)), 0x11111111);
    EXPECT_EQ(text(word(modules + 8)), "module a b");
    EXPECT_EQ(word(word(modules + 16)), 0x22222222);
    EXPECT_EQ(word(info + 44) % 24, 0);
}

TEST_F(MultibootTest, TakesElfOfBothSizes) {
    for (bool const is64 : {false, true}) {
        Bytes code = multiboot_kernel({0xf4}, 0x200000);
        put<u32>(code, 4, 0);  // no kludge: the ELF header says where
        put<u32>(code, 8, 0 - u32{0x1badb002});
        u64 const at = is64 ? 0x200000 : 0x300000;
        ASSERT_TRUE(load(images_of(elf_kernel(is64, at, at, at + 32, code))));
        EXPECT_EQ(cpu.rip, at + 32);
    }
}

TEST_F(MultibootTest, RefusesWhatDoesNotFit) {
    Images images = images_of(multiboot_kernel({0xf4}));
    images.modules = {{"big", "", Bytes(16 * MiB)}};
    EXPECT_EQ(load(images).error().text, "big: a module of 16777216 bytes does not fit; give the machine more memory");
}

TEST_F(MultibootTest, RefusesUnknownRequirements) {
    Bytes kernel = multiboot_kernel({0xf4});
    put<u32>(kernel, 4, 0x10008);
    put<u32>(kernel, 8, 0 - u32{0x1badb002} - 0x10008);
    EXPECT_FALSE(load(images_of(kernel)));
}

TEST_F(MultibootTest, RefusesLyingAddresses) {
    for (u32 load_addr : {u32{0x100004}, u32{0xfffff000}, u32{0}}) {
        Bytes kernel = multiboot_kernel({0xf4});
        put<u32>(kernel, 16, load_addr);
        EXPECT_FALSE(load(images_of(kernel))) << load_addr;
    }
    Bytes kernel = multiboot_kernel({0xf4});
    put<u32>(kernel, 20, multiboot_load + 1000);
    EXPECT_FALSE(load(images_of(kernel))) << "more bytes than the file has";
    kernel.resize(20);
    EXPECT_FALSE(load(images_of(kernel))) << "cut inside the header";
}

TEST(Multiboot, IsFoundInTheFirst8KiB) {
    Bytes kernel = multiboot_kernel({0xf4});
    EXPECT_TRUE(is_multiboot(kernel));
    Bytes late(8192 - 16);
    late.insert(late.end(), kernel.begin(), kernel.end());
    EXPECT_TRUE(is_multiboot(late));
    late.insert(late.begin(), 16, 0);
    EXPECT_FALSE(is_multiboot(late));
    kernel[9] ^= 1;
    EXPECT_FALSE(is_multiboot(kernel)) << "the checksum is wrong";
}

}  // namespace
}  // namespace ramet
