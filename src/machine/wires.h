// Wires: what a device may touch during one call: the time, its interrupt line, messages between interrupt controllers, output to the
// host, memory and disks for bus masters, a request to the run loop, and a place to report accesses that nothing answers. An argument, never stored.
//
// Behind it stands a Backplane: the board, or a recorder in a test.
#pragma once

#include <span>

#include "base/types.h"

namespace ramet {

/// Where an output byte goes on the host.
enum class Channel : u8 { serial, debug };

/// What a device may ask of the run loop. The first request of a call counts.
enum class Request : u8 { none, exit, reset, power_off };

/// A message on the interrupt bus from the I/O APIC to the local APICs.
struct InterruptMessage {
    u8 vector = 0;
    u8 delivery_mode = 0;  // as in the redirection entry: 0 fixed, 1 lowest priority, 2 SMI, 4 NMI, 5 INIT, 7 ExtINT
    u8 destination = 0;
    bool logical = false;
    bool level = false;
};

/// How moving bytes to or from memory or a disk went.
enum class Moved : u8 {
    all,
    nowhere,  ///< there is no RAM: the guest's doing, and the device tells it
    failed,   ///< the host cannot: the device stays as it was, and the run stops with a report
};

class Backplane {
public:
    virtual ~Backplane() = default;

    /// An ISA interrupt line, 0..15, or an input of the I/O APIC above.
    virtual void set_line(unsigned irq, bool level) = 0;
    virtual void send_interrupt(const InterruptMessage& message) = 0;
    /// The local APIC ended a level-triggered interrupt.
    virtual void end_of_interrupt(u8 vector) = 0;
    virtual void output(Channel channel, u8 byte) = 0;
    virtual void request(Request request, u32 value) = 0;
    /// A register nobody implements was accessed.
    virtual void missed(const char* device, Offset at, bool write) = 0;

    // Bus masters, in advance() only: between two instructions nobody holds on to what memory contains.
    virtual Moved memory_read(GuestPhys from, std::span<u8> to) = 0;
    virtual Moved memory_write(GuestPhys to, std::span<const u8> from) = 0;
    /// Whole sectors of the disk in a place.
    virtual Moved disk_read(unsigned place, u64 sector, std::span<u8> to) = 0;
    virtual Moved disk_write(unsigned place, u64 sector, std::span<const u8> from) = 0;
};

class Wires {
public:
    Wires(Backplane& backplane, Cycles now, const char* device, unsigned irq) : backplane_(backplane), now_(now), device_(device), irq_(irq) {}

    Cycles now() const { return now_; }

    /// This device's own line.
    void line(bool level) {
        if (irq_ != no_irq) backplane_.set_line(irq_, level);
    }
    /// Any line, as only a test device drives them.
    void line(unsigned irq, bool level) { backplane_.set_line(irq, level); }
    void send_interrupt(const InterruptMessage& message) { backplane_.send_interrupt(message); }
    void end_of_interrupt(u8 vector) { backplane_.end_of_interrupt(vector); }
    void output(Channel channel, u8 byte) { backplane_.output(channel, byte); }
    void request(Request request, u32 value = 0) { backplane_.request(request, value); }
    Moved memory_read(GuestPhys from, std::span<u8> to) { return backplane_.memory_read(from, to); }
    Moved memory_write(GuestPhys to, std::span<const u8> from) { return backplane_.memory_write(to, from); }
    Moved disk_read(unsigned place, u64 sector, std::span<u8> to) { return backplane_.disk_read(place, sector, to); }
    Moved disk_write(unsigned place, u64 sector, std::span<const u8> from) { return backplane_.disk_write(place, sector, from); }

    /// All ones: what a bus reads where nothing answers.
    u32 unmapped_read(Offset at) {
        backplane_.missed(device_, at, false);
        return ~u32{0};
    }
    void unmapped_write(Offset at) { backplane_.missed(device_, at, true); }

    static constexpr unsigned no_irq = ~0U;

private:
    Backplane& backplane_;
    Cycles now_;
    const char* device_;
    unsigned irq_;
};

}  // namespace ramet
