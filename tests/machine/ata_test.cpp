#include "machine/devices/ata.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/bytes.h"
#include "base/state.h"
#include "rig.h"

namespace ramet {
namespace {

constexpr u64 sectors = 20'000;
enum Port : u64 { data, features, count, low, mid, high, device, command, control };
enum Status : u8 { ERR = 1, DRQ = 8, DSC = 0x10, DRDY = 0x40, BSY = 0x80 };
constexpr u8 ready = DRDY | DSC;
constexpr u8 lba = 0xe0;

class AtaTest : public testing::Test {
protected:
    AtaTest() {
        rig.disk.resize(sectors * 512);
        for (u64 i = 0; i < sectors; ++i) store_le(rig.disk.data() + i * 512, i * 0x0101);
        rig.device.drives[0] = {.sectors = sectors};
    }

    void address(u64 sector, u64 how_many, u8 device_bits = lba) {
        rig.write(count, static_cast<u8>(how_many));
        rig.write(low, sector & 0xff);
        rig.write(mid, sector >> 8 & 0xff);
        rig.write(high, sector >> 16 & 0xff);
        rig.write(device, static_cast<u8>(device_bits | (sector >> 24 & 15)));
    }
    void address48(u64 sector, u64 how_many) {
        rig.write(count, how_many >> 8 & 0xff);
        rig.write(low, sector >> 24 & 0xff);
        rig.write(mid, sector >> 32 & 0xff);
        rig.write(high, sector >> 40 & 0xff);
        address(sector & 0xffffff, how_many & 0xff);
    }
    void send(u8 opcode) { rig.write(command, opcode); }
    /// Sends, and waits for the interrupt.
    u8 run(u8 opcode) {
        send(opcode);
        return wait();
    }
    u8 wait() {
        while (rig.read(control) & BSY) {
            EXPECT_NE(rig.device.deadline(), Cycles::never());
            rig.run_to(rig.device.deadline());
        }
        EXPECT_TRUE(rig.line);
        u8 const status = static_cast<u8>(rig.read(command));
        EXPECT_FALSE(rig.line) << "reading the status takes the interrupt back";
        return status;
    }
    std::vector<u8> read_sector() {
        std::vector<u8> bytes(512);
        for (std::size_t i = 0; i < 512; i += 2) store_le(bytes.data() + i, static_cast<u16>(rig.read(data, 2)));
        return bytes;
    }
    void write_sector(u32 fill) {
        for (std::size_t i = 0; i < 512; i += 4) rig.write(data, fill, 4);
    }
    u64 number(u64 sector) const { return load_le<u32>(rig.disk.data() + sector * 512); }

