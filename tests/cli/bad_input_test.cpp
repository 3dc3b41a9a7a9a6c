// What the command line says about bad input, and the exit status it ends with: one case each, through the program itself.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "../machine/images.h"
#include "base/bytes.h"
#include "base/prng.h"
#include "cli/exit_status.h"

namespace ramet {
namespace {

struct Outcome {
    int status = 0;  // of the program; -1: it was killed by a signal
    std::string text;
};

class BadInput : public testing::Test {
protected:
    BadInput() : directory_(testing::TempDir() + "ramet-bad-input-" + std::to_string(::getpid())) { std::filesystem::create_directories(directory_); }
    ~BadInput() override { std::filesystem::remove_all(directory_); }

    std::string file(const std::string& name, const Bytes& bytes) const {
        std::string path = directory_ + "/" + name;
        std::ofstream{path, std::ios::binary}.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        return path;
    }
    std::string text_file(const std::string& name, const std::string& text) const { return file(name, {text.begin(), text.end()}); }
    std::string hello() const { return file("good", multiboot_kernel({0xb0, 1, 0xe6, 0xf4})); }

    static Outcome run(const std::string& arguments) { return program("run --timeout 120s " + arguments); }
    static Outcome program(const std::string& arguments) {
        std::string const command = RAMET_PROGRAM " " + arguments + " </dev/null 2>&1";
        std::FILE* const pipe = ::popen(command.c_str(), "r");
        Outcome outcome;
        std::array<char, 4096> piece;
        for (std::size_t size; (size = std::fread(piece.data(), 1, piece.size(), pipe)) > 0;) outcome.text.append(piece.data(), size);
        int const status = ::pclose(pipe);
        outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        return outcome;
    }
    static void expect(const std::string& arguments, int status, const std::string& part_of_message) {
        Outcome const outcome = run(arguments);
        EXPECT_EQ(outcome.status, status) << outcome.text;
        EXPECT_NE(outcome.text.find(part_of_message), std::string::npos) << "no \"" << part_of_message << "\" in: " << outcome.text;
    }
    /// A multiboot kernel of `code`, run.
    void expect_guest(const Bytes& code, int status, const std::string& part_of_message, const std::string& options = "") const {
        expect("--memory 4M " + options + " --kernel " + file("kernel", multiboot_kernel(code)), status, part_of_message);
    }

private:
    std::string directory_;
};

TEST_F(BadInput, MissingKernel) { expect("--kernel /nonexistent/vmlinuz", cli::bad_usage, "/nonexistent/vmlinuz: cannot read the kernel"); }

TEST_F(BadInput, AKernelWhoseNameIsTooLongForAHostedMachine) {
    expect("--name web --kernel " + std::string(300, 'x'), cli::bad_usage, "cannot read the kernel");
}

TEST_F(BadInput, TruncatedKernel) {
    Bytes image = bzimage(Bytes(0x10000));
    image.resize(700);
    expect("--kernel " + file("short", image), cli::bad_usage, "the file ends before the kernel's code");
}

TEST_F(BadInput, WrongMagic) {
    expect("--kernel " + file("zeros", Bytes(100'000)), cli::bad_usage, "not a kernel; expected a Linux bzImage, an ELF vmlinux or a multiboot 1 image");
}

TEST_F(BadInput, EmptyKernel) { expect("--kernel " + file("empty", {}), cli::bad_usage, "the file is empty; expected a kernel"); }

TEST_F(BadInput, InitrdLargerThanMemory) {
    std::string const kernel = file("kernel", bzimage(Bytes(0x1000)));
    expect("--memory 32M --kernel " + kernel + " --initrd " + file("initrd", Bytes(std::size_t{40} << 20)), cli::bad_usage, "give the machine more memory");
}

TEST_F(BadInput, MemoryOfNothingAndOfTooMuch) {
    for (std::string const size : {"0", "1M", "3T", "18446744073709551615"})
        expect("--memory " + size + " --kernel " + hello(), cli::bad_usage, "expected from 2M to 512G");
    expect("--memory 12Q --kernel " + hello(), cli::bad_usage, "is not a size");
}

TEST_F(BadInput, UnknownKeyOfTomlWithItsPlace) {
    expect(text_file("machine.toml", "memory = \"4M\"\n  memry = \"1M\"\n"), cli::bad_usage, "machine.toml:2:3: memry: ");
}

TEST_F(BadInput, BrokenTomlWithItsPlace) { expect(text_file("machine.toml", "memory = \"4M\"\nkernel = \n"), cli::bad_usage, "machine.toml:2:"); }

TEST_F(BadInput, WrongTypeInTomlWithItsPlace) { expect(text_file("machine.toml", "kernel = 7\n"), cli::bad_usage, "machine.toml:1:10: kernel: "); }

TEST_F(BadInput, UnknownOption) { expect("--kernle x", cli::bad_usage, "--kernle"); }

TEST_F(BadInput, AnErrorNamesTheWholeCommand) {
    for (std::string const command : {"cache prune --limit 12Q", "snapshot info /nonexistent/a", "log dump /nonexistent/a", "replay /nonexistent/a"}) {
        Outcome const outcome = program(command);
        EXPECT_EQ(outcome.status, cli::bad_usage) << outcome.text;
        std::string const name = command.substr(0, command.find_first_of("-/") - 1);
        EXPECT_TRUE(outcome.text.starts_with("ramet " + name + ": ")) << outcome.text;
    }
}

TEST_F(BadInput, TripleFault) {
    expect_guest({0x0f, 0x0b}, cli::triple_fault, "triple fault");  // ud2 without an IDT
}

TEST_F(BadInput, HaltForEver) { expect_guest({0xfa, 0xf4}, cli::stuck, "halt"); }

TEST_F(BadInput, JumpsIntoRegisters) {
    expect_guest({0xb8, 0, 0, 0xe0, 0xfe, 0xff, 0xe0}, cli::beyond_model, "no RAM: linear 0xfee00000, physical 0xfee00000");  // mov eax, FEE00000h; jmp eax
}

TEST_F(BadInput, JumpsOffTheEndOfMemory) {
    expect_guest({0xb8, 0, 0, 0x40, 0, 0xff, 0xe0}, cli::beyond_model, "no RAM: linear 0x400000, physical 0x400000");  // mov eax, 400000h; jmp eax
}

TEST_F(BadInput, ASnapshotWhosePagesAreDamaged) {
    constexpr std::size_t head_bytes = 80;
    std::string const path = file("damaged", {});
    expect_guest({0xeb, 0xfe}, cli::done, "position reached", "--until position:1000 --save " + path);
    Bytes bytes;
    {
        std::ifstream in{path, std::ios::binary};
        bytes.assign(std::istreambuf_iterator<char>{in}, {});
    }
    ASSERT_GT(bytes.size(), head_bytes);
    u64 const root = load_le<u64>(bytes.data() + 16);
    for (std::size_t at = head_bytes; at < root; ++at) bytes[at] ^= 0x55;
    file("damaged", bytes);
    Outcome const outcome = run("--from " + path + " --until position:2000");
    EXPECT_EQ(outcome.status, cli::bad_usage) << outcome.text;
    EXPECT_NE(outcome.text.find("a page of the machine cannot be had: " + path + ": offset "), std::string::npos) << outcome.text;
    EXPECT_NE(outcome.text.find("digest unknown"), std::string::npos) << outcome.text;
}

TEST_F(BadInput, GarbageEndsOrIsStopped) {
    constexpr int kernels = 12;
    Prng random = Prng::seeded(1);
    for (int i = 0; i < kernels; ++i) {
        Bytes code(0x10000);
        for (u8& byte : code) byte = static_cast<u8>(random.next());
        Outcome const outcome = run("--memory 4M --until position:3000000 --until exit --kernel " + file("garbage", multiboot_kernel(code)));
        EXPECT_GE(outcome.status, 0) << "killed; kernel " << i << ": " << outcome.text;
        EXPECT_TRUE(outcome.status % 2 == 1 || outcome.status <= cli::not_met) << "kernel " << i << ": status " << outcome.status << ": " << outcome.text;
        EXPECT_FALSE(outcome.text.empty());
    }
}

}  // namespace
}  // namespace ramet
