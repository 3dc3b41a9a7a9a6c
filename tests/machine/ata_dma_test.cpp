// The bus master: tables of regions, good ones and those that no driver would write, and DMA through a whole machine.
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/state.h"
#include "images.h"
#include "machine/machine.h"
#include "rig.h"

namespace ramet {
namespace {

constexpr u64 sectors = 1000;
constexpr u64 bus_master = 9;
enum : u8 { ERR = 1, DRQ = 8, ready = 0x50 };

struct Region {
    u32 address;
    u32 bytes;
};

class AtaDma : public testing::Test {
protected:
    AtaDma() {
        rig.disk.resize(sectors * 512);
        for (std::size_t i = 0; i < rig.disk.size(); ++i) rig.disk[i] = static_cast<u8>(i / 512 * 7 + i);
        rig.device.drives[0] = {.sectors = sectors};
    }

    void table(const std::vector<Region>& regions, u32 at = 0x1000) {
        rig.write(bus_master + 4, at, 4);
        for (std::size_t i = 0; i < regions.size(); ++i) {
            store_le(rig.memory.data() + at + 8 * i, regions[i].address);
            store_le(rig.memory.data() + at + 8 * i + 4, (regions[i].bytes & 0xffff) | (i + 1 == regions.size() ? 0x80000000 : 0));
        }
    }
    void send(u8 opcode, u64 sector, u8 count) {
        rig.write(2, count);
        rig.write(3, sector & 0xff);
        rig.write(4, sector >> 8 & 0xff);
        rig.write(5, 0);
        rig.write(6, 0xe0);
        rig.write(7, opcode);
    }
    void start(u8 direction) { rig.write(bus_master, direction | 1U); }
    u32 status() { return rig.read(bus_master + 2); }
    void finish() {
        ASSERT_NE(rig.device.deadline(), Cycles::never());
        rig.run_to(rig.device.deadline());
    }
    bool memory_is_disk(u64 at, u64 offset, u64 bytes) const {
        return std::equal(rig.memory.begin() + static_cast<std::ptrdiff_t>(at), rig.memory.begin() + static_cast<std::ptrdiff_t>(at + bytes),
                          rig.disk.begin() + static_cast<std::ptrdiff_t>(offset));
    }

