// PcBus: what the CPU sees of a board: ports, register pages, the interrupt line, the machine's MSRs. It exists while a machine runs.
//
// It holds two derived values, the interrupt line and the next deadline, and brings them up to date after every call into a
// device; everything else it reads from the board. What devices ask for (reset, exit) and what nobody answered is collected here for
// the run loop.
// Tests: tests/machine/pc_bus_test.cpp.
#pragma once

#include <map>
#include <span>
#include <string>

#include "machine/board.h"
#include "machine/ports.h"
#include "machine/stores.h"
#include "x86/bus.h"

namespace ramet {

/// Accesses that nothing answered, by place. Host-side statistics, not state.
class MissedAccesses {
public:
    void add(std::string where);
    /// One line per place, "where: count".
    std::string text() const;
    bool empty() const { return counts_.empty(); }

private:
    static constexpr std::size_t places_max = 64;  // a guest that scans all ports must not fill the host's memory
    std::map<std::string, u64> counts_;
    u64 others_ = 0;
};

class PcBus final : public Bus, private Backplane {
public:
    /// `tsc_offset`: of the CPU, whose TSC the deadline MSR compares with. Without `stores` there are neither memory nor disks for bus masters.
    PcBus(Board& board, Ports& ports, MissedAccesses& missed, const u64& tsc_offset, Stores* stores = nullptr);

    u32 port_read(u16 port, unsigned size, Cycles now) override;
    void port_write(u16 port, unsigned size, u32 value, Cycles now) override;
    u64 mmio_read(GuestPhys at, unsigned size, Cycles now) override;
    void mmio_write(GuestPhys at, unsigned size, u64 value, Cycles now) override;
    u8 acknowledge_interrupt(Cycles now) override;
    bool interrupt_line() override { return interrupt_; }
    bool nmi_line() override { return board_.lapic.nmi; }
    void acknowledge_nmi(Cycles now) override;
    std::optional<u64> msr_read(u32 index, Cycles now) override;
    bool msr_write(u32 index, u64 value, Cycles now) override;
    u8 task_priority() override { return board_.lapic.task_priority(); }
    void set_task_priority(u8 priority, Cycles now) override;

    /// Some interrupt of a device reaches the CPU whether IF allows it or not.
    bool device_sends_nmi() const { return board_.lapic.lint0_is_nmi() || board_.ioapic.sends_nmi(); }
    /// The first cycle at which a device needs attention.
    Cycles deadline() const { return deadline_; }
    /// Attends to every device that is due.
    void advance(Cycles now);
    /// Bytes for the serial port; how many were taken.
    std::size_t push_serial(std::span<const u8> bytes, Cycles now);
    /// A short pulse on an ISA interrupt line, which leaves the line as it was.
    void pulse(unsigned irq, Cycles now);

    Request request() const { return request_; }
    u32 request_value() const { return request_value_; }
    bool stop_asked() const { return stop_asked_; }

private:
    void set_line(unsigned irq, bool level) override;
    void send_interrupt(const InterruptMessage& message) override;
    void end_of_interrupt(u8 vector) override;
    void output(Channel channel, u8 byte) override;
    void request(Request request, u32 value) override;
    void missed(const char* device, Offset at, bool write) override;
    Moved memory_read(GuestPhys from, std::span<u8> to) override { return stores_ ? stores_->memory_read(from, to) : Moved::nowhere; }
    Moved memory_write(GuestPhys to, std::span<const u8> from) override { return stores_ ? stores_->memory_write(to, from) : Moved::nowhere; }
    Moved disk_read(unsigned place, u64 sector, std::span<u8> to) override { return stores_ ? stores_->disk_read(place, sector, to) : Moved::failed; }
    Moved disk_write(unsigned place, u64 sector, std::span<const u8> from) override { return stores_ ? stores_->disk_write(place, sector, from) : Moved::failed; }

    u64 register_page(GuestPhys at) const;
    void settle();

    Board& board_;
    Ports& ports_;
    MissedAccesses& missed_;
    const u64& tsc_offset_;
    Stores* stores_;
    Cycles now_;
    Cycles deadline_;
    bool interrupt_ = false;
    bool stop_asked_ = false;
    Request request_ = Request::none;
    u32 request_value_ = 0;
};

}  // namespace ramet
