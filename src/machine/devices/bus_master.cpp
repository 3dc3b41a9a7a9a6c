#include "machine/devices/bus_master.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"

namespace ramet {

namespace {

constexpr u32 sector_bytes = 512;
constexpr u32 sectors_at_once = 8;

/// Walks a table and hands out pieces of memory.
class Regions {
public:
    Regions(u32 table, Wires& wires) : next_(table), wires_(wires) {}

    /// Calls piece(address, offset, bytes) until `size` bytes are spoken for. `short_` says that the table ended before.
    Moved take(u32 size, auto piece) {
        for (u32 done = 0; done < size;) {
            if (left_ == 0) {
                if (ended_) {
                    short_ = true;
                    return Moved::all;
                }
                if (Moved const moved = load(); moved != Moved::all) return moved;
            }
            u32 const bytes = std::min(left_, size - done);
            if (Moved const moved = piece(GuestPhys{address_}, done, bytes); moved != Moved::all) return moved;
            address_ += bytes;
            left_ -= bytes;
            done += bytes;
        }
        return Moved::all;
    }

    bool is_short() const { return short_; }
    /// Every byte of the table was used.
    bool used_up() const { return ended_ && left_ == 0; }

private:
    Moved load() {
        constexpr u32 table_end = 0xffff;
        std::array<u8, 8> entry;
        if (Moved const moved = wires_.memory_read(GuestPhys{next_}, entry); moved != Moved::all) return moved;
        u32 const second = load_le<u32>(entry.data() + 4);
        address_ = load_le<u32>(entry.data()) & ~u32{1};
        left_ = second & 0xfffe;
        if (left_ == 0) left_ = 0x10000;
        next_ += 8;
        ended_ = second >> 31 != 0 || (next_ & table_end) < 8;
        return Moved::all;
    }

    u32 next_;
    Wires& wires_;
    u64 address_ = 0;
    u32 left_ = 0;
    bool ended_ = false;
    bool short_ = false;
};

}  // namespace

u8 BusMaster::read(unsigned at) const {
    switch (at) {
    case 0: return command;
    case 2: return status;
    case 4:
    case 5:
    case 6:
    case 7: return static_cast<u8>(table >> 8 * (at - 4));
    default: return 0;
    }
}

bool BusMaster::write(unsigned at, u8 value) {
    switch (at) {
    case 0: {
        bool const starts = (value & start) && !(command & start);
        command = value & (start | to_memory);
        if (starts) status |= active;
        if (!(command & start)) status = static_cast<u8>(status & ~active);
        return starts;
    }
    case 2: status = static_cast<u8>((status & (active | error | interrupt) & ~(value & (error | interrupt))) | (value & drivers_bits)); return false;
    case 4:
    case 5:
    case 6:
    case 7: {
        unsigned const shift = 8 * (at - 4);
        table = (table & ~(u32{0xff} << shift)) | u32{value} << shift;
        table &= ~u32{3};
        return false;
    }
    default: return false;
    }
}

BusMaster::Result BusMaster::move(unsigned place, u64 sector, u32 count, Wires& wires) {
    std::array<u8, sectors_at_once * sector_bytes> buffer;
    Regions regions{table, wires};
    u32 done = 0;
    while (done < count && !regions.is_short()) {
        u32 const sectors = std::min(sectors_at_once, count - done);
        std::span<u8> const bytes = std::span{buffer}.first(std::size_t{sectors} * sector_bytes);
        u32 got = 0;  // bytes that the table had room for
        auto const count_piece = [&got](u32 offset, u32 size, Moved moved) {
            if (moved == Moved::all) got = offset + size;
            return moved;
        };
        Moved moved = command & to_memory ? wires.disk_read(place, sector + done, bytes) : Moved::all;
        if (moved == Moved::all)
            moved = regions.take(sectors * sector_bytes, [&](GuestPhys at, u32 offset, u32 size) {
                std::span<u8> const piece = bytes.subspan(offset, size);
                return count_piece(offset, size, command & to_memory ? wires.memory_write(at, piece) : wires.memory_read(at, piece));
            });
        u32 const whole = got / sector_bytes;
        if (moved == Moved::all && !(command & to_memory) && whole != 0) moved = wires.disk_write(place, sector + done, bytes.first(std::size_t{whole} * sector_bytes));
        if (moved == Moved::failed) return {moved, 0};
        if (moved == Moved::nowhere) {
            status = static_cast<u8>((status & ~active) | error);
            return {moved, done};
        }
        done += whole;
    }
    if (regions.is_short() || regions.used_up()) status = static_cast<u8>(status & ~active);
    return {Moved::all, done};
}

}  // namespace ramet
