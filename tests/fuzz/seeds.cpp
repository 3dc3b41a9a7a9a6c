#include "seeds.h"

#include "../replay/machines.h"
#include "base/chars.h"
#include "cow/codec.h"
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

}  // namespace

std::vector<std::vector<u8>> seeds_of(std::string_view target) {
    if (target == "log") return {log_file()};
    if (target == "log_entries") return {log_entries()};
    if (target == "snapshot") return {snapshot_file()};
    if (target == "snapshot_root") return {snapshot_root()};
    if (target == "toml")
        return {text_bytes("kernel = \"vmlinuz\"\ninitrd = \"initramfs.cpio.gz\"\nappend = 'console=ttyS0'\nmemory = \"512M\"\ncpu = \"ramet-v2\"\n"
                           "unpack = \"host\"\nconsole = \"serial\"\nrtc = 2024-01-01T00:00:00Z\nseed = 7\n")};
    if (target == "boot") return {boot_image(0, multiboot_kernel(echo_code), 12), boot_image(1, elf32(), 0), boot_image(2, Bytes(64, 0x0f), 0)};
    return {};
}

}  // namespace ramet::fuzz
