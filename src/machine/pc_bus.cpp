#include "machine/pc_bus.h"

#include <algorithm>
#include <array>

#include "base/hex.h"

namespace ramet {

namespace {

struct PortRange {
    u16 first;
    u16 count;
};

enum class Device : u8 {
    none,
#define DEVICE(member, ...) member,
#define MMIO_DEVICE(member, ...) member,
#include "machine/board.def"
};

/// Where a port leads: the device and the offset inside its registers.
struct Route {
    Device device = Device::none;
    u8 offset = 0;
};

constexpr u32 routed_ports = 0x2018;  // nothing of a PC's board lies above the test device

struct RouteTable {
    std::array<Route, routed_ports> at = {};
    bool overlap = false;

    template <std::size_t N>
    constexpr void add(Device device, const PortRange (&ranges)[N]) {
        u8 offset = 0;
        for (const PortRange& range : ranges)
            for (u32 port = range.first; port < u32{range.first} + range.count; ++port) {
                overlap |= at[port].device != Device::none;
                at[port] = {device, offset++};
            }
    }
};

constexpr RouteTable make_routes() {
    RouteTable table;
#define DEVICE(member, Type, irq, ...) table.add(Device::member, {__VA_ARGS__});
#define MMIO_DEVICE(...)
#include "machine/board.def"
    return table;
}

constexpr RouteTable routes = make_routes();
static_assert(!routes.overlap, "two rows of board.def claim the same port");

constexpr u64 page_mask = page_size - 1;
constexpr u64 page_of(GuestPhys at) { return at.value & ~page_mask; }

constexpr u32 all_ones(unsigned size) { return size >= 4 ? ~u32{0} : (1U << 8 * size) - 1; }

/// Where a port leads: by board.def, or by where PCI has put the IDE bus master.
Route route_of(const Board& board, u32 port) {
    constexpr u8 bus_master = 9;  // behind the ports of board.def
    const PciIde& ide = board.pci.ide;
    if (port < routed_ports && routes.at[port].device != Device::none) return routes.at[port];
    if (ide.claims(port)) return {Device::ata, static_cast<u8>(bus_master + port - ide.base)};
    return {};
}


/// One access to one device.
template <class T>
u32 read_device(T& device, Offset at, unsigned size, Wires& wires) {
    if constexpr (Wide<T>)
        return device.read(at, size, wires);
    else
        return device.read(at, wires);
}

template <class T>
void write_device(T& device, Offset at, unsigned size, u32 value, Wires& wires) {
    if constexpr (Wide<T>)
        device.write(at, size, value, wires);
    else
        device.write(at, value, wires);
}

template <class T>
Cycles deadline_of(const T& device) {
    if constexpr (Timed<T>)
        return device.deadline();
    else
        return Cycles::never();
}

template <class T>
void attend(T& device, Backplane& backplane, Cycles now, const char* name, unsigned irq) {
    if constexpr (Timed<T>) {
        if (device.deadline() > now) return;
        Wires wires{backplane, now, name, irq};
        device.advance(now, wires);
    }
}

constexpr bool is_wide(Device device) {
    switch (device) {
#define DEVICE(member, Type, ...) \
    case Device::member: return Wide<Type>;
#define MMIO_DEVICE(member, ...) \
    case Device::member: return false;
#include "machine/board.def"
    case Device::none: break;
    }
    return false;
}

constexpr u32 IA32_APIC_BASE = 0x1b;
// CPUID does not offer the deadline timer: AMD's processors of this family have none, and #GP for its register. Hypervisors answer all the same, and so do
// we; a guest that selects the mode in the LVT without asking has the timer.
constexpr u32 IA32_TSC_DEADLINE = 0x6e0;

}  // namespace

void MissedAccesses::add(std::string where) {
    auto const found = counts_.find(where);
    if (found != counts_.end())
        ++found->second;
    else if (counts_.size() < places_max)
        counts_.emplace(std::move(where), 1);
    else
        ++others_;
}

std::string MissedAccesses::text() const {
    std::string text;
    for (const auto& [where, count] : counts_) text += where + ": " + std::to_string(count) + "\n";
    if (others_) text += "other places: " + std::to_string(others_) + "\n";
    return text;
}

PcBus::PcBus(Board& board, Ports& ports, MissedAccesses& missed, const u64& tsc_offset, Stores* stores)
    : board_(board), ports_(ports), missed_(missed), tsc_offset_(tsc_offset), stores_(stores) {
    settle();
}

u32 PcBus::port_read(u16 port, unsigned size, Cycles now) {
    now_ = now;
    Route const route = route_of(board_, port);
    u32 value = 0;
    if (size > 1 && !is_wide(route.device)) {
        for (unsigned i = 0; i < size; ++i) value |= (port_read(static_cast<u16>(port + i), 1, now) & 0xff) << 8 * i;
        return value;
    }
    switch (route.device) {
#define DEVICE(member, Type, irq, ...)                                                       \
    case Device::member: {                                                                   \
        Wires wires{*this, now, #member, irq};                                               \
        value = read_device(board_.member, Offset{route.offset}, size, wires);               \
        break;                                                                               \
    }
#define MMIO_DEVICE(member, ...) case Device::member:
#include "machine/board.def"
    case Device::none:
        missed("port", Offset{port}, false);
        return all_ones(size);
    }
    settle();
    return value & all_ones(size);
}

void PcBus::port_write(u16 port, unsigned size, u32 value, Cycles now) {
    now_ = now;
    Route const route = route_of(board_, port);
    if (size > 1 && !is_wide(route.device)) {
        for (unsigned i = 0; i < size; ++i) port_write(static_cast<u16>(port + i), 1, value >> 8 * i & 0xff, now);
        return;
    }
    switch (route.device) {
#define DEVICE(member, Type, irq, ...)                                                       \
    case Device::member: {                                                                   \
        Wires wires{*this, now, #member, irq};                                               \
        write_device(board_.member, Offset{route.offset}, size, value & all_ones(size), wires); \
        break;                                                                               \
    }
#define MMIO_DEVICE(member, ...) case Device::member:
#include "machine/board.def"
    case Device::none: missed("port", Offset{port}, true); return;
    }
    settle();
}

/// The page of board.def that an address leads to: the local APIC's is where the guest has put it.
u64 PcBus::register_page(GuestPhys at) const {
    u64 const page = page_of(at);
    if (page == board_.lapic.page()) return LocalApic::page_at_reset;
    return page == LocalApic::page_at_reset ? LocalApic::no_page : page;
}

// The register pages answer aligned 32-bit accesses. A narrower read takes its bytes out of the register; other accesses are
// undefined on real hardware and count as missed here.
u64 PcBus::mmio_read(GuestPhys at, unsigned size, Cycles now) {
    now_ = now;
    u64 const mask = size >= 8 ? ~u64{0} : (u64{1} << 8 * size) - 1;
    unsigned const inside = at.value & 3;
    Offset const reg{at.value & page_mask & ~u64{3}};
    if (inside + size > 4) {
        missed("memory", Offset{at.value}, false);
        return mask;
    }
    u64 value = 0;
    switch (register_page(at)) {
#define DEVICE(...)
#define MMIO_DEVICE(member, Type, page)                        \
    case page: {                                               \
        Wires wires{*this, now, #member, Wires::no_irq};       \
        value = board_.member.read(reg, wires);                \
        break;                                                 \
    }
#include "machine/board.def"
    default: missed("memory", Offset{page_of(at)}, false); return mask;
    }
    settle();
    return value >> 8 * inside & mask;
}

void PcBus::mmio_write(GuestPhys at, unsigned size, u64 value, Cycles now) {
    now_ = now;
    if ((at.value & 3) || size != 4) return missed("memory", Offset{at.value}, true);
    Offset const reg{at.value & page_mask};
    switch (register_page(at)) {
#define DEVICE(...)
#define MMIO_DEVICE(member, Type, page)                                  \
    case page: {                                                         \
        Wires wires{*this, now, #member, Wires::no_irq};                 \
        board_.member.write(reg, static_cast<u32>(value), wires);        \
        break;                                                           \
    }
#include "machine/board.def"
    default: missed("memory", Offset{page_of(at)}, true); return;
    }
    settle();
}

u8 PcBus::acknowledge_interrupt(Cycles now) {
    now_ = now;
    u8 const vector = board_.lapic.interrupt() || !board_.lapic.passes_pic() ? board_.lapic.acknowledge() : board_.pic.acknowledge();
    settle();
    return vector;
}

void PcBus::acknowledge_nmi(Cycles) { board_.lapic.nmi = false; }

std::optional<u64> PcBus::msr_read(u32 index, Cycles) {
    switch (index) {
    case IA32_APIC_BASE: return board_.lapic.apic_base;
    case IA32_TSC_DEADLINE: return board_.lapic.tsc_deadline ? board_.lapic.tsc_deadline + tsc_offset_ : 0;
    default: return std::nullopt;
    }
}

bool PcBus::msr_write(u32 index, u64 value, Cycles now) {
    now_ = now;
    Wires wires{*this, now, "lapic", Wires::no_irq};
    switch (index) {
    case IA32_APIC_BASE:
        if (!board_.lapic.write_base(value)) return false;
        break;
    case IA32_TSC_DEADLINE: {
        u64 const cycles = value - tsc_offset_;  // a deadline before cycle 0 wraps far away; it has passed
        board_.lapic.write_tsc_deadline(value == 0 ? 0 : value < tsc_offset_ && tsc_offset_ >> 63 == 0 ? 1 : std::max<u64>(cycles, 1), wires);
        break;
    }
    default: return false;
    }
    settle();
    return true;
}

void PcBus::set_task_priority(u8 priority, Cycles now) {
    now_ = now;
    board_.lapic.set_task_priority(priority);
    settle();
}

void PcBus::advance(Cycles now) {
    if (deadline_ > now) return;
    now_ = now;
#define DEVICE(member, Type, irq, ...) attend(board_.member, *this, now, #member, irq);
#define MMIO_DEVICE(member, Type, page) attend(board_.member, *this, now, #member, Wires::no_irq);
#include "machine/board.def"
    settle();
}

std::size_t PcBus::push_serial(std::span<const u8> bytes, Cycles now) {
    now_ = now;
    Wires wires{*this, now, "com1", 4};
    std::size_t taken = 0;
    while (taken < bytes.size() && board_.com1.push(bytes[taken], wires)) ++taken;
    settle();
    return taken;
}

void PcBus::pulse(unsigned irq, Cycles now) {
    now_ = now;
    bool const level = (irq < 8 ? board_.pic.master.lines >> irq : board_.pic.slave.lines >> (irq - 8)) & 1;
    set_line(irq, !level);
    set_line(irq, level);
    settle();
}

void PcBus::settle() {
    Wires wires{*this, now_, "lapic", Wires::no_irq};
    bool const pic = board_.pic.interrupt();
    board_.lapic.set_lint0(pic, wires);
    interrupt_ = board_.lapic.interrupt() || (pic && board_.lapic.passes_pic());
    deadline_ = Cycles::never();
#define DEVICE(member, ...) deadline_ = std::min(deadline_, deadline_of(board_.member));
#define MMIO_DEVICE(member, ...) deadline_ = std::min(deadline_, deadline_of(board_.member));
#include "machine/board.def"
}

void PcBus::set_line(unsigned irq, bool level) {
    constexpr unsigned timer_pin = 2;  // ISA IRQ0; the MADT says so
    constexpr unsigned isa_lines = 16;
    Wires wires{*this, now_, "ioapic", Wires::no_irq};
    if (irq < isa_lines) board_.pic.set_line(irq, level);
    board_.ioapic.set_pin(irq == 0 ? timer_pin : irq, level, wires);
}

void PcBus::send_interrupt(const InterruptMessage& message) {
    Wires wires{*this, now_, "lapic", Wires::no_irq};
    board_.lapic.receive(message, wires);
}

void PcBus::end_of_interrupt(u8 vector) {
    Wires wires{*this, now_, "ioapic", Wires::no_irq};
    board_.ioapic.end_of_interrupt(vector, wires);
}

void PcBus::output(Channel channel, u8 byte) {
    if (ports_.output(channel, byte)) stop_asked_ = true;
}

void PcBus::request(Request request, u32 value) {
    if (request_ != Request::none) return;
    request_ = request;
    request_value_ = value;
}

void PcBus::missed(const char* device, Offset at, bool write) {
    missed_.add(std::string{device} + (write ? " write " : " read ") + short_hex_of(at.value));
}

}  // namespace ramet