    Rig<Ata> rig;
};

constexpr u8 to_memory = 8, from_memory = 0;

TEST_F(AtaDma, ReadsAlongATable) {
    table({{0x8000, 1024}, {0x20002, 510}, {0x30000, 2}});
    send(0xc8, 5, 3);
    EXPECT_EQ(rig.device.deadline(), Cycles::never()) << "both sides have to be ready";
    start(to_memory);
    EXPECT_EQ(status(), 1U);
    Cycles const before = rig.now;
    finish();
    EXPECT_EQ(rig.now - before, Ata::latency_default + 3 * Ata::sector_cycles);
    EXPECT_TRUE(rig.line);
    EXPECT_EQ(status(), 4U) << "done, with an interrupt";
    EXPECT_EQ(rig.read(7), u32{ready});
    EXPECT_TRUE(memory_is_disk(0x8000, 5 * 512, 1024));
    EXPECT_TRUE(memory_is_disk(0x20002, 7 * 512, 510));
    EXPECT_TRUE(memory_is_disk(0x30000, 7 * 512 + 510, 2));
    rig.write(bus_master + 2, 4);
    EXPECT_EQ(status(), 0U);
}

TEST_F(AtaDma, WritesAndTheMasterMayStartFirst) {
    for (std::size_t i = 0; i < 2048; ++i) rig.memory[0x8000 + i] = static_cast<u8>(i * 3);
    table({{0x8000, 2048}});
    start(from_memory);
    send(0xca, 9, 4);
    finish();
    EXPECT_TRUE(memory_is_disk(0x8000, 9 * 512, 2048));
    EXPECT_EQ(rig.read(7), u32{ready});
}

TEST_F(AtaDma, ALongTableStaysActive) {
    table({{0x8000, 4096}});
    send(0xc8, 0, 1);
    start(to_memory);
    finish();
    EXPECT_EQ(status(), 5U);
    EXPECT_TRUE(memory_is_disk(0x8000, 0, 512));
    EXPECT_EQ(rig.device.deadline(), Cycles::never());
}

TEST_F(AtaDma, AShortTableLeavesTheDriveWaitingForAnother) {
    table({{0x8000, 700}});
    send(0xc8, 0, 3);
    start(to_memory);
    finish();
    EXPECT_EQ(status(), 0U) << "neither active nor an interrupt";
    EXPECT_FALSE(rig.line);
    EXPECT_EQ(rig.read(8), u32{ready | DRQ});
    EXPECT_EQ(rig.device.deadline(), Cycles::never());
    start(0);
    rig.write(bus_master, 0);
    table({{0x9000, 1024}});
    start(to_memory);
    finish();
    EXPECT_TRUE(memory_is_disk(0x9000, 512, 1024)) << "sectors count as moved when they are whole";
    EXPECT_EQ(status(), 4U);
}

TEST_F(AtaDma, MemoryThatIsNoneIsAnErrorAndAnAbortedCommand) {
    table({{0xfff00000, 512}});
    send(0xc8, 0, 1);
    start(to_memory);
    finish();
    EXPECT_EQ(status(), 6U);
    EXPECT_EQ(rig.read(7), u32{ready | ERR});
    rig.write(bus_master + 4, 0xfffffff0, 4);  // nor is the table
    rig.write(bus_master, 0);
    send(0xca, 0, 1);
    start(from_memory);
    finish();
    EXPECT_EQ(status() & 2, 2U);
}

TEST_F(AtaDma, ATableWithoutEndEnds) {
    u32 const at = 0x10000;
    for (u32 i = 0; i < 0x10000; i += 8) {
        store_le(rig.memory.data() + at + i, u32{0x8000});
        store_le(rig.memory.data() + at + i + 4, u32{2});
    }
    rig.write(bus_master + 4, at, 4);
    send(0xc8, 0, 0);
    start(to_memory);
    finish();
    EXPECT_EQ(status() & 1, 0U);
    EXPECT_EQ(rig.device.left, 256U - 8192 * 2 / 512);
}

TEST_F(AtaDma, TheWrongDirectionMovesNothing) {
    auto const before = rig.disk;
    table({{0x8000, 512}});
    send(0xca, 0, 1);
    start(to_memory);
    finish();
    EXPECT_EQ(rig.disk, before);
    EXPECT_EQ(status(), 0U);
    EXPECT_EQ(rig.device.deadline(), Cycles::never());
}

TEST_F(AtaDma, StoppingTheMasterHoldsTheTransfer) {
    table({{0x8000, 512}});
    send(0xc8, 0, 1);
    start(to_memory);
    rig.write(bus_master, 0);
    EXPECT_EQ(rig.device.deadline(), Cycles::never());
    start(to_memory);
    finish();
    EXPECT_TRUE(memory_is_disk(0x8000, 0, 512));
}

/// A kernel that waits for ever, on a machine with a disk of 1000 sectors that each contain their number.
Machine machine_with_disk(std::shared_ptr<PagePool> pool = std::make_shared<PagePool>()) {
    Configuration c;
    c.kernel = "kernel";
    c.memory_bytes = u64{4} << 20;
    c.disks.push_back({.file = "disk", .read_only = false, .place = 0, .bytes = 0});
    Images images = images_of(multiboot_kernel({0xfb, 0xf4, 0xeb, 0xfd}));  // sti; hlt; jmp -1
    std::vector<u8> content(sectors * 512);
    for (std::size_t i = 0; i < sectors; ++i) store_le(content.data() + 512 * i, static_cast<u32>(i));
    images.disks.push_back(DiskImage::of_bytes(content, "disk"));
    auto made = Machine::create(c, images, std::move(pool));
    EXPECT_TRUE(made) << made.error().text;
    return *std::move(made);
}

TEST(MachineDisk, InputsWriteDisksAndForksKeepThemPrivate) {
    Machine parent = machine_with_disk();
    Machine child = parent.fork();
    Digest const before = parent.digest();
    EXPECT_EQ(child.apply({.kind = Input::Kind::disk, .bytes = {1, 2, 3}, .at = GuestPhys{511}}), 3U);
    std::vector<u8> sector(1024);
    ASSERT_TRUE(child.read_disk(0, 0, sector));
    EXPECT_EQ(sector[511], 1);
    EXPECT_EQ(sector[512], 2);
    ASSERT_TRUE(parent.read_disk(0, 0, sector));
    EXPECT_EQ(sector[511], 0);
    EXPECT_EQ(sector[512], 1) << "as in the image";
    EXPECT_EQ(parent.digest(), before);
    EXPECT_NE(child.digest(), before);
    EXPECT_EQ(child.apply({.kind = Input::Kind::disk, .bytes = {0, 1, 0}, .at = GuestPhys{511}}), 3U);
    EXPECT_EQ(child.digest(), before) << "as it was in the image is as it was";
}

TEST(MachineDisk, RefusesInputsThatLeadNowhere) {
    Machine machine = machine_with_disk();
    Digest const before = machine.digest();
    EXPECT_EQ(machine.apply({.kind = Input::Kind::disk, .bytes = {1}, .at = GuestPhys{sectors * 512}}), 0U);
    EXPECT_EQ(machine.apply({.kind = Input::Kind::disk, .bytes = {1}, .at = GuestPhys{~u64{0}}}), 0U);
    EXPECT_EQ(machine.apply({.kind = Input::Kind::disk, .bytes = {1}, .value = 1}), 0U);
    EXPECT_EQ(machine.apply({.kind = Input::Kind::memory, .bytes = {1}, .at = address_of(Frame{ram_frame_count_max})}), 0U) << "no way around the disk";
    EXPECT_EQ(machine.apply({.kind = Input::Kind::interrupt, .value = 2}), 0U);
    EXPECT_EQ(machine.apply({.kind = Input::Kind::interrupt, .value = 16}), 0U);
    EXPECT_EQ(machine.digest(), before);
}

TEST(MachineDisk, AnInterruptIsAPulse) {
    Machine machine = machine_with_disk();
    EXPECT_EQ(machine.apply({.kind = Input::Kind::interrupt, .value = 5}), 1U);
    EXPECT_EQ(machine.board().pic.master.irr & 0x20, 0x20) << "latched";
    EXPECT_EQ(machine.board().pic.master.lines & 0x20, 0) << "and gone";
}

TEST(MachineDisk, AMachineWithoutDisksHasNoTraceOfThem) {
    Board const board;
    Board with = board;
    with.ata.latency = 1;
    EXPECT_EQ(state_digest(with), state_digest(board)) << "an absent channel is no state";
    with.ata.drives[1].sectors = 1;
    EXPECT_NE(state_digest(with), state_digest(board));
}

TEST(MachineDisk, AStateThatNamesAnotherDiskStopsTheRun) {
    Machine machine = machine_with_disk();
    MachineState state = machine.state();
    state.board.ata.phase = Ata::Phase::medium;
    state.board.ata.error = 0;
    state.board.ata.command = 0x20;
    state.board.ata.sector = 1'000'000;
    state.board.ata.left = state.board.ata.block = 1;
    Machine hostile = Machine::restore(state, machine.memory().fork(), machine.disks());
    BufferPorts ports;
    RunResult const result = hostile.run({.cycles = Cycles{100'000}}, ports);
    EXPECT_EQ(result.reason, StopReason::unsupported);
    EXPECT_EQ(result.report, "disk 0 has no sector 1000000, which the drive's state names");
}

}  // namespace
}  // namespace ramet
