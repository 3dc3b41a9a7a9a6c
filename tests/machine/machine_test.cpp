#include "machine/machine.h"

#include <gtest/gtest.h>

#include <thread>

#include "images.h"

namespace ramet {
namespace {

/// Prints the alphabet over and over, one letter every nine instructions.
const Bytes alphabet = {0xb0, 'a',               // mov al, 'a'
                        0x66, 0xba, 0xf8, 0x03,  // mov dx, 3F8h
                        0xee,                    // out dx, al
                        0x40,                    // inc eax
                        0x3c, 'z' + 1,           // cmp al, 'z' + 1
                        0x75, 0xfa,              // jne back to out
                        0xeb, 0xf2};             // jmp to the start

/// Echoes what comes in, adding it up in EBX; leaves with the sum on 'q'.
const Bytes echo = {0x31, 0xdb,                    // xor ebx, ebx
                    0x66, 0xba, 0xfd, 0x03, 0xec,  // mov dx, 3FDh; in al, dx
                    0xa8, 0x01, 0x74, 0xf7,        // test al, 1; jz
                    0x66, 0xba, 0xf8, 0x03, 0xec,  // mov dx, 3F8h; in al, dx
                    0xee, 0x01, 0xc3,              // out dx, al; add ebx, eax
                    0x3c, 'q', 0x75, 0xeb,         // cmp al, 'q'; jne
                    0x88, 0xd8, 0xe6, 0xf4};       // mov al, bl; out F4h, al

Machine machine_of(const Bytes& code) {
    Configuration configuration;
    configuration.kernel = "kernel";
    configuration.memory_bytes = u64{16} << 20;
    auto made = Machine::create(configuration, images_of(multiboot_kernel(code)), std::make_shared<PagePool>());
    if (!made) ADD_FAILURE() << made.error().text;
    return *std::move(made);
}

RunResult run(Machine& machine, u64 to, std::string* serial = nullptr) {
    BufferPorts ports;
    RunResult const result = machine.run({.position = Position{to}}, ports);
    if (serial) *serial += ports.serial;
    return result;
}

Input text(const std::string& bytes) { return {.bytes = {bytes.begin(), bytes.end()}}; }

TEST(Machine, StopsExactlyWhereAsked) {
    Machine machine = machine_of(alphabet);
    for (u64 to : {u64{1}, u64{2}, u64{7}, u64{1000}, u64{1001}, u64{123'456}}) {
        EXPECT_EQ(run(machine, to).reason, StopReason::position);
        EXPECT_EQ(machine.position(), Position{to});
    }
}

TEST(Machine, WithoutFirmwareHasTheBiosData) {
    Machine machine = machine_of(alphabet);
    Bytes kib(2);
    ASSERT_TRUE(machine.memory().copy_out(GuestPhys{0x413}, kib));
    EXPECT_EQ(load_le<u16>(kib.data()), 639);
}

TEST(Machine, WhereItStopsDoesNotMatter) {
    Machine whole = machine_of(alphabet);
    run(whole, 100'000);
    for (u64 const step : {u64{1}, u64{7}, u64{997}}) {
        Machine pieces = machine_of(alphabet);
        for (u64 to = 0; to < 100'000;) run(pieces, to = std::min<u64>(to + step, 100'000));
        EXPECT_EQ(pieces.digest(), whole.digest()) << step;
        EXPECT_EQ(pieces.cycles(), whole.cycles()) << step;
    }
}

TEST(Machine, StopsRightAfterTheByteThatWasAskedFor) {
    class StopAtC final : public Ports {
        bool output(Channel, u8 byte) override { return byte == 'c'; }
    } ports;
    Machine machine = machine_of(alphabet);
    EXPECT_EQ(machine.run({}, ports).reason, StopReason::output);
    Machine other = machine_of(alphabet);
    std::string serial;
    run(other, machine.position().value, &serial);
    EXPECT_EQ(serial, "abc");
    EXPECT_EQ(other.digest(), machine.digest());
}

TEST(Machine, ForkContinuesAsItsParent) {
    Machine parent = machine_of(alphabet);
    run(parent, 5000);
    Machine child = parent.fork();
    EXPECT_EQ(child.digest(), parent.digest());
    run(parent, 50'000);
    run(child, 50'000);
    EXPECT_EQ(child.digest(), parent.digest());
}

TEST(Machine, AChildThatOnlyWaitsHasNoCaches) {
    Machine machine = machine_of(alphabet);
    run(machine, 1000);
    EXPECT_GT(machine.interpreter().cache_bytes(), 0u);
    Machine child = machine.fork();
    child.interpreter().drop_caches();
    EXPECT_EQ(child.digest(), machine.digest());
    EXPECT_EQ(child.interpreter().cache_bytes(), 0u);
    run(child, 2000);
    EXPECT_EQ(child.interpreter().cache_bytes(), machine.interpreter().cache_bytes());
}

TEST(Machine, ForksLiveTheirOwnLives) {
    Machine parent = machine_of(echo);
    run(parent, 5000);
    Machine child = parent.fork();
    parent.apply(text("ab"));
    child.apply(text("xyz"));
    std::string from_parent, from_child;
    run(parent, 3'000'000, &from_parent);
    run(child, 3'000'000, &from_child);
    EXPECT_EQ(from_parent, "ab");
    EXPECT_EQ(from_child, "xyz");
    EXPECT_NE(parent.digest(), child.digest());
}

TEST(Machine, EqualInputsOnTwoThreadsGiveEqualDigests) {
    Machine parent = machine_of(echo);
    run(parent, 1234);
    Machine child = parent.fork();
    auto const live = [](Machine& machine) {
        machine.apply(text("the same"));
        run(machine, 3'000'000);
    };
    std::thread one{live, std::ref(parent)}, two{live, std::ref(child)};
    one.join();
    two.join();
    EXPECT_EQ(parent.digest(), child.digest());
}

/// Handles #UD by an undefined instruction: no instruction is ever retired again.
const Bytes endless_faults = {0xbc, 0, 0, 9, 0,                        // mov esp, 90000h
                              0x0f, 0x01, 0x15, 0x40, 0, 0x10, 0,      // lgdt [100040h]
                              0x0f, 0x01, 0x1d, 0x48, 0, 0x10, 0,      // lidt [100048h]
                              0x0f, 0x0b,                              // 100033h: ud2
                              0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,         // to 100040h
                              0x0f, 0, 0x50, 0, 0x10, 0, 0, 0,         // GDT of two descriptors at 100050h
                              0x37, 0, 0x30, 0, 0x10, 0, 0, 0,         // IDT at 100030h, of which only gate 6, at 100060h, is one
                              0, 0, 0, 0, 0, 0, 0, 0,                  // null
                              0xff, 0xff, 0, 0, 0, 0x9a, 0xcf, 0,      // flat code
                              0x33, 0, 8, 0, 0, 0x8e, 0x10, 0};        // 8:100033h

TEST(Machine, ExceptionsWithoutEndStopTheRun) {
    Machine machine = machine_of(endless_faults);
    RunResult const result = run(machine, 1'000'000);
    EXPECT_EQ(result.reason, StopReason::halted);
    EXPECT_EQ(result.report, "exceptions follow one another without an instruction in between");
    EXPECT_EQ(machine.position(), Position{3});
}

TEST(Machine, LookingDoesNotTouch) {
    Machine quiet = machine_of(alphabet), watched = machine_of(alphabet);
    for (u64 to = 1000; to <= 20'000; to += 1000) {
        run(watched, to);
        watched.digest();
        watched.fork();
        watched.private_bytes();
    }
    run(quiet, 20'000);
    EXPECT_EQ(quiet.digest(), watched.digest());
}

TEST(Machine, DroppedCachesDoNotShow) {
    Machine keeping = machine_of(alphabet), dropping = machine_of(alphabet);
    for (u64 to = 1000; to <= 20'000; to += 1000) {
        run(dropping, to);
        dropping.interpreter().drop_caches();
    }
    run(keeping, 20'000);
    EXPECT_EQ(keeping.digest(), dropping.digest());
}

TEST(Machine, TakesNoMoreInputThanItHasRoomFor) {
    Machine machine = machine_of(alphabet);
    EXPECT_EQ(machine.apply(text(std::string(10'000, 'x'))), Uart::input_size);
    EXPECT_EQ(machine.unread_input(), Uart::input_size);
    EXPECT_EQ(machine.apply(text("y")), 0);
}

struct Ending {
    const char* name;
    Bytes code;
    StopReason reason;
    u32 value = 0;
};

class MachineEnds : public testing::TestWithParam<Ending> {};

const Ending endings[] = {
    {"DebugExit", {0xb0, 0x2a, 0xe6, 0xf4}, StopReason::exit, 0x2a},
    {"KeyboardReset", {0xb0, 0xfe, 0xe6, 0x64}, StopReason::reset},
    {"SoftOff", {0x66, 0xba, 0x04, 0x06, 0x66, 0xb8, 0x00, 0x34, 0x66, 0xef}, StopReason::power_off},
    {"UndefinedInstructionWithoutHandler", {0x0f, 0x0b}, StopReason::shutdown},
    {"HaltWithInterruptsOff", {0xfa, 0xf4}, StopReason::halted},
    {"HaltWithInterruptsOffAndTheTimerAsNmi",  // no IDT: the NMI is a triple fault, a counter's period later
     {0xfa, 0xc7, 0x05, 0x00, 0x00, 0xc0, 0xfe, 0x14, 0x00, 0x00, 0x00,              // cli; IOREGSEL = 14h: pin 2
      0xc7, 0x05, 0x10, 0x00, 0xc0, 0xfe, 0x00, 0x04, 0x00, 0x00,                    // IOWIN = 400h
      0xb0, 0x34, 0xe6, 0x43, 0xb0, 0xff, 0xe6, 0x40, 0xe6, 0x40, 0xf4},             // PIT mode 2; hlt
     StopReason::shutdown},
    {"JumpIntoRegisterPages", {0xb8, 0x00, 0x00, 0xe0, 0xfe, 0xff, 0xe0}, StopReason::unsupported},
    {"JumpOffTheEndOfMemory", {0xb8, 0x00, 0x00, 0x00, 0x01, 0xff, 0xe0}, StopReason::unsupported},
};

INSTANTIATE_TEST_SUITE_P(Each, MachineEnds, testing::ValuesIn(endings), [](auto const& test) { return test.param.name; });

TEST_P(MachineEnds, WithItsReason) {
    Machine machine = machine_of(GetParam().code);
    RunResult const result = run(machine, 1'000'000);
    EXPECT_EQ(result.reason, GetParam().reason) << reason_text(result.reason) << " " << result.report;
    EXPECT_EQ(result.value, GetParam().value);
}

/// mov eax, imm32; jmp to it: code that a write from outside changes.
const Bytes constant = {0xb8, 1, 0, 0, 0, 0xeb, 0xf9};
constexpr GuestPhys constant_at{0x100021};  // behind the multiboot header

TEST(Machine, MemoryWrittenFromOutsideIsSeenAtOnceEvenAsCode) {
    Machine machine = machine_of(constant);
    run(machine, 1000);
    ASSERT_EQ(machine.cpu().gpr[RAX], 1U);
    Machine const before = machine.fork();
    EXPECT_EQ(machine.apply({.kind = Input::Kind::memory, .bytes = {7, 0, 0, 0}, .at = constant_at}), 4U);
    run(machine, 1002);
    EXPECT_EQ(machine.cpu().gpr[RAX], 7U);
    EXPECT_EQ(before.cpu().gpr[RAX], 1U);
}

TEST(Machine, MemoryWrittenWhereThereIsNoRamChangesNothing) {
    Machine machine = machine_of(constant);
    Digest const before = machine.digest();
    EXPECT_EQ(machine.apply({.kind = Input::Kind::memory, .bytes = Bytes(16, 1), .at = GuestPhys{(u64{16} << 20) - 8}}), 0U);
    EXPECT_EQ(machine.apply({.kind = Input::Kind::memory, .bytes = {}, .at = GuestPhys{0}}), 0U);
    EXPECT_EQ(machine.digest(), before);
}

TEST(Machine, AddressesAreThemselvesWithoutPaging) {
    Machine machine = machine_of(constant);
    EXPECT_EQ(machine.physical(GuestVirt{0x123456}), GuestPhys{0x123456});
}

TEST(Machine, RefusesImpossibleConfigurations) {
    auto const pool = std::make_shared<PagePool>();
    Configuration configuration;
    configuration.kernel = "kernel";
    for (u64 bytes : {u64{0}, u64{3} << 40}) {
        configuration.memory_bytes = bytes;
        EXPECT_FALSE(Machine::create(configuration, images_of(multiboot_kernel(alphabet)), pool)) << bytes;
    }
    configuration.memory_bytes = u64{16} << 20;
    EXPECT_EQ(Machine::create(configuration, images_of({}), pool).error().text, "kernel: the file is empty; expected a kernel");
    EXPECT_EQ(Machine::create(configuration, images_of(Bytes(100, 'x')), pool).error().text,
              "kernel: not a kernel; expected a Linux bzImage, an ELF vmlinux or a multiboot 1 image");
}

TEST(Machine, AFullPoolIsAnErrorNotACrash) {
    Configuration configuration;
    configuration.kernel = "kernel";
    configuration.memory_bytes = u64{16} << 20;
    auto const made = Machine::create(configuration, images_of(multiboot_kernel(Bytes(1 << 20))), std::make_shared<PagePool>(32));
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().text.find("the host's memory limit is reached"), std::string::npos) << made.error().text;
}

}  // namespace
}  // namespace ramet
