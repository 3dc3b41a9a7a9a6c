#include "machine/devices/pit.h"

#include "machine/ticks.h"

namespace ramet {

namespace {

constexpr u64 no_tick = ~u64{0};
constexpr u64 refresh_ticks = 18;  // the refresh bit of port 61h toggles every 15 microseconds

u64 tick_at(Cycles now) { return ticks_at(pit_ticks, now); }

/// A binary count as four decimal digits and back; digits above 9 count as they weigh.
u32 from_bcd(u32 v) { return (v >> 12 & 15) * 1000 + (v >> 8 & 15) * 100 + (v >> 4 & 15) * 10 + (v & 15); }
u32 to_bcd(u32 v) { return (v / 1000 % 10) << 12 | (v / 100 % 10) << 8 | (v / 10 % 10) << 4 | v % 10; }

}  // namespace

void PitChannel::control(u8 word, u64 tick) {
    unsigned const bits = word >> 4 & 3;
    if (bits == 0) return latch_count(tick);
    unsigned const wanted = word >> 1 & 7;
    *this = PitChannel{.mode = static_cast<u8>(wanted > 5 ? wanted - 4 : wanted),
                       .access = static_cast<Access>(bits),
                       .bcd = (word & 1) != 0,
                       .gate = gate,
                       .loaded = false,
                       .write_high = bits == 2,
                       .read_high = bits == 2,
                       .start = tick};
}

bool PitChannel::write(u8 byte, u64 tick) {
    bool const high = write_high;
    if (access == Access::both) {
        write_high = !write_high;
        if (!high) {
            low_byte = byte;
            if (mode == 0) loaded = false;  // the first byte of a count stops a mode 0 count
            return false;
        }
    }
    u32 const value = access == Access::low ? byte : access == Access::high ? u32{byte} << 8 : u32{byte} << 8 | low_byte;
    load(static_cast<u16>(value), tick);
    return true;
}

void PitChannel::load(u16 value, u64 tick) {
    u32 const modulus = bcd ? 10'000 : 0x10000;
    u32 wanted = bcd ? from_bcd(value) % modulus : value;
    if (wanted == 0) wanted = modulus;
    bool const periodic = mode == 2 || mode == 3;
    if (periodic && wanted == 1) wanted = 2;  // illegal; what the chip does then is not defined
    settle(tick);
    if (loaded && periodic) {
        if (tick > start) start += (tick - start) / count * count;  // the period now running is the last one with the old count
        next_count = wanted;
        return;
    }
    if (loaded && (mode == 1 || mode == 5)) {  // takes effect with the next trigger
        next_count = wanted;
        return;
    }
    count = wanted;
    next_count = 0;
    start = tick + 1;  // loaded with the next clock pulse
    held = 0;
    loaded = true;
}

void PitChannel::settle(u64 tick) {
    if (next_count == 0 || (mode != 2 && mode != 3) || tick < start) return;
    u64 const periods = (tick - start) / count;
    if (periods == 0 || !gate) return;
    start += count;
    count = next_count;
    next_count = 0;
}

u64 PitChannel::elapsed(u64 tick) const {
    if (!loaded) return 0;
    if (!gate && (mode == 0 || mode == 4)) return held;
    return (tick > start ? tick - start : 0) + held;
}

bool PitChannel::output(u64 tick) const {
    u64 const e = elapsed(tick);
    switch (mode) {
    case 0: return loaded && e >= count;
    case 1: return !triggered || tick < start || e >= count;
    case 2: return !loaded || !gate || e % count != count - 1;
    case 3: return !loaded || !gate || e % count < (count + 1) / 2;
    case 4: return !loaded || e != count;
    default: return !triggered || e != count;
    }
}

u16 PitChannel::counter(u64 tick) const {
    u32 const modulus = bcd ? 10'000 : 0x10000;
    u64 const e = elapsed(tick);
    u64 value = 0;
    switch (mode) {
    case 2: value = gate ? count - e % count : count; break;
    case 3: {  // counts down by two, twice a period; an odd count loads as the even one below
        u64 const half = (count + 1) / 2;
        u64 const in_half = e % count < half ? e % count : e % count - half;
        value = (count & ~1U) - 2 * in_half;
        if (!gate) value = count & ~1U;
        break;
    }
    case 1:
    case 5: value = triggered ? modulus - (e - count) % modulus : count; break;
    default: value = modulus - (e - count) % modulus; break;  // counts on below zero
    }
    value %= modulus;
    return static_cast<u16>(bcd ? to_bcd(static_cast<u32>(value)) : value);
}

u64 PitChannel::next_rise(u64 tick) const {
    if (!loaded || !gate) return no_tick;
    u64 const end = start + count - (held < count ? held : count);
    switch (mode) {
    case 0: return end > tick ? end : no_tick;
    case 4: return end + 1 > tick ? end + 1 : no_tick;  // low for one tick, then high
    case 2:
    case 3: {
        if (tick < start) return start + count;
        u64 const periods = (tick - start) / count + 1;
        return next_count && periods > 1 ? start + count : start + periods * count;
    }
    default: return no_tick;
    }
}

void PitChannel::latch_count(u64 tick) {
    if (latched) return;
    settle(tick);
    latch = counter(tick);
    latched = true;
}

void PitChannel::latch_status(u64 tick) {
    if (status_latched) return;
    bool const null_count = !loaded || tick < start || next_count != 0;
    status = static_cast<u8>((output(tick) ? 0x80 : 0) | (null_count ? 0x40 : 0) | static_cast<u8>(access) << 4 | mode << 1 | (bcd ? 1 : 0));
    status_latched = true;
}

u8 PitChannel::read(u64 tick) {
    if (status_latched) {
        status_latched = false;
        return status;
    }
    settle(tick);
    u16 const value = latched ? latch : counter(tick);
    bool const high = read_high;
    if (access == Access::both) read_high = !read_high;
    if (access != Access::both || high) latched = false;
    return static_cast<u8>(high ? value >> 8 : value & 0xff);
}

void PitChannel::set_gate(bool level, u64 tick) {
    if (gate == level) return;
    settle(tick);
    if (!level && (mode == 0 || mode == 4)) held = elapsed(tick);
    gate = level;
    if (!level) return;
    if (mode == 0 || mode == 4) {  // goes on where it stopped
        start = tick;
        return;
    }
    if (next_count) count = next_count;
    next_count = 0;
    start = tick + 1;
    triggered = loaded;
}

u32 Pit::read(Offset at, Wires& wires) {
    u64 const tick = tick_at(wires.now());
    switch (at.value) {
    case 0:
    case 1:
    case 2: return channel[at.value].read(tick);
    case 4: {
        u32 const refresh = tick / refresh_ticks & 1;
        return port61 | refresh << 4 | (channel[2].output(tick) ? 0x20 : 0);
    }
    default: return wires.unmapped_read(at);  // the control word cannot be read
    }
}

void Pit::write(Offset at, u32 value, Wires& wires) {
    u64 const tick = tick_at(wires.now());
    u8 const byte = static_cast<u8>(value);
    switch (at.value) {
    case 0: {
        channel[0].write(byte, tick);
        if (!channel[0].output(tick)) wires.line(false);
        schedule(tick);
        return;
    }
    case 1:
    case 2: channel[at.value].write(byte, tick); return;
    case 3: control(byte, tick, wires); return;
    case 4:
        port61 = byte & 3;
        channel[2].set_gate(byte & 1, tick);
        return;
    default: wires.unmapped_write(at); return;
    }
}

void Pit::control(u8 word, u64 tick, Wires& wires) {
    unsigned const select = word >> 6;
    if (select < 3) {
        channel[select].control(word, tick);
        if (select == 0 && (word & 0x30)) {
            wires.line(channel[0].output(tick));
            schedule(tick);
        }
        return;
    }
    for (unsigned i = 0; i < 3; ++i) {  // read-back command: the latch bits are active low
        if (!(word & 2U << i)) continue;
        if (!(word & 0x20)) channel[i].latch_count(tick);
        if (!(word & 0x10)) channel[i].latch_status(tick);
    }
}

void Pit::advance(Cycles now, Wires& wires) {
    if (now < next) return;
    wires.line(false);
    wires.line(true);
    u64 const tick = tick_at(now);
    channel[0].settle(tick);
    schedule(tick);
}

void Pit::schedule(u64 tick) {
    u64 const rise = channel[0].next_rise(tick);
    next = rise == no_tick ? Cycles::never() : cycle_of_tick(pit_ticks, rise);
}

Pit Pit::after_firmware() {
    Pit pit;
    pit.channel[0].loaded = true;
    pit.channel[1].mode = 2;
    pit.channel[1].count = refresh_ticks;
    pit.channel[1].loaded = true;
    pit.channel[2].gate = false;
    pit.schedule(0);
    return pit;
}

}  // namespace ramet
