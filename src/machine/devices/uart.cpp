#include "machine/devices/uart.h"

#include <algorithm>

#include "machine/ticks.h"

namespace ramet {

namespace {

enum Register : u8 { RBR, IER_, IIR, LCR_, MCR_, LSR, MSR, SCR_ };

enum : u8 { ERBFI = 1, ETBEI = 2, ELSI = 4, EDSSI = 8 };                       // IER
enum : u8 { DR = 1, OE = 2, THRE = 0x20, TEMT = 0x40 };                        // LSR
enum : u8 { DTR = 1, RTS = 2, OUT1 = 4, OUT2 = 8, LOOP = 0x10 };               // MCR
enum : u8 { id_none = 1, id_thre = 2, id_data = 4, id_line = 6, id_timeout = 12 };  // IIR

constexpr u64 crystal = 1'843'200;

}  // namespace

bool Uart::listening() const { return (MCR & RTS) || (IER & ERBFI) || polls >= polls_to_listen; }

u32 Uart::trigger() const {
    constexpr std::array<u8, 4> levels = {1, 4, 8, 14};
    return FCR & 1 ? levels[FCR >> 6] : 1;
}

/// Time of one character on the line.
u64 Uart::character_cycles() const {
    u64 const bits = 1 + 5 + (LCR & 3U) + (LCR & 8 ? 1 : 0) + (LCR & 4 ? 2 : 1);
    u64 const rate = divisor ? divisor : 65'536;
    return bits * rate * 16 * cycles_per_second / crystal;
}

u8 Uart::interrupt_id() const {
    if ((IER & ELSI) && overrun) return id_line;
    if ((IER & ERBFI) && ready >= trigger()) return id_data;
    if ((IER & ERBFI) && timed_out && ready > 0) return id_timeout;
    if ((IER & ETBEI) && thre_pending) return id_thre;
    if ((IER & EDSSI) && msr_delta) return 0;
    return id_none;
}

u8 Uart::line_status() const { return static_cast<u8>(THRE | TEMT | (ready ? DR : 0) | (overrun ? OE : 0)); }

/// Bits 4..7: CTS, DSR, RI, DCD. In loopback they show RTS, DTR, OUT1 and OUT2.
u8 Uart::modem_status() const {
    u8 const lines = static_cast<u8>(loopback() ? (MCR & RTS ? 0x10 : 0) | (MCR & DTR ? 0x20 : 0) | (MCR & OUT1 ? 0x40 : 0) | (MCR & OUT2 ? 0x80 : 0)
                                                : 0xb0);
    return lines | msr_delta;
}

u8 Uart::receive(Cycles now) {
    if (ready == 0) return 0;
    --ready;
    timed_out = false;
    u8 const byte = input.pop();
    timeout = ready > 0 ? after(now, 4 * character_cycles()) : Cycles::never();
    return byte;
}

u32 Uart::read(Offset at, Wires& wires) {
    u32 value = 0;
    switch (at.value) {
    case RBR:
        if (dlab()) return divisor & 0xff;
        value = receive(wires.now());
        break;
    case IER_: return dlab() ? divisor >> 8 : IER;
    case IIR:
        value = interrupt_id() | (FCR & 1 ? 0xc0U : 0U);
        if (interrupt_id() == id_thre) thre_pending = false;
        break;
    case LCR_: return LCR;
    case MCR_: return MCR;
    case LSR:
        value = line_status();
        overrun = false;
        polls = ready ? 0 : std::min<u8>(polls_to_listen, static_cast<u8>(polls + 1));
        break;
    case MSR:
        value = modem_status();
        msr_delta = 0;
        break;
    case SCR_: return SCR;
    default: return wires.unmapped_read(at);
    }
    schedule(wires.now());
    update(wires);
    return value;
}

void Uart::write(Offset at, u32 value, Wires& wires) {
    u8 const byte = static_cast<u8>(value);
    polls = polls == polls_to_listen && at.value == RBR ? polls : u8{0};  // who echoes while polling goes on listening
    switch (at.value) {
    case RBR:
        if (dlab())
            divisor = static_cast<u16>((divisor & 0xff00) | byte);
        else
            send(byte, wires);
        break;
    case IER_:
        if (dlab()) {
            divisor = static_cast<u16>((divisor & 0xff) | byte << 8);
            break;
        }
        if ((byte & ETBEI) && !(IER & ETBEI)) thre_pending = true;  // enabling it reports an empty transmitter
        IER = byte & 15;
        break;
    case IIR: write_fcr(byte); break;
    case LCR_: LCR = byte; break;
    case MCR_: write_mcr(byte); break;
    case LSR:
    case MSR: break;  // read-only
    case SCR_: SCR = byte; break;
    default: wires.unmapped_write(at); return;
    }
    schedule(wires.now());
    update(wires);
}

void Uart::send(u8 byte, Wires& wires) {
    thre_pending = true;  // empty again at once
    if (!loopback()) {
        wires.output(Channel::serial, byte);
        return;
    }
    // In loopback the receiver is cut off from the line: the byte goes in front of what waits outside.
    if (ready >= capacity() || input.full()) {
        overrun = true;
        return;
    }
    Ring<u8, input_size> reordered;
    for (u32 i = 0; i < ready; ++i) reordered.push(input.pop());
    reordered.push(byte);
    while (!input.empty()) reordered.push(input.pop());
    input = reordered;
    ++ready;
    timeout = after(wires.now(), 4 * character_cycles());
}

void Uart::write_fcr(u8 value) {
    bool const toggled = (FCR ^ value) & 1;
    if (toggled || (value & 2)) {
        ready = 0;
        timed_out = false;
        timeout = Cycles::never();
    }
    FCR = value & 1 ? value & 0xc9 : 0;
}

void Uart::write_mcr(u8 value) {
    u8 const before = modem_status() & 0xf0;
    MCR = value & 0x1f;
    u8 const changed = static_cast<u8>((before ^ modem_status()) >> 4);
    bool const ring_ended = (before & 0x40) && !(modem_status() & 0x40);
    msr_delta = static_cast<u8>((msr_delta | (changed & 0x0b) | (ring_ended ? 4 : 0)) & 15);
}

/// The next byte is under way exactly while one waits, the guest listens and the FIFO has room.
void Uart::schedule(Cycles now) {
    bool const flows = ready < input.size() && ready < capacity() && listening() && !loopback();
    if (!flows)
        next_byte = Cycles::never();
    else if (next_byte == Cycles::never())
        next_byte = after(now, character_cycles());
}

void Uart::advance(Cycles now, Wires& wires) {
    if (next_byte <= now) {
        next_byte = Cycles::never();
        ++ready;
        polls = polls == polls_to_listen ? polls : u8{0};
        timed_out = false;
        timeout = after(now, 4 * character_cycles());
        schedule(now);
    }
    if (timeout <= now) {
        timeout = Cycles::never();
        timed_out = true;
    }
    update(wires);
}

bool Uart::push(u8 byte, Wires& wires) {
    if (!input.push(byte)) return false;
    schedule(wires.now());
    return true;
}

/// The line follows the interrupt identification. OUT2 is a free output of the chip: some boards gate the line with it, but small kernels leave it low.
void Uart::update(Wires& wires) { wires.line(interrupt_id() != id_none); }

}  // namespace ramet
