// A command of an ATA drive, from the register write that begins it to the interrupt that ends it (ata.h).
#include <algorithm>
#include <optional>

#include "machine/devices/ata.h"
#include "machine/devices/ata_bits.h"
#include "machine/devices/ata_identity.h"

namespace ramet {

using namespace ata;

namespace {

/// How a command moves its data.
enum class Way : u8 { nothing, pio_in, pio_out, dma_in, dma_out };

struct MediumCommand {
    u8 opcode;
    Way way;
    bool ext;       // 48-bit address
    bool multiple;  // several sectors a block
};

constexpr MediumCommand medium_commands[] = {
    {0x20, Way::pio_in, false, false},  {0x21, Way::pio_in, false, false},  {0x24, Way::pio_in, true, false},   // READ SECTOR(S) (EXT)
    {0x25, Way::dma_in, true, false},                                                                            // READ DMA EXT
    {0x29, Way::pio_in, true, true},                                                                             // READ MULTIPLE EXT
    {0x30, Way::pio_out, false, false}, {0x31, Way::pio_out, false, false}, {0x34, Way::pio_out, true, false},  // WRITE SECTOR(S) (EXT)
    {0x35, Way::dma_out, true, false},                                                                           // WRITE DMA EXT
    {0x39, Way::pio_out, true, true},                                                                            // WRITE MULTIPLE EXT
    {0x40, Way::nothing, false, false}, {0x41, Way::nothing, false, false}, {0x42, Way::nothing, true, false},  // READ VERIFY SECTOR(S) (EXT)
    {0xc4, Way::pio_in, false, true},   {0xc5, Way::pio_out, false, true},                                       // READ, WRITE MULTIPLE
    {0xc8, Way::dma_in, false, false},  {0xc9, Way::dma_in, false, false},                                       // READ DMA
    {0xca, Way::dma_out, false, false}, {0xcb, Way::dma_out, false, false},                                      // WRITE DMA
};

enum Opcode : u8 {
    READ_NATIVE_MAX_ADDRESS_EXT = 0x27, SEEK = 0x70, EXECUTE_DEVICE_DIAGNOSTIC = 0x90, INITIALIZE_DEVICE_PARAMETERS = 0x91, SET_MULTIPLE_MODE = 0xc6,
    STANDBY_IMMEDIATE = 0xe0, IDLE_IMMEDIATE = 0xe1, STANDBY = 0xe2, IDLE = 0xe3, CHECK_POWER_MODE = 0xe5, FLUSH_CACHE = 0xe7, FLUSH_CACHE_EXT = 0xea,
    IDENTIFY_DEVICE = 0xec, SET_FEATURES = 0xef, READ_NATIVE_MAX_ADDRESS = 0xf8
};

const MediumCommand* medium_command(u8 opcode) {
    for (const MediumCommand& row : medium_commands)
        if (row.opcode == opcode) return &row;
    return nullptr;
}

bool is_out(Way way) { return way == Way::pio_out || way == Way::dma_out; }
bool is_dma(Way way) { return way == Way::dma_in || way == Way::dma_out; }

constexpr u8 ready = DRDY | DSC;

}  // namespace

/// What the registers say about sectors, and putting it back there.
struct AtaCommands {
    static u64 sector_count(const Ata& ata, bool ext) {
        if (!ext) return ata.count.now == 0 ? 256 : ata.count.now;
        u64 const count = u64{ata.count.before} << 8 | ata.count.now;
        return count == 0 ? 65536 : count;
    }

    /// The first sector; nothing when CHS names none.
    static std::optional<u64> sector(const Ata& ata, bool ext) {
        u64 const now = u64{ata.high.now} << 16 | u64{ata.mid.now} << 8 | ata.low.now;
        if (ext) return u64{ata.high.before} << 40 | u64{ata.mid.before} << 32 | u64{ata.low.before} << 24 | now;
        u64 const head = ata.device & 15;
        if (ata.device & LBA) return head << 24 | now;
        const AtaDrive& drive = ata.drive();
        if (ata.low.now == 0 || ata.low.now > drive.sectors_per_track || head >= drive.heads) return std::nullopt;
        return ((now >> 8) * drive.heads + head) * drive.sectors_per_track + ata.low.now - 1;
    }

