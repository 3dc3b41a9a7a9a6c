#include "machine/pc_bus.h"

#include <gtest/gtest.h>

namespace ramet {
namespace {

class PcBusTest : public testing::Test {
protected:
    Board board = {.lapic = LocalApic::after_firmware()};
    BufferPorts ports;
    MissedAccesses missed;
    u64 tsc_offset = 0;
    PcBus bus{board, ports, missed, tsc_offset};
    Cycles now{1000};
};

TEST_F(PcBusTest, PortsLeadToDevices) {
    bus.port_write(0x3f8, 1, 'A', now);
    bus.port_write(0xe9, 1, 'B', now);
    EXPECT_EQ(ports.serial, "A");
    EXPECT_EQ(ports.debug, "B");
    EXPECT_EQ(bus.port_read(0xe9, 1, now), 0xe9);
}

TEST_F(PcBusTest, AWordToByteDevicesIsTwoBytes) {
    bus.port_write(0x70, 2, 0x5a40, now);  // index 40h, data 5Ah
    EXPECT_EQ(bus.port_read(0x71, 1, now), 0x5a);
}

TEST_F(PcBusTest, NothingReadsAsOnesAndIsCounted) {
    EXPECT_EQ(bus.port_read(0x2f8, 1, now), 0xff);
    EXPECT_EQ(bus.port_read(0x9000, 2, now), 0xffff);
    EXPECT_EQ(bus.mmio_read(GuestPhys{0xd0000000}, 8, now), ~u64{0});
    bus.port_write(0x2f8, 1, 0, now);
    EXPECT_EQ(missed.text(), "memory read d0000000: 1\nport read 2f8: 1\nport read 9000: 1\nport read 9001: 1\nport write 2f8: 1\n");
}

TEST_F(PcBusTest, DebugExitIsARequest) {
    bus.port_write(0xf4, 4, 3, now);
    EXPECT_EQ(bus.request(), Request::exit);
    EXPECT_EQ(bus.request_value(), 3);
    bus.port_write(0x64, 1, 0xfe, now);
    EXPECT_EQ(bus.request(), Request::exit) << "the first request counts";
}

TEST_F(PcBusTest, RegisterPagesTakeBytesOutOfRegisters) {
    bus.mmio_write(GuestPhys{0xfee000d0}, 4, 0x12000000, now);
    EXPECT_EQ(bus.mmio_read(GuestPhys{0xfee000d3}, 1, now), 0x12);
    EXPECT_EQ(bus.mmio_read(GuestPhys{0xfee000d2}, 4, now), 0xffffffff) << "across two registers";
}

TEST_F(PcBusTest, TheLocalApicAnswersWhereItsBaseSaysAndNowhereWhenItIsOff) {
    constexpr GuestPhys old_version{0xfee00030}, new_version{0xfed40030};
    u64 const version = bus.mmio_read(old_version, 4, now);
    EXPECT_TRUE(bus.msr_write(0x1b, 0xfed40900, now));
    EXPECT_EQ(bus.mmio_read(old_version, 4, now), 0xffffffff);
    EXPECT_EQ(bus.mmio_read(new_version, 4, now), version);
    EXPECT_TRUE(bus.msr_write(0x1b, 0xfee00100, now));
    EXPECT_EQ(bus.mmio_read(old_version, 4, now), 0xffffffff);
    bus.set_task_priority(7, now);
    EXPECT_EQ(bus.task_priority(), 7) << "CR8 is the processor's";
}

TEST_F(PcBusTest, TheTestDeviceHoldsBytesAndDrivesLines) {
    bus.port_write(0xe0, 4, 0x12345678, now);
    bus.port_write(0xe1, 1, 0xaa, now);
    EXPECT_EQ(bus.port_read(0xe0, 4, now), 0x1234aa78);
    EXPECT_EQ(bus.port_read(0xe2, 2, now), 0x1234);
    bus.mmio_write(GuestPhys{0xfec00000}, 4, 0x10 + 2 * 20, now);
    bus.mmio_write(GuestPhys{0xfec00010}, 4, 0x71, now);
    bus.port_write(0x2000 + 20, 4, 1, now);
    ASSERT_TRUE(bus.interrupt_line());
    EXPECT_EQ(bus.acknowledge_interrupt(now), 0x71);
}

TEST_F(PcBusTest, TheTimerInterruptsThroughBothControllers) {
    board.pic = Pic::after_firmware();
    board.pic.master.lines = 1;  // the timer's output is high between its pulses
    bus.port_write(0x21, 1, 0xfe, now);
    bus.port_write(0x43, 1, 0x34, now);
    bus.port_write(0x40, 1, 100, now);
    bus.port_write(0x40, 1, 0, now);
    EXPECT_FALSE(bus.interrupt_line());
    ASSERT_NE(bus.deadline(), Cycles::never());
    Cycles const due = bus.deadline();
    bus.advance(due);
    EXPECT_TRUE(bus.interrupt_line());
    EXPECT_GT(bus.deadline(), due);
    EXPECT_EQ(bus.acknowledge_interrupt(due), 0x08);
    EXPECT_FALSE(bus.interrupt_line());
}

TEST_F(PcBusTest, ApicBaseAndDeadlineAreTheMachinesRegisters) {
    EXPECT_EQ(bus.msr_read(0x1b, now), 0xfee00900);
    EXPECT_FALSE(bus.msr_write(0x1b, 0x1000, now));
    EXPECT_FALSE(bus.msr_read(0x12345, now).has_value());
    bus.mmio_write(GuestPhys{0xfee00320}, 4, 0x40050, now);
    EXPECT_TRUE(bus.msr_write(0x6e0, 5000, now));
    EXPECT_EQ(bus.deadline(), Cycles{5000});
    bus.advance(Cycles{5000});
    EXPECT_EQ(bus.acknowledge_interrupt(Cycles{5000}), 0x50);
}

TEST_F(PcBusTest, DeadlineCountsInTheGuestsTsc) {
    tsc_offset = 100;
    bus.mmio_write(GuestPhys{0xfee00320}, 4, 0x40050, now);
    bus.msr_write(0x6e0, 5000, now);
    EXPECT_EQ(bus.deadline(), Cycles{4900});
    tsc_offset = ~u64{0} - 99;  // the guest set its TSC back by 100
    bus.msr_write(0x6e0, 5000, now);
    EXPECT_EQ(bus.deadline(), Cycles{5100});
}

TEST(MissedAccesses, ForgetsNoAccessButTheirPlaces) {
    MissedAccesses missed;
    for (int i = 0; i < 1000; ++i) missed.add("port read " + std::to_string(i));
    EXPECT_NE(missed.text().find("other places: 936"), std::string::npos);
}

}  // namespace
}  // namespace ramet
