#include "seeds.h"

#include "../replay/machines.h"
#include "accesses.h"
#include "base/chars.h"
#include "base/state.h"
#include "cow/codec.h"
#include "remote/messages.h"
#include "replay/image_hashes.h"
#include "replay/snapshot.h"

namespace ramet::fuzz {

namespace {

using Seeds = std::vector<Bytes>;

/// A recorded run of a machine that gets a few inputs.
Bytes log_file() {
    Directory const directory;
    record(echo_subject(directory), directory / "run.rlog", 1, 5000, 3, {.digest_every = 1000, .snapshot_every = 0});
    return file_bytes(directory / "run.rlog");
}

Bytes log_entries() {
    ByteWriter to;
    Moment before;
    auto const put = [&](const LogEntry& entry) {
        put_entry(to, before, entry);
        before = entry.at;
    };
    put({.kind = LogEntry::Kind::serial, .at = {Position{100}, Cycles{120}}, .bytes = {'l', 's', '\r'}});
    put({.kind = LogEntry::Kind::disk, .at = {Position{200}, Cycles{220}}, .bytes = {1, 2}, .address = GuestPhys{511}, .number = 1});
    put({.kind = LogEntry::Kind::disk_delay, .at = {Position{200}, Cycles{220}}, .number = 5000});
    put({.kind = LogEntry::Kind::interrupt, .at = {Position{200}, Cycles{220}}, .number = 14});
    put({.kind = LogEntry::Kind::digest, .at = {Position{1000}, Cycles{1200}}, .digest = digest_of(Bytes{1})});
    put({.kind = LogEntry::Kind::snapshot, .at = {Position{1000}, Cycles{1200}}, .digest = digest_of(Bytes{1}), .path = "run.rsnap"});
    put({.kind = LogEntry::Kind::end, .at = {Position{2000}, Cycles{2400}}, .digest = digest_of(Bytes{2}), .reason = StopReason::exit, .value = 3});
    return to.finish();
}

Bytes snapshot_file() {
    Directory const directory;
    Subject const subject = echo_subject(directory);
    Machine machine = subject.machine();
    NullPorts ports;
    machine.run({.position = Position{1000}}, ports);
    must(save_snapshot(machine, subject.header(), directory / "machine.rsnap"));
    return file_bytes(directory / "machine.rsnap");
}

/// The root out of a whole file, as tests/replay/roots.h puts one in.
Bytes snapshot_root() {
    Bytes const file = snapshot_file();
    u64 const offset = load_le<u64>(&file[16]);
    u32 const stored = load_le<u32>(&file[32]), unpacked = load_le<u32>(&file[36]);
    Bytes root(unpacked);
    if (!decompress(std::span{file}.subspan(offset, stored), root)) ADD_FAILURE() << "the root of a snapshot does not unpack";
    return root;
}

/// A message as messages_target takes it: kind and content.
Bytes message(MessageKind kind, const Bytes& content) {
    ByteWriter to;
    to.put(static_cast<u8>(kind));
    to.raw(content);
    return to.finish();
}

/// A child that asks for pages and confirms what came, as server_target takes it.
Bytes conversation() {
    ByteWriter to;
    to.put(u8{2});
    auto const say = [&](MessageKind kind, const Bytes& content) {
        to.put(static_cast<u8>(kind));
        to.block(content);  // a length below 128 is one byte
    };
    say(MessageKind::want, Want{{Frame{2}, Frame{33}}}.bytes());
    for (u64 sequence = 1; sequence < 6; ++sequence) say(MessageKind::got, number_bytes(sequence));
    return to.finish();
}

Bytes machine_state() {
    Directory const directory;
    Machine machine = echo_subject(directory).machine();
    NullPorts ports;
    machine.run({.position = Position{1000}}, ports);
    return state_bytes(machine.state());
}

Bytes text_bytes(std::string_view text) {
    auto const bytes = bytes_of(text);
    return {bytes.begin(), bytes.end()};
}

/// The first byte says which format's beginning boot_target puts before the rest.
Bytes boot_image(u8 format, const Bytes& image, std::size_t from) {
    Bytes bytes(1 + image.size() - from);
    bytes[0] = format;
    std::copy(image.begin() + static_cast<std::ptrdiff_t>(from), image.end(), bytes.begin() + 1);
    return bytes;
}

/// An ELF of one segment, from the 16th byte on.
Bytes elf32() {
    ByteWriter to;
    for (u32 const half : {2u, 3u}) to.put(static_cast<u16>(half));                  // executable, 386
    for (u32 const word : {1u, 0x100000u, 52u, 0u, 0u}) to.put(word);                // version, entry, program headers, no sections, flags
    for (u32 const half : {52u, 32u, 1u, 0u, 0u, 0u}) to.put(static_cast<u16>(half));
    for (u32 const word : {1u, 0u, 0x100000u, 0x100000u, 256u, 512u, 7u, 4096u}) to.put(word);
    return to.finish();
}

/// One input for each mode of code.cpp, with an expand-down, a far-off and a short data segment, and code that loads segments and flags, transfers far, repeats
/// strings and computes.
Seeds code_inputs() {
    constexpr u8 modes = 6;
    const Bytes choices = {0x83, 0x09, 0x40, 0x00, 0x00, 0x01,                                                                          // level to entry
                           0xff, 0x10, 0, 0, 0, 0xf7, 0x40, 0,  0xff, 0xff, 0, 0x20, 0, 0xf3, 0, 0,  0x40, 0, 0, 0xe0, 0, 0xf3, 0x40, 0,  // descriptors
                           1, 2, 4, 0, 7, 0x20, 0x40, 0x80};                                                                            // page-table entries
    const Bytes code = {0x9c, 0x9d, 0xb8, 0x3b, 0x00, 0x00, 0x00, 0x8e, 0xd8, 0xcc, 0xf3, 0xa4, 0xf2, 0xae, 0x6a, 0x08, 0xcb, 0xcf, 0xc8, 8, 0, 1, 0xc9,
                        0x0f, 0x20, 0xc0, 0x0f, 0x22, 0xc0, 0x0f, 0x01, 0x13, 0x9a, 0, 0x10, 0, 0, 8, 0, 0xea, 0, 0x10, 0, 0, 0x1b, 0, 0x0f, 0x05, 0xcd, 0x03,
                        0xd9, 0xeb, 0xdc, 0x06, 0x0f, 0x58, 0xc1, 0xf0, 0x0f, 0xb1, 0x0e, 0x0f, 0x30, 0xff, 0x36, 0x8f, 0x06};
    Seeds seeds;
    for (u8 mode = 0; mode < modes; ++mode) {
        ByteWriter to;
        to.put(mode);
        to.raw(choices);
        to.raw(code);
        seeds.push_back(to.finish());
    }
    return seeds;
}

/// As image_hashes_target takes it: it adds the digest.
Bytes image_hashes() {
    Bytes bytes = image_hash_bytes(std::array{ImageHash{{1, 2, 3, 4, 5}, sha256_of({})}, ImageHash{{1, 7, u64{1} << 40, -1, 9}, sha256_of(Bytes{1})}});
    bytes.resize(bytes.size() - sizeof(Digest));
    return bytes;
}

/// A driver of the disks, as device_ports takes it (accesses.h).
class Driver {
public:
    static constexpr u32 command_cycles = 3'000'000;  // for a reset, too

