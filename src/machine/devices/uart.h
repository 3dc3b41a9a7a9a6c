// The 16550A serial port (National Semiconductor PC16550D datasheet, "Registers").
//
// Offsets 0..7 as the datasheet: RBR/THR/DLL, IER/DLM, IIR/FCR, LCR, MCR, LSR, MSR, SCR. 8-bit accesses; COM1 is IRQ4.
//
// Sending takes no time: a byte leaves when it is written, so boot messages do not spend virtual seconds in polling loops.
// Receiving keeps the line's pace (start, data, parity and stop bits at the divisor's rate), so that a guest can keep up with a
// long input as it would with a real terminal.
// The line partner is polite and never overruns the FIFO: bytes wait in `input` until the guest is ready, which is while RTS is on, while the receive
// interrupt is enabled, or once the guest polls LSR for data (a run of polls without anything else). When `input` is full, push() takes
// no more and the host side keeps the rest for later. Clearing the FIFO puts unread bytes back.
// Not modelled: break, parity and framing errors, modem lines (CTS, DSR, DCD always on), DMA modes.
// Tests: tests/machine/uart_test.cpp.
#pragma once

#include "base/ring.h"
#include "machine/wires.h"

namespace ramet {

struct Uart {
    static constexpr u32 input_size = 4096;  // a paste of a screenful; more waits on the host
    static constexpr u32 fifo_size = 16;
    static constexpr u8 polls_to_listen = 16;  // a transmitter that is always empty is polled once, not many times in a row

    u8 IER = 0;
    u8 FCR = 0;
    u8 LCR = 0;
    u8 MCR = 0;
    u8 SCR = 0;
    u16 divisor = 12;
    u8 polls = 0;                    // LSR reads in a row that found no data
    bool thre_pending = false;       // the transmitter-empty interrupt has not been seen
    bool overrun = false;            // loopback only
    u8 msr_delta = 0;                // MSR bits 0..3
    bool timed_out = false;          // data has waited four characters below the trigger level
    u8 ready = 0;                    // bytes of `input` that are in the receive FIFO
    Cycles next_byte = Cycles::never();
    Cycles timeout = Cycles::never();
    Ring<u8, input_size> input = {};

    static constexpr void fields(auto& self, auto& visit) {
        visit("IER", self.IER);
        visit("FCR", self.FCR);
        visit("LCR", self.LCR);
        visit("MCR", self.MCR);
        visit("SCR", self.SCR);
        visit("divisor", self.divisor);
        visit("polls", self.polls);
        visit("thre_pending", self.thre_pending);
        visit("overrun", self.overrun);
        visit("msr_delta", self.msr_delta);
        visit("timed_out", self.timed_out);
        visit("ready", self.ready);
        visit("next_byte", self.next_byte);
        visit("timeout", self.timeout);
        visit("input", self.input);
    }

    u32 read(Offset at, Wires& wires);
    void write(Offset at, u32 value, Wires& wires);
    Cycles deadline() const { return next_byte < timeout ? next_byte : timeout; }
    void advance(Cycles now, Wires& wires);

    /// A byte from the host; false when there is no room.
    bool push(u8 byte, Wires& wires);
    /// Bytes from the host that the guest has not read.
    u32 unread() const { return input.size(); }
    bool valid() const { return ready <= fifo_size && ready <= input.size(); }

private:
    bool dlab() const { return LCR & 0x80; }
    bool loopback() const { return MCR & 0x10; }
    bool listening() const;
    u32 capacity() const { return FCR & 1 ? fifo_size : 1; }
    u32 trigger() const;
    u64 character_cycles() const;
    u8 interrupt_id() const;
    u8 line_status() const;
    u8 modem_status() const;
    u8 receive(Cycles now);
    void send(u8 byte, Wires& wires);
    void write_fcr(u8 value);
    void write_mcr(u8 value);
    void schedule(Cycles now);
    void update(Wires& wires);
};

static_assert(fields_complete<Uart>);

}  // namespace ramet
