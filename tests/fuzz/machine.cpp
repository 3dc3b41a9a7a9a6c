// The machine's doors: register accesses of any kind to the whole board, any text as machine.toml, any bytes as a kernel image.
#include "accesses.h"
#include "base/bytes.h"
#include "base/state.h"
#include "machine/machine.h"
#include "targets.h"

namespace ramet::fuzz {
namespace {

class Nowhere final : public Ports {
public:
    bool output(Channel, u8) override { return false; }
};

/// Takes values off the front of an input; zeros behind its end.
class Bites {
public:
    explicit Bites(std::span<const u8> bytes) : bytes_(bytes) {}
    bool empty() const { return bytes_.empty(); }
    u8 byte() {
        if (empty()) return 0;
        u8 const value = bytes_.front();
        bytes_ = bytes_.subspan(1);
        return value;
    }
    u32 word() {
        u32 value = 0;
        for (unsigned i = 0; i < 4; ++i) value |= u32{byte()} << 8 * i;
        return value;
    }

private:
    std::span<const u8> bytes_;
};

constexpr std::array<u64, 2> register_pages = {0xfee00000, 0xfec00000};
constexpr u64 cycle_step_max = 1 << 24;

/// One access, or some time.
void act(PcBus& bus, Memory& memory, Cycles& now, Bites& bites) {
    auto const what = static_cast<Access>(bites.byte() % access_count);
    unsigned const size = 1U << bites.byte() % 3;
    u8 const place = bites.byte();
    u16 const port = port_at(place);
    GuestPhys const at{register_pages[place & 1] + (u64{place} << 4 & 0xff0)};
    switch (what) {
    case Access::read:
    case Access::read_again: bus.port_read(port, size, now); break;
    case Access::write:
    case Access::write_again: bus.port_write(port, size, bites.word(), now); break;
    case Access::mmio_read: bus.mmio_read(at, size, now); break;
    case Access::mmio_write: bus.mmio_write(at, size, bites.word(), now); break;
    case Access::acknowledge:
        if (bus.nmi_line()) bus.acknowledge_nmi(now);
        else if (bus.interrupt_line()) bus.acknowledge_interrupt(now);
        break;
    case Access::wait: now = Cycles{now.value + bites.word() % cycle_step_max}; break;
    case Access::data_in:
        for (unsigned left = bites.byte() + 1U; left > 0; --left) bus.port_read(disk_data, size, now);
        break;
    case Access::data_out: {
        unsigned left = bites.byte() + 1U;
        for (u32 const value = bites.word(); left > 0; --left) bus.port_write(disk_data, size, value + left, now);
        break;
    }
    case Access::poke: {
        std::array<u8, 4> bytes;
        store_le(bytes.data(), bites.word());
        memory.copy_in(GuestPhys{tables + 4U * place}, bytes);
        break;
    }
    }
    if (bus.deadline() <= now) bus.advance(now);
}

/// A board with two small disks, of which the second cannot be written, and memory for their bus master. Inputs work on forks of it.
struct Bench {
    static constexpr std::array<std::size_t, 2> disk_bytes = {64 * 512, 7 * 512 + 100};

    Memory memory;
    Disks disks;
    Board board;
    Interpreter nobody{CpuModel::ramet_v1, 0};  // is told which memory was written

    Bench() : memory(std::make_shared<PagePool>(), {{Frame{0}, 32}, Disk::frames(disk_bytes[0], 0), Disk::frames(disk_bytes[1], 1)}) {
        for (std::size_t place = 0; place < disks.size(); ++place) {
            disks[place].emplace(DiskImage::of_bytes(std::vector<u8>(disk_bytes[place], static_cast<u8>(0x5a + place)), "disk"), place);
            board.ata.drives[place] = {.sectors = disks[place]->sector_count(), .read_only = place == 1};
        }
        board.pci.ide = PciIde::after_firmware();
    }
};

}  // namespace

/// No access breaks the board or is trouble for the host, and what it became is a state that can be saved and read back.
void device_ports_target(std::span<const u8> bytes) {
    static Bench bench;
    Board board = bench.board;
    Memory memory = bench.memory.fork();
    Stores stores{memory, bench.nobody, bench.disks};
    Nowhere ports;
    MissedAccesses missed;
    u64 const tsc_offset = 0;
    PcBus bus{board, ports, missed, tsc_offset, &stores};
    Cycles now;
    for (Bites bites{bytes}; !bites.empty();) {
        act(bus, memory, now, bites);
        stores.settle();
    }
    require(stores.trouble().empty(), "whatever a guest asks of a disk is no trouble of the host's", bytes);
    for (Frame const frame : memory.differing_frames(bench.memory)) require(frame < Disk::frames(0, 1).first, "a disk for reading is not written", bytes);
    std::vector<u8> const saved = state_bytes(board);
    Board restored;
    auto const read = read_state(saved, restored);
    require(read && *read == saved.size(), "a board that a guest can make is valid", bytes);
    require(state_bytes(restored) == saved, "a board is its bytes", bytes);
}

/// A configuration or an error with a text.
void toml_target(std::span<const u8> bytes) {
    auto const read = parse_configuration({bytes.begin(), bytes.end()}, "fuzz.toml");
    if (!read) require(read.error().text.starts_with("fuzz.toml:"), "an error names the file and the place", bytes);
}

/// The first byte picks a format whose beginning is put before the rest; a machine, or an error that says what is wrong.
void boot_target(std::span<const u8> bytes) {
    if (bytes.empty()) return;
    constexpr std::size_t image_bytes = 4096;
    std::vector<u8> image(image_bytes);
    auto const rest = bytes.subspan(1, std::min(bytes.size() - 1, image_bytes / 2));
    std::size_t at = 0;
    switch (bytes[0] % 4) {
    case 0: store_le(&image[0], u32{0x1badb002}), store_le(&image[4], u32{0x10000}), store_le(&image[8], 0 - u32{0x1badb012}), at = 12; break;
    case 1: store_le(&image[0], u32{0x464c457f}), image[4] = bytes[0] & 4 ? 2 : 1, image[5] = 1, at = 16; break;
    case 2: store_le(&image[0x1fe], u16{0xaa55}), store_le(&image[0x202], u32{0x53726448}), at = 0x206; break;
    default: break;
    }
    std::copy(rest.begin(), rest.end(), image.begin() + static_cast<std::ptrdiff_t>(at));
    Configuration configuration;
    configuration.kernel = "fuzz";
    configuration.memory_bytes = Configuration::memory_bytes_min;
    configuration.unpack = bytes[0] & 8 ? Unpack::host : Unpack::guest;
    auto const made = Machine::create(configuration, {.kernel = {"fuzz", "", image}, .modules = {}}, std::make_shared<PagePool>());
    if (!made) require(!made.error().text.empty(), "an error says what is wrong", bytes);
}

}  // namespace ramet::fuzz