    Driver& out(u16 port, u32 value, u8 size_log = 0) { return access(Access::write, size_log, place_of(port)).word(value); }
    Driver& in(u16 port) { return access(Access::read, 0, place_of(port)); }
    Driver& wait() { return access(Access::wait, 0, 0).word(command_cycles); }
    Driver& select(u32 drive, u32 sector, u32 count) {
        return out(0x1f2, count).out(0x1f3, sector).out(0x1f4, sector >> 8).out(0x1f5, sector >> 16).out(0x1f6, 0xe0 | drive << 4);
    }
    Driver& command(u32 opcode) { return out(0x1f7, opcode); }
    Driver& data_in() { return access(Access::data_in, 2, 0).byte(sector_words - 1); }
    Driver& data_out(u32 value) { return access(Access::data_out, 2, 0).byte(sector_words - 1).word(value); }
    Driver& end() { return wait().in(0x1f7).access(Access::acknowledge, 0, 0); }
    Driver& region(u8 index, u32 address, u32 bytes) {
        return access(Access::poke, 0, static_cast<u8>(2 * index)).word(address).access(Access::poke, 0, static_cast<u8>(2 * index + 1)).word(bytes);
    }
    Driver& transfer(u32 opcode, u32 direction) {
        return out(bus_master + 4, tables, 2).out(bus_master, direction).command(opcode).out(bus_master, direction | 1).end().in(bus_master + 2).out(bus_master + 2, 6).out(bus_master, 0);
    }
    Bytes bytes() { return to_.finish(); }

private:
    static constexpr u8 sector_words = 128;

