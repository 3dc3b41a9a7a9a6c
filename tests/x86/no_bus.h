// A bus on which no device answers. A test may ask for an NMI.
#pragma once

#include "x86/bus.h"

namespace ramet {

class NoBus final : public Bus {
public:
    u32 port_read(u16, unsigned, Cycles) override { return ~u32{0}; }
    void port_write(u16, unsigned, u32, Cycles) override {}
    u64 mmio_read(GuestPhys, unsigned, Cycles) override { return ~u64{0}; }
    void mmio_write(GuestPhys, unsigned, u64, Cycles) override {}
    u8 acknowledge_interrupt(Cycles) override { return 0; }
    bool interrupt_line() override { return false; }
    bool nmi_line() override { return nmi; }
    void acknowledge_nmi(Cycles) override { nmi = false; }
    std::optional<u64> msr_read(u32, Cycles) override { return std::nullopt; }
    bool msr_write(u32, u64, Cycles) override { return false; }
    u8 task_priority() override { return 0; }
    void set_task_priority(u8, Cycles) override {}

    bool nmi = false;
};

}  // namespace ramet
