#include "machine/devices/cmos.h"

#include <algorithm>

#include "machine/ticks.h"

namespace ramet {

namespace {

enum Register : u8 { seconds, seconds_alarm, minutes, minutes_alarm, hours, hours_alarm, weekday, day, month, year, A, B, C, D };
constexpr u8 century = 0x32;

enum Interrupts : u8 { UF = 0x10, AF = 0x20, PF = 0x40, IRQF = 0x80 };

// The update-in-progress bit shows for 244 microseconds before each second.
constexpr u64 update_cycles = 244'000;
constexpr u64 day_seconds = 86'400;

struct Date {
    i64 year;
    unsigned month;
    unsigned day;
};

/// Civil date of a day number since 1970-01-01, proleptic Gregorian.
Date date_of(i64 days) {
    days += 719'468;
    i64 const era = (days >= 0 ? days : days - 146'096) / 146'097;
    i64 const day_of_era = days - era * 146'097;
    i64 const year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    i64 const day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    i64 const shifted = (5 * day_of_year + 2) / 153;  // months count from March
    unsigned const month = static_cast<unsigned>(shifted < 10 ? shifted + 3 : shifted - 9);
    return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, static_cast<unsigned>(day_of_year - (153 * shifted + 2) / 5 + 1)};
}

i64 days_of(const Date& date) {
    i64 const y = date.month <= 2 ? date.year - 1 : date.year;
    i64 const era = (y >= 0 ? y : y - 399) / 400;
    i64 const year_of_era = y - era * 400;
    i64 const shifted = date.month > 2 ? static_cast<i64>(date.month) - 3 : static_cast<i64>(date.month) + 9;
    i64 const day_of_year = (153 * shifted + 2) / 5 + static_cast<i64>(date.day) - 1;
    return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

unsigned days_in_month(const Date& date) {
    Date const next = date.month == 12 ? Date{date.year + 1, 1, 1} : Date{date.year, date.month + 1, 1};
    return static_cast<unsigned>(days_of(next) - days_of({date.year, date.month, 1}));
}

/// Division that rounds down, for times before 1970.
i64 floor_divide(i64 a, i64 b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

/// The first multiple of `period` after `from`.
Cycles next_multiple(Cycles from, u64 period) {
    u128 const multiple = (u128{from.value} / period + 1) * period;
    return multiple < Cycles::never().value ? Cycles{static_cast<u64>(multiple)} : Cycles::never();
}

bool any_value(u8 alarm) { return alarm >= 0xc0; }

}  // namespace

u8 Cmos::encode(unsigned value) const {
    return static_cast<u8>(ram[B] & 4 ? value : (value / 10 % 10) << 4 | value % 10);
}

unsigned Cmos::decode(u8 value) const { return ram[B] & 4 ? value : (value >> 4) * 10U + (value & 15); }

u8 Cmos::encode_hour(unsigned hour) const {
    if (ram[B] & 2) return encode(hour);
    unsigned const twelve = hour % 12 == 0 ? 12 : hour % 12;
    return static_cast<u8>(encode(twelve) | (hour >= 12 ? 0x80 : 0));
}

unsigned Cmos::decode_hour(u8 value) const {
    if (ram[B] & 2) return decode(value);
    return decode(value & 0x7f) % 12 + (value & 0x80 ? 12 : 0);
}

i64 Cmos::unix_time(Cycles now) const { return epoch + static_cast<i64>(now.value / cycles_per_second); }

/// Puts the running time into the registers.
void Cmos::show_time(Cycles now) {
    i64 const time = unix_time(now);
    i64 const days = floor_divide(time, day_seconds);
    unsigned const second = static_cast<unsigned>(time - days * static_cast<i64>(day_seconds));
    Date const date = date_of(days);
    ram[seconds] = encode(second % 60);
    ram[minutes] = encode(second / 60 % 60);
    ram[hours] = encode_hour(second / 3600);
    ram[weekday] = encode(static_cast<unsigned>(((days + 4) % 7 + 7) % 7 + 1));  // 1970-01-01 was a Thursday; 1 is Sunday
    ram[day] = encode(date.day);
    ram[month] = encode(date.month);
    ram[year] = encode(static_cast<unsigned>((date.year % 100 + 100) % 100));
    ram[century] = encode(static_cast<unsigned>((date.year / 100 % 100 + 100) % 100));
}

/// Starts the clock from the registers. Values out of range count as the nearest one in range, so that a date can be set field by field, the month
/// before the day.
void Cmos::take_time(Cycles now) {
    Date date{};
    date.year = decode(ram[century]) * 100 + decode(ram[year]);
    date.month = std::clamp(decode(ram[month]), 1U, 12U);
    date.day = std::clamp(decode(ram[day]), 1U, days_in_month(date));
    i64 const time = days_of(date) * static_cast<i64>(day_seconds) + std::min(decode_hour(ram[hours]), 23U) * 3600 +
                     std::min(decode(ram[minutes]), 59U) * 60 + std::min(decode(ram[seconds]), 59U);
    epoch = time - static_cast<i64>(now.value / cycles_per_second);
}

u64 Cmos::period() const {
    unsigned const rate = ram[A] & 15;
    if (rate == 0 || divider_held()) return 0;
    unsigned const shift = rate <= 2 ? rate + 7 : rate;  // rates 1 and 2 repeat 8 and 9 with the 32 kHz base
    return (cycles_per_second << (shift - 1)) / 32'768;
}

Cycles Cmos::next_alarm(Cycles from) const {
    i64 const second = unix_time(from) + 1;
    i64 const first = second - floor_divide(second, day_seconds) * static_cast<i64>(day_seconds);
    auto const matches = [](u8 alarm, unsigned wanted, unsigned have) { return any_value(alarm) || wanted == have; };
    unsigned const h = decode_hour(ram[hours_alarm]);
    unsigned const m = decode(ram[minutes_alarm]);
    unsigned const s = decode(ram[seconds_alarm]);
    for (u64 wait = 0; wait < day_seconds;) {
        unsigned const at = static_cast<unsigned>((static_cast<u64>(first) + wait) % day_seconds);
        if (!matches(ram[hours_alarm], h, at / 3600)) {
            wait += 3600 - at % 3600;
        } else if (!matches(ram[minutes_alarm], m, at / 60 % 60)) {
            wait += 60 - at % 60;
        } else if (!matches(ram[seconds_alarm], s, at % 60)) {
            ++wait;
        } else {
            u64 const whole = from.value / cycles_per_second;
            return after(Cycles{whole * cycles_per_second}, (wait + 1) * cycles_per_second);
        }
    }
    return Cycles::never();
}

/// Sets the flags of all that happened since the last look.
void Cmos::collect(Cycles now) {
    if (u64 const p = period(); p && next_multiple(checked, p) <= now) ram[C] |= PF;
    if (!stopped()) {
        if (next_multiple(checked, cycles_per_second) <= now) ram[C] |= UF;
        if (next_alarm(checked) <= now) ram[C] |= AF;
    }
    checked = std::max(checked, now);
}

void Cmos::schedule() {
    next = Cycles::never();
    u8 const waiting = static_cast<u8>(ram[B] & ~ram[C]);  // what is flagged already does not interrupt again
    if (waiting & PF)
        if (u64 const p = period()) next = std::min(next, next_multiple(checked, p));
    if (stopped()) return;
    if (waiting & UF) next = std::min(next, next_multiple(checked, cycles_per_second));
    if (waiting & AF) next = std::min(next, next_alarm(checked));
}

void Cmos::advance(Cycles now, Wires& wires) {
    collect(now);
    if (ram[B] & ram[C] & (UF | AF | PF)) {
        ram[C] |= IRQF;
        wires.line(true);
    }
    schedule();
}

u8 Cmos::read_register(u8 at, Cycles now) {
    if ((at <= year || at == century) && !stopped()) show_time(now);
    if (at == A) {
        bool const updating = !stopped() && now.value % cycles_per_second >= cycles_per_second - update_cycles;
        return static_cast<u8>((ram[A] & 0x7f) | (updating ? 0x80 : 0));
    }
    return ram[at];
}

void Cmos::write_register(u8 at, u8 value, Cycles now) {
    bool const was_stopped = stopped(), is_time = at <= year || at == century;
    if ((is_time || at == A || at == B) && !was_stopped) show_time(now);
    if (at == C || at == D) return;
    ram[at] = at == A ? value & 0x7f : value;
    if (ram[B] & 0x80) ram[B] &= static_cast<u8>(~UF);  // as the datasheet: SET clears UIE
    if (was_stopped ? !stopped() : is_time) take_time(now);
}

u32 Cmos::read(Offset at, Wires& wires) {
    if (at.value != 1) return wires.unmapped_read(at);
    if (index != C) return read_register(index, wires.now());
    collect(wires.now());
    u8 const flags = ram[C];
    ram[C] = 0;
    wires.line(false);
    schedule();
    return flags;
}

void Cmos::write(Offset at, u32 value, Wires& wires) {
    if (at.value == 0) {
        index = value & 0x7f;
        return;
    }
    if (at.value != 1) return wires.unmapped_write(at);
    collect(wires.now());
    write_register(index, static_cast<u8>(value), wires.now());
    bool const raised = ram[B] & ram[C] & (UF | AF | PF);
    ram[C] = static_cast<u8>((ram[C] & 0x7f) | (raised ? IRQF : 0));
    wires.line(raised);
    schedule();
}

Cmos Cmos::after_firmware(i64 unix_time, u64 low_bytes, u64 high_bytes) {
    Cmos cmos;
    cmos.epoch = unix_time;
    cmos.ram[A] = 0x26;
    cmos.ram[B] = 0x02;
    cmos.ram[D] = 0x80;  // the battery is good
    auto const word = [&cmos](u8 at, u64 value, u64 limit) {
        u64 const v = std::min(value, limit);
        cmos.ram[at] = static_cast<u8>(v);
        cmos.ram[at + 1U] = static_cast<u8>(v >> 8);
    };
    constexpr u64 KiB = 1024;
    constexpr u64 MiB = 1024 * KiB;
    word(0x15, 640, 0xffff);
    u64 const extended = low_bytes > MiB ? (low_bytes - MiB) / KiB : 0;
    word(0x17, extended, 0xffff);
    word(0x30, extended, 0xffff);
    word(0x34, low_bytes > 16 * MiB ? (low_bytes - 16 * MiB) / (64 * KiB) : 0, 0xffff);
    u64 const high = std::min<u64>(high_bytes / (64 * KiB), 0xff'ffff);
    word(0x5b, high & 0xffff, 0xffff);
    cmos.ram[0x5d] = static_cast<u8>(high >> 16);
    cmos.ram[0x14] = 0x02;  // equipment: a coprocessor
    return cmos;
}

}  // namespace ramet