    static u8 place_of(u16 port) {
        for (unsigned place = 0; place < 256; ++place)
            if (port_at(static_cast<u8>(place)) == port) return static_cast<u8>(place);
        ADD_FAILURE() << "no place leads to port " << port;
        return 0;
    }
    Driver& access(Access what, u8 size_log, u8 place) { return byte(static_cast<u8>(what)).byte(size_log).byte(place); }
    Driver& byte(u8 value) {
        to_.put(value);
        return *this;
    }
    Driver& word(u32 value) {
        to_.put(value);
        return *this;
    }

    ByteWriter to_;
};

/// What drivers do, and what they should not.
Seeds disk_commands() {
    constexpr u32 last = 0x80000000, to_memory = 8;
    auto const driver = [] { return Driver{}; };
    Seeds seeds;
    seeds.push_back(driver().select(0, 0, 1).command(0xec).end().data_in().select(1, 0, 1).command(0xec).end().data_in().bytes());
    seeds.push_back(driver().select(0, 3, 2).command(0x20).end().data_in().end().data_in().select(1, 7, 1).command(0x24).end().data_in().bytes());
    seeds.push_back(driver().select(0, 5, 2).command(0x30).data_out(7).end().data_out(9).end().select(1, 0, 1).command(0x30).end().command(0xe7).end().bytes());
    seeds.push_back(driver().select(0, 0, 4).command(0xc6).end().select(0, 60, 3).command(0xc4).end().data_in().data_in().data_in().select(0, 0, 1).command(0xc5).data_out(1).end().bytes());
    seeds.push_back(driver().region(0, 0x4000, 700).region(1, 0x6000, last | 324).select(0, 1, 2).transfer(0xc8, to_memory).select(0, 8, 2).transfer(0xca, 0).bytes());
    seeds.push_back(driver().region(0, 0x4000, last | 512).select(0, 0, 3).transfer(0xc8, to_memory).out(bus_master, to_memory | 1).end().region(0, 0xfff00000, last).select(1, 0, 1).transfer(0x25, to_memory).bytes());
    seeds.push_back(driver().select(0, 0, 2).command(0x30).select(1, 6, 1).data_out(1).end().out(0x3f6, 4).out(0x3f6, 0).end().command(0x90).end().command(0x91).end().bytes());
    return seeds;
}

}  // namespace

std::vector<std::vector<u8>> seeds_of(std::string_view target) {
    if (target == "code") return code_inputs();
    if (target == "log") return {log_file()};
    if (target == "log_entries") return {log_entries()};
    if (target == "snapshot") return {snapshot_file()};
    if (target == "snapshot_root") return {snapshot_root()};
    if (target == "messages") return {message(MessageKind::zeros, Runs{.sequence = 1, .more = false, .runs = {{Frame{2}, 3}, {Frame{40}, 1}}}.bytes()), message(MessageKind::names, Names{.sequence = 2, .names = {{Frame{3}, {}}}}.bytes())};
    if (target == "server") return {conversation()};
    if (target == "state") return {machine_state()};
    if (target == "device_ports") return disk_commands();
    if (target == "image_hashes") return {image_hashes()};
    if (target == "toml")
        return {text_bytes("kernel = \"vmlinuz\"\ninitrd = \"initramfs.cpio.gz\"\nappend = 'console=ttyS0'\nmemory = \"512M\"\ncpu = \"ramet-v2\"\n"
                           "unpack = \"host\"\nconsole = \"serial\"\nrtc = 2024-01-01T00:00:00Z\nseed = 7\n")};
    if (target == "boot") return {boot_image(0, multiboot_kernel(echo_code), 12), boot_image(1, elf32(), 0), boot_image(2, Bytes(64, 0x0f), 0)};
    return {};
}

}  // namespace ramet::fuzz
