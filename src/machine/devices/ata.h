// One ATA channel with up to two disks (ANSI INCITS 361, "AT Attachment with Packet Interface - 6") and its bus master.
//
// Offsets: 0..7 command block (1F0h: data, error/features, count, LBA low, mid, high, device, status/command) · 8 control block (3F6h: alternate
// status/device control) · 9..24 bus master, where PCI has put it (bus_master.h). The data port is 8, 16 or 32 bits wide; IRQ14.
// Commands: READ, WRITE and VERIFY SECTORS, READ and WRITE MULTIPLE and DMA, each with 28 and 48 bit addresses or CHS, IDENTIFY, FLUSH CACHE, SET FEATURES,
// SET MULTIPLE MODE, INITIALIZE DEVICE PARAMETERS, diagnostics, power management that does nothing. All others are aborted.
//
// Time: a command of the medium completes, or has its first sectors ready, `latency` cycles after it was written, plus `sector_cycles` for each sector. `latency`
// is state, and an input may change it (Input::Kind::disk): it counts for the command under way as well. The others take `control_cycles`.
// What a command does to disk and memory happens at once when it completes, in advance().
// Not modelled: ATAPI, SMART, security, queues, UDMA timing. Both drives share one set of registers, as software sees them; a selected drive
// that is absent reads as zeros.
// Tests: tests/machine/ata_test.cpp, ata_dma_test.cpp, tests/guests/disk_pio.S, disk_dma.S.
#pragma once

#include "base/fields.h"
#include "machine/devices/bus_master.h"
#include "machine/wires.h"

namespace ramet {

struct AtaDrive {
    static constexpr u8 multiple_max = 8;

    u64 sectors = 0;  // 0: there is no drive
    bool read_only = false;
    bool write_cache = true;
    u8 heads = 16;    // of the translation that INITIALIZE DEVICE PARAMETERS chose
    u8 sectors_per_track = 63;
    u8 multiple = 0;  // sectors in a block of READ and WRITE MULTIPLE; 0: not set
    u8 transfer_mode = 0x0c;  // of SET FEATURES

    static constexpr void fields(auto& self, auto& visit) {
        visit("sectors", self.sectors);
        visit("read_only", self.read_only);
        visit("write_cache", self.write_cache);
        visit("heads", self.heads);
        visit("sectors_per_track", self.sectors_per_track);
        visit("multiple", self.multiple);
        visit("transfer_mode", self.transfer_mode);
    }

    bool present() const { return sectors != 0; }
    bool valid() const { return heads - 1U < 16 && sectors_per_track != 0 && multiple <= multiple_max; }
};

/// A register of the command block: what was written last, and before it, for 48-bit addresses.
struct AtaRegister {
    u8 now = 0;
    u8 before = 0;

    static constexpr void fields(auto& self, auto& visit) {
        visit("now", self.now);
        visit("before", self.before);
    }
    void write(u8 value) {
        before = now;
        now = value;
    }
};

struct Ata {
    static constexpr std::size_t block_bytes = std::size_t{AtaDrive::multiple_max} * 512;
    static constexpr u64 latency_default = 100'000;
    static constexpr u64 sector_cycles = 4'000;
    static constexpr u64 control_cycles = 10'000;
    static constexpr u64 reset_cycles = 2'000'000;

    /// What the channel waits for.
    enum class Phase : u8 {
        idle,
        medium,    ///< BSY: time for the command, or for its next block
        control,   ///< BSY: time for a command that needs no medium
        reset,     ///< BSY: SRST was taken back
        data_in,   ///< the guest reads the buffer
        data_out,  ///< the guest fills the buffer
        dma,       ///< the bus master, and its time
    };

    std::array<AtaDrive, 2> drives = {};
    BusMaster master = {};
    u64 latency = latency_default;
    Phase phase = Phase::idle;
    u8 command = 0;
    u8 status = 0x50;
    u8 error = 1;
    u8 device = 0;
    u8 control = 0;
    bool interrupt = false;     // INTRQ, whether or not nIEN lets it out
    AtaRegister features = {}, count = {.now = 1}, low = {.now = 1}, mid = {}, high = {};
    u64 sector = 0;             // next one of the command under way
    u32 left = 0;               // sectors it has yet to move
    u32 block = 0;              // sectors that move in the present step
    bool first = false;         // the step pays the latency
    Cycles started = {};        // of the present step
    u16 at = 0;                 // in the buffer
    u16 filled = 0;
    std::array<u8, block_bytes> buffer = {};

    static constexpr void fields(auto& self, auto& visit) {
        visit("drives", self.drives);
        visit("master", self.master);
        visit("latency", self.latency);
        visit("phase", self.phase);
        visit("command", self.command);
        visit("status", self.status);
        visit("error", self.error);
        visit("device", self.device);
        visit("control", self.control);
        visit("interrupt", self.interrupt);
        visit("features", self.features);
        visit("count", self.count);
        visit("low", self.low);
        visit("mid", self.mid);
        visit("high", self.high);
        visit("sector", self.sector);
        visit("left", self.left);
        visit("block", self.block);
        visit("first", self.first);
        visit("started", self.started);
        visit("at", self.at);
        visit("filled", self.filled);
        visit("buffer", self.buffer);
    }

    bool absent() const { return !drives[0].present() && !drives[1].present(); }
    bool valid() const { return at <= filled && filled <= block_bytes && block <= 65536 && left <= 65536; }

    u32 read(Offset at, unsigned size, Wires& wires);
    void write(Offset at, unsigned size, u32 value, Wires& wires);
    Cycles deadline() const;
    void advance(Cycles now, Wires& wires);

private:
    friend struct AtaCommands;

    u8 read_register(u64 at, Wires& wires);
    void write_register(u64 at, u8 value, Wires& wires);
    void write_control(u8 value, Wires& wires);
    u32 read_data(unsigned size, Wires& wires);
    void write_data(unsigned size, u32 value, Wires& wires);
    void update_line(Wires& wires) { wires.line(interrupt && !(control & 2)); }

    unsigned selected() const { return device >> 4 & 1; }
    AtaDrive& drive() { return drives[selected()]; }
    const AtaDrive& drive() const { return drives[selected()]; }

    // ata_commands.cpp: a command from its first register access to its end.
    void begin(u8 opcode, Wires& wires);
    void begin_medium(bool pays_latency, Wires& wires);
    void wait(Phase what, Cycles now);
    void step_medium(Wires& wires);
    void step_dma(Wires& wires);
    void run_control(Wires& wires);
    void buffer_done(Wires& wires);
    void next_block(Wires& wires);
    void finish(u8 error_bits, Wires& wires);
    void raise(Wires& wires);
    void show_address();
    void reset_done();
};

static_assert(fields_complete<AtaDrive> && fields_complete<AtaRegister> && fields_complete<Ata>);

}  // namespace ramet
