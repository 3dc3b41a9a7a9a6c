// ACPI fixed hardware (ACPI 6.5, 4.8.3 and 4.8.4): PM1a event and control blocks and the 24-bit power-management timer.
//
// Offsets: 0 PM1_STS · 2 PM1_EN · 4 PM1_CNT · 8 PM_TMR. Byte, word and dword accesses; SCI is IRQ9, level-triggered.
// Writing SLP_EN with SLP_TYP = 5 powers off. SCI_EN is always set: there is no SMM to switch from.
// Not modelled: power and sleep buttons, other sleep states, the RTC wake-up.
// Tests: tests/machine/acpi_pm_test.cpp.
#pragma once

#include "base/fields.h"
#include "machine/wires.h"

namespace ramet {

struct AcpiPm {
    static constexpr u16 soft_off = 5;  // SLP_TYP of S5; the DSDT says the same

    u16 PM1_STS = 0;
    u16 PM1_EN = 0;
    u16 PM1_CNT = 1;
    Cycles checked;                 // timer overflows up to here are in PM1_STS
    Cycles next = Cycles::never();  // the next overflow, while its interrupt is enabled

    static constexpr void fields(auto& self, auto& visit) {
        visit("PM1_STS", self.PM1_STS);
        visit("PM1_EN", self.PM1_EN);
        visit("PM1_CNT", self.PM1_CNT);
        visit("checked", self.checked);
        visit("next", self.next);
    }

    u32 read(Offset at, unsigned size, Wires& wires);
    void write(Offset at, unsigned size, u32 value, Wires& wires);
    Cycles deadline() const { return next; }
    void advance(Cycles now, Wires& wires);

private:
    u32 byte_at(u64 at, Cycles now) const;
    void update(Wires& wires);
};

static_assert(fields_complete<AcpiPm>);

}  // namespace ramet
