#include "machine/devices/uart.h"

#include <gtest/gtest.h>

#include "rig.h"

namespace ramet {
namespace {

class UartTest : public testing::Test {
protected:
    enum Register { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR };
    static constexpr u64 second = 1'000'000'000;

    UartTest() {
        rig.write(LCR, 0x83);
        rig.write(RBR, 1);  // 115200 baud
        rig.write(IER, 0);
        rig.write(LCR, 0x03);
    }
    std::size_t push(const std::string& text) {
        Wires wires = rig.wires();
        std::size_t taken = 0;
        while (taken < text.size() && rig.device.push(static_cast<u8>(text[taken]), wires)) ++taken;
        return taken;
    }
    std::string read_all() {
        std::string text;
        while (rig.read(LSR) & 1) text.push_back(static_cast<char>(rig.read(RBR)));
        return text;
    }
    Rig<Uart> rig;
};

TEST_F(UartTest, SendsAtOnce) {
    for (char c : std::string{"hello"}) {
        EXPECT_EQ(rig.read(LSR) & 0x60, 0x60);
        rig.write(RBR, static_cast<u8>(c));
    }
    EXPECT_EQ(rig.out, "hello");
}

TEST_F(UartTest, TransmitterInterruptIsSeenOnce) {
    rig.write(MCR, 8);
    rig.write(IER, 2);
    EXPECT_TRUE(rig.line);
    EXPECT_EQ(rig.read(IIR) & 15, 2);
    EXPECT_FALSE(rig.line);
    rig.write(RBR, 'x');
    EXPECT_TRUE(rig.line);
}

TEST_F(UartTest, InterruptsWithoutOut2) {
    rig.write(MCR, 0);
    rig.write(IER, 2);
    EXPECT_TRUE(rig.line);
}

TEST_F(UartTest, ReceivesAtTheLinesPace) {
    rig.write(MCR, 8);
    rig.write(IER, 1);
    push("ab");
    constexpr u64 character = 10 * 16 * second / 1'843'200;
    rig.run_for(character - 1);
    EXPECT_EQ(rig.read(LSR) & 1, 0);
    rig.run_for(1);
    EXPECT_TRUE(rig.line);
    EXPECT_EQ(rig.read(RBR), 'a');
    EXPECT_FALSE(rig.line);
    rig.run_for(character);
    EXPECT_EQ(rig.read(RBR), 'b');
    EXPECT_EQ(rig.device.unread(), 0);
}

TEST_F(UartTest, KeepsBytesUntilTheGuestListens) {
    push("early");
    rig.run_for(second);
    EXPECT_EQ(rig.read(LSR) & 1, 0);
    rig.write(IIR, 0xc7);
    rig.write(MCR, 0x0b);
    rig.run_for(second);
    EXPECT_EQ(read_all(), "early");
}

TEST_F(UartTest, ListensToWhoPolls) {
    push("p");
    for (int i = 0; i < Uart::polls_to_listen; ++i) rig.read(LSR);
    rig.run_for(second / 1000);
    EXPECT_EQ(read_all(), "p");
}

TEST_F(UartTest, TriggerLevelAndTimeout) {
    rig.write(MCR, 0x0b);
    rig.write(IIR, 0xc1);  // FIFO, trigger at 14
    rig.write(IER, 1);
    push("abc");
    rig.run_for(second / 1000);
    EXPECT_TRUE(rig.line) << "four characters of silence";
    EXPECT_EQ(rig.read(IIR) & 15, 12);
    EXPECT_EQ(read_all(), "abc");
    EXPECT_FALSE(rig.line);
    push("0123456789abcd");
    rig.run_for(second / 100);
    EXPECT_EQ(rig.read(IIR) & 15, 4);
}

TEST_F(UartTest, NeverOverrunsTheFifo) {
    rig.write(MCR, 0x0b);
    rig.write(IIR, 0xc1);
    std::string const text(100, 'z');
    push(text);
    rig.run_for(second);
    EXPECT_EQ(rig.device.ready, Uart::fifo_size);
    std::string got;
    for (int i = 0; i < 20; ++i) {
        got += read_all();
        rig.run_for(second / 100);
    }
    EXPECT_EQ(got, text);
}

TEST_F(UartTest, TakesNoMoreThanItHasRoomFor) {
    EXPECT_EQ(push(std::string(Uart::input_size + 1, 'x')), Uart::input_size);
    EXPECT_EQ(push("y"), 0);
}

TEST_F(UartTest, ClearingTheFifoPutsBytesBack) {
    rig.write(MCR, 0x0b);
    rig.write(IIR, 0xc1);
    push("abc");
    rig.run_for(second / 1000);
    rig.write(IIR, 0x03);
    EXPECT_EQ(rig.read(LSR) & 1, 0);
    rig.run_for(second / 1000);
    EXPECT_EQ(read_all(), "abc");
}

TEST_F(UartTest, LoopbackComesBackAndStaysInside) {
    rig.write(MCR, 0x1b);
    rig.write(RBR, 'L');
    EXPECT_EQ(rig.out, "");
    EXPECT_EQ(rig.read(LSR) & 1, 1);
    EXPECT_EQ(rig.read(RBR), 'L');
}

TEST_F(UartTest, LoopbackShowsTheModemLines) {
    rig.write(MCR, 0x1a);  // the 8250 driver's probe
    EXPECT_EQ(rig.read(MSR) & 0xf0, 0x90);
}

TEST_F(UartTest, LooksLikeA16550A) {
    rig.write(IIR, 1);
    EXPECT_EQ(rig.read(IIR) & 0xc0, 0xc0);
    rig.write(SCR, 0x5a);
    EXPECT_EQ(rig.read(SCR), 0x5a);
}

}  // namespace
}  // namespace ramet