    Rig<Ata> rig;
};

TEST_F(AtaTest, IdentifiesItself) {
    rig.write(device, lba);
    ASSERT_EQ(run(0xec), ready | DRQ);
    auto const id = read_sector();
    auto const word = [&](std::size_t at) { return load_le<u16>(id.data() + 2 * at); };
    EXPECT_EQ(word(60) | word(61) << 16, int{sectors});
    EXPECT_EQ(word(100) | word(101) << 16, int{sectors});
    EXPECT_EQ(std::string({static_cast<char>(id[55]), static_cast<char>(id[54]), static_cast<char>(id[57])}), "RAM");
    EXPECT_EQ(std::accumulate(id.begin(), id.end(), 0) & 0xff, 0) << "checksum";
    EXPECT_EQ(rig.read(control), ready) << "no data is left";
    EXPECT_FALSE(rig.line);
}

TEST_F(AtaTest, ReadsSectorsOneInterruptEach) {
    address(3, 2);
    Cycles const before = rig.now;
    ASSERT_EQ(run(0x20), ready | DRQ);
    EXPECT_EQ(rig.now - before, Ata::latency_default + Ata::sector_cycles);
    EXPECT_EQ(load_le<u32>(read_sector().data()), 3U * 0x0101);
    EXPECT_EQ(rig.read(control), BSY);
    ASSERT_EQ(wait(), ready | DRQ);
    EXPECT_EQ(load_le<u32>(read_sector().data()), 4U * 0x0101);
    EXPECT_EQ(rig.read(control), ready);
    EXPECT_FALSE(rig.line) << "no interrupt after the last data";
    EXPECT_EQ(rig.device.deadline(), Cycles::never());
}

TEST_F(AtaTest, WritesSectorsAndInterruptsAfterEach) {
    address(7, 2);
    send(0x30);
    EXPECT_EQ(rig.read(control), ready | DRQ) << "the first data are wanted at once";
    EXPECT_FALSE(rig.line);
    write_sector(0x11111111);
    ASSERT_EQ(wait(), ready | DRQ);
    EXPECT_EQ(number(7), 0x11111111U);
    write_sector(0x22222222);
    ASSERT_EQ(wait(), ready);
    EXPECT_EQ(number(8), 0x22222222U);
    EXPECT_EQ(number(9), 9U * 0x0101);
}

TEST_F(AtaTest, MovesSeveralSectorsABlock) {
    address(0, 3);
    EXPECT_EQ(run(0xc4), ready | ERR) << "not set yet";
    EXPECT_EQ(rig.read(features), 4U);
    rig.write(count, 3);
    EXPECT_EQ(run(0xc6), ready | ERR) << "no power of two";
    rig.write(count, 2);
    ASSERT_EQ(run(0xc6), ready);
    address(10, 3);
    ASSERT_EQ(run(0xc4), ready | DRQ);
    EXPECT_EQ(load_le<u32>(read_sector().data()), 10U * 0x0101);
    EXPECT_EQ(rig.read(control), ready | DRQ) << "still the same block";
    read_sector();
    ASSERT_EQ(wait(), ready | DRQ);
    EXPECT_EQ(load_le<u32>(read_sector().data()), 12U * 0x0101);
    EXPECT_EQ(rig.read(control), ready);
    address(10, 2);
    send(0xc5);
    write_sector(1);
    EXPECT_EQ(rig.read(control), ready | DRQ);
    write_sector(2);
    ASSERT_EQ(wait(), ready);
    EXPECT_EQ(number(10), 1U);
    EXPECT_EQ(number(11), 2U);
}

TEST_F(AtaTest, TakesAddressesOf48Bits) {
    address48(sectors - 1, 1);
    ASSERT_EQ(run(0x24), ready | DRQ);
    EXPECT_EQ(load_le<u32>(read_sector().data()), (sectors - 1) * 0x0101);
    address48(u64{1} << 40, 1);
    ASSERT_EQ(run(0x24), ready | ERR);
    EXPECT_EQ(rig.read(features), 0x10U) << "IDNF";
    EXPECT_EQ(rig.read(high), 0U);
    rig.write(control, 0x80);
    EXPECT_EQ(rig.read(high), 1U) << "the high half";
}

TEST_F(AtaTest, TakesCylindersHeadsAndSectors) {
    // Cylinder 1, head 2, sector 3 of 16 heads with 63 sectors.
    rig.write(count, 1);
    rig.write(low, 3);
    rig.write(mid, 1);
    rig.write(high, 0);
    rig.write(device, 0xa2);
    ASSERT_EQ(run(0x20), ready | DRQ);
    EXPECT_EQ(load_le<u32>(read_sector().data()), ((1U * 16 + 2) * 63 + 2) * 0x0101);
    rig.write(low, 0);
    EXPECT_EQ(run(0x20), ready | ERR) << "sectors count from 1";
    rig.write(count, 10);
    rig.write(device, 0xa3);
    ASSERT_EQ(run(0x91), ready);  // 4 heads, 10 sectors
    rig.write(count, 1);
    rig.write(low, 10);
    rig.write(mid, 2);
    rig.write(device, 0xa1);
    ASSERT_EQ(run(0x20), ready | DRQ);
    EXPECT_EQ(load_le<u32>(read_sector().data()), ((2U * 4 + 1) * 10 + 9) * 0x0101);
}

TEST_F(AtaTest, RefusesWhatLiesBeyondTheEnd) {
    address(sectors - 1, 2);
    ASSERT_EQ(run(0x30), ready | ERR);
    EXPECT_EQ(rig.read(features), 0x10U);
    address(sectors - 256, 0);
    EXPECT_EQ(run(0x40), ready) << "0 is 256 sectors";
    address(sectors - 255, 0);
    EXPECT_EQ(run(0x40), ready | ERR);
}

TEST_F(AtaTest, AReadOnlyDiskAbortsWrites) {
    rig.device.drives[0].read_only = true;
    address(0, 1);
    ASSERT_EQ(run(0x30), ready | ERR);
    EXPECT_EQ(rig.read(features), 4U);
    EXPECT_EQ(run(0x20), ready | DRQ);
}

TEST_F(AtaTest, AbortsWhatItDoesNotKnow) {
    for (u8 const opcode : {0x00, 0x08, 0xa0, 0xa1, 0xb0, 0xff}) {
        EXPECT_EQ(run(opcode), ready | ERR) << unsigned{opcode};
        EXPECT_EQ(rig.read(features), 4U);
    }
    for (u8 const opcode : {0x10, 0x70, 0xe0, 0xe5, 0xe7, 0xea}) EXPECT_EQ(run(opcode), ready) << unsigned{opcode};
}

TEST_F(AtaTest, AnAbsentDriveReadsAsZeros) {
    rig.write(device, 0xf0);
    for (u64 const reg : {command, control, features, count, low}) EXPECT_EQ(rig.read(reg), 0U);
    send(0xec);
    EXPECT_EQ(rig.device.deadline(), Cycles::never());
    rig.write(device, 0xe0);
    EXPECT_EQ(run(0xec), ready | DRQ);
}

TEST_F(AtaTest, BothDrivesAreThere) {
    rig.device.drives[1] = {.sectors = 5};
    rig.write(device, 0xf0);
    ASSERT_EQ(run(0xec), ready | DRQ);
    auto const id = read_sector();
    EXPECT_EQ(load_le<u32>(id.data() + 120), 5U);
    EXPECT_EQ(id[20 + 4], '-') << "RAMET-1, the other way round in each pair";
    EXPECT_EQ(id[20 + 5], 'T');
}

TEST_F(AtaTest, ResetsToItsSignature) {
    address(100, 5);
    send(0x20);
    rig.write(control, 4);
    EXPECT_EQ(rig.read(control), BSY);
    EXPECT_EQ(rig.device.deadline(), Cycles::never()) << "as long as SRST is set";
    rig.write(control, 0);
    rig.run_to(rig.device.deadline());
    EXPECT_EQ(rig.read(control), ready);
    EXPECT_EQ(rig.read(features), 1U);
    EXPECT_EQ(rig.read(count), 1U);
    EXPECT_EQ(rig.read(low), 1U);
    EXPECT_EQ(rig.read(mid), 0U);
    EXPECT_EQ(rig.read(high), 0U);
    EXPECT_FALSE(rig.line);
    EXPECT_EQ(run(0x90), ready) << "the diagnostic does the same, with an interrupt";
    EXPECT_EQ(rig.read(features), 1U);
}

TEST_F(AtaTest, nIENHoldsTheInterruptBack) {
    rig.write(control, 2);
    address(0, 1);
    send(0x20);
    rig.run_to(rig.device.deadline());
    EXPECT_FALSE(rig.line);
    rig.write(control, 0);
    EXPECT_TRUE(rig.line);
}

TEST_F(AtaTest, IgnoresRegistersWhileBusy) {
    address(3, 1);
    send(0x20);
    address(5, 1);
    send(0xec);
    ASSERT_EQ(wait(), ready | DRQ);
    EXPECT_EQ(load_le<u32>(read_sector().data()), 3U * 0x0101);
}

TEST_F(AtaTest, IgnoresRegistersWhileItWantsData) {
    rig.device.drives[1] = {.sectors = 5};
    address(7, 1);
    send(0x30);
    address(5, 1, 0xf0);
    EXPECT_EQ(rig.read(device), u32{lba}) << "another drive would get the data";
    write_sector(0x11111111);
    ASSERT_EQ(wait(), ready);
    EXPECT_EQ(number(7), 0x11111111U);
    send(0xec);
    ASSERT_EQ(wait(), ready | DRQ);
    ASSERT_EQ(run(0xec), ready | DRQ) << "a command ends the one before";
}

TEST_F(AtaTest, AWideAccessEndsWithItsBlockOfRegisters) {
    rig.write(command, 0x04ec, 2);  // the byte behind would reset the drive
    EXPECT_EQ(rig.read(control, 2), 0xff00U | BSY);
    ASSERT_EQ(wait(), ready | DRQ);
    EXPECT_EQ(rig.read(command, 2), 0xff00U | ready | DRQ);
    rig.write(control, 0x0900, 2);  // and this one would start the bus master
    EXPECT_EQ(rig.read(9), 0U);
    EXPECT_EQ(rig.misses, 4);
}

TEST_F(AtaTest, TheLatencyMovesTheCommandUnderWay) {
    address(3, 1);
    send(0x20);
    rig.run_for(1000);
    rig.device.latency = 5000;
    EXPECT_EQ(rig.device.deadline(), Cycles{5000 + Ata::sector_cycles});
    rig.device.latency = ~u64{0};
    EXPECT_EQ(rig.device.deadline(), Cycles::never()) << "held back for good";
    rig.device.latency = 0;
    rig.run_to(rig.device.deadline());
    EXPECT_TRUE(rig.line);
}

TEST_F(AtaTest, WhatTheHostCannotDoChangesNothing) {
    address(3, 1);
    send(0x20);
    rig.host_fails = true;
    auto const before = state_bytes(rig.device);
    rig.now = rig.device.deadline();
    Wires wires = rig.wires();
    rig.device.advance(rig.now, wires);
    EXPECT_EQ(state_bytes(rig.device), before);
    rig.host_fails = false;
    EXPECT_EQ(wait(), ready | DRQ);
}

TEST_F(AtaTest, SetsFeatures) {
    auto const set = [this](u8 feature, u8 value) {
        rig.write(features, feature);
        rig.write(count, value);
        return run(0xef);
    };
    EXPECT_EQ(set(3, 0x45), ready);
    EXPECT_EQ(rig.device.drives[0].transfer_mode, 0x45);
    EXPECT_EQ(set(3, 0x46), ready | ERR);
    EXPECT_EQ(set(0x82, 0), ready);
    EXPECT_FALSE(rig.device.drives[0].write_cache);
    EXPECT_EQ(set(0x99, 0), ready | ERR);
}

TEST(AtaAbsent, AnswersNothing) {
    Rig<Ata> rig;
    EXPECT_TRUE(rig.device.absent());
    EXPECT_EQ(rig.read(command), ~u32{0});
    rig.write(command, 0xec);
    EXPECT_EQ(state_digest(rig.device), state_digest(Ata{}));
    EXPECT_EQ(rig.misses, 2);
}

}  // namespace
}  // namespace ramet
