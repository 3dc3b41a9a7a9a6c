#include "seeds.h"

#include "../replay/machines.h"
#include "base/chars.h"
#include "base/state.h"
#include "cow/codec.h"
#include "remote/messages.h"
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
    if (target == "toml")
        return {text_bytes("kernel = \"vmlinuz\"\ninitrd = \"initramfs.cpio.gz\"\nappend = 'console=ttyS0'\nmemory = \"512M\"\ncpu = \"ramet-v2\"\n"
                           "unpack = \"host\"\nconsole = \"serial\"\nrtc = 2024-01-01T00:00:00Z\nseed = 7\n")};
    if (target == "boot") return {boot_image(0, multiboot_kernel(echo_code), 12), boot_image(1, elf32(), 0), boot_image(2, Bytes(64, 0x0f), 0)};
    return {};
}

}  // namespace ramet::fuzz
