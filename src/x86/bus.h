// Bus: all that a CPU may ask of the machine around it. The CPU knows no device.
//
// `now` is the exact virtual time of the access. After any call the machine's next deadline may have changed, so the
// interpreter leaves its block and lets the run loop look again.
#pragma once

#include <optional>

#include "base/types.h"

namespace ramet {

class Bus {
public:
    virtual ~Bus() = default;

    /// size: 1, 2 or 4 bytes. Values are zero-extended; where nothing answers all bits read as one.
    virtual u32 port_read(u16 port, unsigned size, Cycles now) = 0;
    virtual void port_write(u16 port, unsigned size, u32 value, Cycles now) = 0;

    /// Physical addresses without RAM. size: 1, 2, 4 or 8 bytes, never across a page.
    virtual u64 mmio_read(GuestPhys at, unsigned size, Cycles now) = 0;
    virtual void mmio_write(GuestPhys at, unsigned size, u64 value, Cycles now) = 0;

    /// The CPU takes the pending external interrupt: its vector. Called only while the interrupt line is up.
    virtual u8 acknowledge_interrupt(Cycles now) = 0;
    /// Level of the line into the CPU (local APIC or PIC).
    virtual bool interrupt_line() = 0;

    /// A non-maskable interrupt waits for the CPU, which takes it.
    virtual bool nmi_line() = 0;
    virtual void acknowledge_nmi(Cycles now) = 0;

    /// MSRs that belong to the machine (local APIC base, x2APIC). nullopt / false: no such MSR, #GP.
    virtual std::optional<u64> msr_read(u32 index, Cycles now) = 0;
    virtual bool msr_write(u32 index, u64 value, Cycles now) = 0;

    /// CR8, the local APIC's task priority bits 7:4.
    virtual u8 task_priority() = 0;
    virtual void set_task_priority(u8 priority, Cycles now) = 0;
};

}  // namespace ramet