    static void show(Ata& ata, bool ext) {
        ata.count = {static_cast<u8>(ata.left), static_cast<u8>(ata.left >> 8)};
        u64 const sector = ata.sector;
        auto const byte = [sector](unsigned shift) { return static_cast<u8>(sector >> shift); };
        if (ext || (ata.device & LBA)) {
            ata.low = {byte(0), ext ? byte(24) : ata.low.before};
            ata.mid = {byte(8), ext ? byte(32) : ata.mid.before};
            ata.high = {byte(16), ext ? byte(40) : ata.high.before};
            if (!ext) ata.device = static_cast<u8>((ata.device & 0xf0) | (byte(24) & 15));
            return;
        }
        const AtaDrive& drive = ata.drive();
        u64 const track = sector / drive.sectors_per_track, cylinder = track / drive.heads;
        ata.low.now = static_cast<u8>(sector % drive.sectors_per_track + 1);
        ata.mid.now = static_cast<u8>(cylinder);
        ata.high.now = static_cast<u8>(cylinder >> 8);
        ata.device = static_cast<u8>((ata.device & 0xf0) | (track % drive.heads));
    }
};

void Ata::wait(Phase what, Cycles now) {
    phase = what;
    status = what == Phase::dma ? ready | DRQ : BSY;
    started = now;
}

void Ata::begin(u8 opcode, Wires& wires) {
    if (opcode == EXECUTE_DEVICE_DIAGNOSTIC) device = static_cast<u8>(device & ~DEV);  // both drives do it, and the first one answers
    if (!drive().present()) return;
    command = opcode;
    error = 0;
    interrupt = false;
    update_line(wires);
    const MediumCommand* const row = medium_command(opcode);
    bool const flush = opcode == FLUSH_CACHE || opcode == FLUSH_CACHE_EXT;
    if (row != nullptr || flush) return begin_medium(true, wires);
    left = block = 0;
    wait(Phase::control, wires.now());
}

/// Checks the whole command before any of it is done; what is wrong shows when its time has come.
void Ata::begin_medium(bool pays_latency, Wires& wires) {
    const MediumCommand* const row = medium_command(command);
    first = pays_latency;
    left = block = 0;
    at = filled = 0;
    if (row == nullptr) return wait(Phase::medium, wires.now());
    auto const place = AtaCommands::sector(*this, row->ext);
    u64 const sectors = AtaCommands::sector_count(*this, row->ext);
    bool const impossible = (row->multiple && drive().multiple == 0) || (is_out(row->way) && drive().read_only);
    bool const nowhere = !place || *place >= drive().sectors || sectors > drive().sectors - *place;
    if (impossible || nowhere) {
        error = impossible ? ABRT : IDNF;
        return wait(Phase::medium, wires.now());
    }
    sector = *place;
    left = static_cast<u32>(sectors);
    if (is_dma(row->way)) {
        block = left;
        return wait(Phase::dma, wires.now());
    }
    next_block(wires);
}

/// Sets up the next block of a command that has sectors left.
void Ata::next_block(Wires& wires) {
    const MediumCommand* const row = medium_command(command);
    block = row->way == Way::nothing ? left : std::min<u32>(left, row->multiple ? std::max<u32>(drive().multiple, 1) : 1);
    if (row->way != Way::pio_out) return wait(Phase::medium, wires.now());
    phase = Phase::data_out;
    status = ready | DRQ;
    at = 0;
    filled = static_cast<u16>(block * 512);
}

/// The guest has taken all of the buffer, or filled it.
void Ata::buffer_done(Wires& wires) {
    if (phase == Phase::data_out) return wait(Phase::medium, wires.now());
    phase = Phase::idle;
    status = ready;
    if (left == 0 || medium_command(command) == nullptr) return;
    first = false;
    next_block(wires);
}

void Ata::step_medium(Wires& wires) {
    const MediumCommand* const row = medium_command(command);
    if (error != 0 || row == nullptr) return finish(error, wires);
    std::span<u8> const bytes = std::span{buffer}.first(std::min<std::size_t>(std::size_t{block} * 512, block_bytes));
    Moved moved = Moved::all;
    if (row->way == Way::pio_in) moved = wires.disk_read(selected(), sector, bytes);
    if (row->way == Way::pio_out) moved = wires.disk_write(selected(), sector, bytes);
    if (moved != Moved::all) return;
    sector += block;
    left -= std::min(left, block);
    AtaCommands::show(*this, row->ext);
    if (row->way == Way::pio_in) {
        phase = Phase::data_in;
        status = ready | DRQ;
        at = 0;
        filled = static_cast<u16>(bytes.size());
        return raise(wires);
    }
    if (left == 0) return finish(0, wires);
    first = false;
    next_block(wires);
    raise(wires);
}

void Ata::step_dma(Wires& wires) {
    const MediumCommand* const row = medium_command(command);
    if (row == nullptr || is_out(row->way) == ((master.command & BusMaster::to_memory) != 0)) {
        // The bus master moves the other way than the drive: nothing ever comes.
        master.status = static_cast<u8>(master.status & ~BusMaster::active);
        return;
    }
    BusMaster::Result const result = master.move(selected(), sector, left, wires);
    if (result.moved == Moved::failed) return;
    sector += result.sectors;
    left -= result.sectors;
    AtaCommands::show(*this, row->ext);
    if (result.moved == Moved::nowhere) return finish(ABRT, wires);
    if (left == 0) return finish(0, wires);
    block = left;  // the table was too short: the drive waits for another one
}

void Ata::finish(u8 error_bits, Wires& wires) {
    phase = Phase::idle;
    error = error_bits;
    status = error_bits ? ready | ERR : ready;
    left = block = 0;
    raise(wires);
}

void Ata::raise(Wires& wires) {
    interrupt = true;
    master.status |= BusMaster::interrupt;
    update_line(wires);
}

/// The signature of a drive that is no packet device, after a reset or a diagnostic.
void Ata::reset_done() {
    phase = Phase::idle;
    status = ready;
    error = 1;  // no error was found
    device = 0;
    count = low = {.now = 1};
    mid = high = {};
    left = block = 0;
    at = filled = 0;
}

void Ata::run_control(Wires& wires) {
    AtaDrive& d = drive();
    switch (command) {
    case IDENTIFY_DEVICE:
        put_identity(d, selected(), std::span{buffer}.first<512>());
        at = 0;
        filled = 512;
        phase = Phase::data_in;
        status = ready | DRQ;
        return raise(wires);
    case EXECUTE_DEVICE_DIAGNOSTIC: reset_done(); return raise(wires);
    case INITIALIZE_DEVICE_PARAMETERS:
        if (count.now == 0) return finish(ABRT, wires);
        d.sectors_per_track = count.now;
        d.heads = static_cast<u8>((device & 15) + 1);
        return finish(0, wires);
    case SET_MULTIPLE_MODE:
        if (count.now > AtaDrive::multiple_max || (count.now & (count.now - 1)) != 0) return finish(ABRT, wires);
        d.multiple = count.now;
        return finish(0, wires);
    case SET_FEATURES: return finish(set_feature(d, features.now, count.now) ? 0 : ABRT, wires);
    case READ_NATIVE_MAX_ADDRESS:
    case READ_NATIVE_MAX_ADDRESS_EXT: {
        bool const ext = command == READ_NATIVE_MAX_ADDRESS_EXT;
        sector = ext ? d.sectors - 1 : std::min<u64>(d.sectors, 1 << 28) - 1;
        AtaCommands::show(*this, ext);
        return finish(0, wires);
    }
    case CHECK_POWER_MODE: count.now = 0xff; return finish(0, wires);  // active
    case SEEK:
    case STANDBY_IMMEDIATE:
    case IDLE_IMMEDIATE:
    case STANDBY:
    case IDLE: return finish(0, wires);
    default: return finish(command >> 4 == 1 ? 0 : ABRT, wires);  // 1xh is RECALIBRATE
    }
}

}  // namespace ramet
