#include "machine/devices/acpi_pm.h"

#include "machine/ticks.h"

namespace ramet {

namespace {

constexpr u16 TMR_STS = 1;  // also TMR_EN
constexpr u16 enables = 0x0721;
constexpr u16 SCI_EN = 1;
constexpr u16 SLP_EN = 0x2000;
constexpr u64 overflow_ticks = u64{1} << 23;  // TMR_STS is set when bit 23 of the timer changes
constexpr u64 timer_mask = 0xff'ffff;
constexpr u64 block_size = 12;

u64 overflows(Cycles at) { return ticks_at(pm_ticks, at) / overflow_ticks; }

}  // namespace

u32 AcpiPm::byte_at(u64 at, Cycles now) const {
    u64 const timer = ticks_at(pm_ticks, now) & timer_mask;
    switch (at / 2) {
    case 0: return PM1_STS >> 8 * (at & 1) & 0xff;
    case 1: return PM1_EN >> 8 * (at & 1) & 0xff;
    case 2: return PM1_CNT >> 8 * (at & 1) & 0xff;
    case 4:
    case 5: return static_cast<u32>(timer >> 8 * (at - 8) & 0xff);
    default: return 0;
    }
}

u32 AcpiPm::read(Offset at, unsigned size, Wires& wires) {
    if (at.value + size > block_size) return wires.unmapped_read(at);
    update(wires);
    u32 value = 0;
    for (unsigned i = 0; i < size; ++i) value |= byte_at(at.value + i, wires.now()) << 8 * i;
    return value;
}

void AcpiPm::write(Offset at, unsigned size, u32 value, Wires& wires) {
    update(wires);
    for (unsigned i = 0; i < size; ++i) {
        u64 const place = at.value + i;
        unsigned const shift = 8 * (place & 1);
        u16 const bits = static_cast<u16>((value >> 8 * i & 0xff) << shift);
        u16 const keep = static_cast<u16>(0xff00 >> shift);
        switch (place / 2) {
        case 0: PM1_STS &= static_cast<u16>(~bits); break;  // write one to clear
        case 1: PM1_EN = static_cast<u16>(((PM1_EN & keep) | bits) & enables); break;
        case 2: PM1_CNT = static_cast<u16>(((PM1_CNT & keep) | bits) | SCI_EN); break;
        case 4:
        case 5: break;  // the timer is read-only
        default: wires.unmapped_write(Offset{place}); break;
        }
    }
    if (PM1_CNT & SLP_EN) {
        PM1_CNT &= static_cast<u16>(~SLP_EN);
        if ((PM1_CNT >> 10 & 7) == soft_off) wires.request(Request::power_off);
    }
    update(wires);
}

void AcpiPm::advance(Cycles, Wires& wires) { update(wires); }

void AcpiPm::update(Wires& wires) {
    Cycles const now = wires.now();
    if (overflows(now) > overflows(checked)) PM1_STS |= TMR_STS;
    if (now > checked) checked = now;
    bool const waiting = (PM1_EN & TMR_STS) && !(PM1_STS & TMR_STS);
    next = waiting ? cycle_of_tick(pm_ticks, (overflows(checked) + 1) * overflow_ticks) : Cycles::never();
    wires.line(PM1_STS & PM1_EN & TMR_STS);
}

}  // namespace ramet
