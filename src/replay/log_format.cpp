#include "replay/log_format.h"

#include <algorithm>
#include <array>

#include "base/state.h"
#include "replay/file.h"

namespace ramet {

namespace {

constexpr std::array<u8, 8> magic = {'R', 'a', 'm', 'e', 't', 'L', 'o', 'g'};
constexpr u64 path_bytes_max = 4096;
constexpr u64 append_bytes_max = 64 << 10;
constexpr u64 image_count_max = 1024;
constexpr u64 name_bytes_max = 32;

void put_machine(ByteWriter& to, const LogHeader& header) {
    const Configuration& c = header.configuration;
    to.digest(header.identity);
    to.digest(header.schema);
    to.put(static_cast<u8>(c.cpu));
    to.varint(c.memory_bytes);
    to.text(c.kernel);
    to.text(c.initrd);
    to.text(c.append);
    to.put(static_cast<u8>(c.unpack));
    to.put(static_cast<u8>(c.boot));
    to.put(c.rtc);
    to.put(c.seed);
}

bool get_machine(ByteReader& from, LogHeader& header) {
    Configuration& c = header.configuration;
    header.identity = from.digest();
    header.schema = from.digest();
    u8 const cpu = from.get<u8>();
    c.memory_bytes = from.varint();
    c.kernel = from.text(path_bytes_max);
    c.initrd = from.text(path_bytes_max);
    c.append = from.text(append_bytes_max);
    u8 const unpack = from.get<u8>();
    u8 const boot = from.get<u8>();
    c.rtc = from.get<i64>();
    c.seed = from.get<u64>();
    c.cpu = static_cast<CpuModel>(cpu);
    c.unpack = static_cast<Unpack>(unpack);
    c.boot = static_cast<Boot>(boot);
    return from.ok() && !enum_name(c.cpu).empty() && !enum_name(c.unpack).empty() && !enum_name(c.boot).empty();
}

void put_images(ByteWriter& to, const std::vector<ImageRecord>& images) {
    to.varint(images.size());
    for (const ImageRecord& image : images) {
        to.text(image.path);
        to.text(image.arguments);
        to.varint(image.size);
        to.raw(image.sha256.bytes);
    }
}

bool get_images(ByteReader& from, std::vector<ImageRecord>& images) {
    u64 const count = from.varint();
    if (count > image_count_max) return false;
    for (u64 i = 0; i < count && from.ok(); ++i) {
        ImageRecord image;
        image.path = from.text(path_bytes_max);
        image.arguments = from.text(append_bytes_max);
        image.size = from.varint();
        std::span<const u8> const sha = from.raw(image.sha256.bytes.size());
        std::copy(sha.begin(), sha.end(), image.sha256.bytes.begin());
        images.push_back(std::move(image));
    }
    return from.ok();
}

void put_disks(ByteWriter& to, const LogHeader& header) {
    to.varint(header.disks.size());
    for (std::size_t i = 0; i < header.disks.size(); ++i) {
        const DiskConfiguration& disk = header.configuration.disks[i];
        to.text(disk.file);
        to.put(static_cast<u8>(disk.place));
        to.put(static_cast<u8>(disk.read_only ? 1 : 0));
        to.varint(disk.bytes);
        to.raw(header.disks[i].bytes);
    }
}

bool get_disks(ByteReader& from, LogHeader& header) {
    u64 const count = from.varint();
    if (count > Disk::count_max) return false;
    for (u64 i = 0; i < count && from.ok(); ++i) {
        DiskConfiguration disk;
        disk.file = from.text(path_bytes_max);
        disk.place = from.get<u8>();
        u8 const read_only = from.get<u8>();
        disk.read_only = read_only == 1;
        disk.bytes = from.varint();
        std::span<const u8> const sha = from.raw(sizeof(Sha256::bytes));
        std::copy(sha.begin(), sha.end(), header.disks.emplace_back().bytes.begin());
        if (read_only > 1 || disk.bytes == 0) return false;
        header.configuration.disks.push_back(std::move(disk));
    }
    return from.ok() && static_cast<bool>(check_disks(header.configuration.disks, "disk"));
}

void put_origin(ByteWriter& to, const LogOrigin& origin) {
    to.put(static_cast<u8>(origin.kind));
    to.text(origin.path);
    to.block(origin.name);
    to.varint(origin.entries);
    to.varint(origin.at.position.value);
    to.varint(origin.at.cycles.value);
    to.digest(origin.digest);
}

bool get_origin(ByteReader& from, LogOrigin& origin) {
    origin.kind = static_cast<LogOrigin::Kind>(from.get<u8>());
    origin.path = from.text(path_bytes_max);
    std::span<const u8> const name = from.block(name_bytes_max);
    origin.name.assign(name.begin(), name.end());
    origin.entries = from.varint();
    origin.at.position = Position{from.varint()};
    origin.at.cycles = Cycles{from.varint()};
    origin.digest = from.digest();
    switch (origin.kind) {
    case LogOrigin::Kind::boot: return from.ok() && name.empty() && origin.path.empty() && origin.entries == 0;
    case LogOrigin::Kind::fork: return from.ok() && name.size() == 16 && !origin.path.empty();
    case LogOrigin::Kind::snapshot: return from.ok() && name.size() == 32 && !origin.path.empty() && origin.entries == 0;
    }
    return false;
}

std::vector<u8> payload_bytes(const LogHeader& header) {
    ByteWriter to;
    put_machine(to, header);
    put_images(to, header.images);
    put_disks(to, header);
    put_origin(to, header.origin);
    return to.finish();
}

bool get_body(ByteReader& from, LogEntry& entry) {
    switch (entry.kind) {
    case LogEntry::Kind::serial: {
        std::span<const u8> const bytes = from.block(LogEntry::input_bytes_max);
        entry.bytes.assign(bytes.begin(), bytes.end());
        return from.ok() && !bytes.empty();
    }
    case LogEntry::Kind::digest: entry.digest = from.digest(); return from.ok();
    case LogEntry::Kind::end:
        entry.reason = static_cast<StopReason>(from.get<u8>());
        entry.value = from.get<u32>();
        entry.digest = from.digest();
        return from.ok() && !enum_name(entry.reason).empty();
    case LogEntry::Kind::snapshot:
        entry.path = from.text(path_bytes_max);
        entry.digest = from.digest();
        return from.ok() && !entry.path.empty();
    case LogEntry::Kind::memory: {
        entry.address = GuestPhys{from.varint()};
        std::span<const u8> const bytes = from.block(LogEntry::input_bytes_max);
        entry.bytes.assign(bytes.begin(), bytes.end());
        return from.ok() && !bytes.empty() && entry.address.value <= Configuration::memory_bytes_max * 2;
    }
    case LogEntry::Kind::note: entry.path = from.text(LogEntry::input_bytes_max); return from.ok();
    case LogEntry::Kind::disk: {
        entry.number = from.varint();
        entry.address = GuestPhys{from.varint()};
        std::span<const u8> const bytes = from.block(LogEntry::input_bytes_max);
        entry.bytes.assign(bytes.begin(), bytes.end());
        return from.ok() && !bytes.empty() && entry.number < Disk::count_max && entry.address.value < DiskImage::bytes_max;
    }
    case LogEntry::Kind::disk_delay: entry.number = from.varint(); return from.ok();
    case LogEntry::Kind::interrupt: entry.number = from.varint(); return from.ok() && entry.number < 16;
    }
    return false;
}

struct InputKind {
    LogEntry::Kind entry;
    Input::Kind input;
};
constexpr InputKind input_kinds[] = {
    {LogEntry::Kind::serial, Input::Kind::serial},         {LogEntry::Kind::memory, Input::Kind::memory},       {LogEntry::Kind::disk, Input::Kind::disk},
    {LogEntry::Kind::disk_delay, Input::Kind::disk_delay}, {LogEntry::Kind::interrupt, Input::Kind::interrupt},
};

}  // namespace

std::string moment_text(const Moment& moment) {
    return "position " + std::to_string(moment.position.value) + ", cycle " + std::to_string(moment.cycles.value);
}

LogEntry LogEntry::of(const Moment& at, const Input& input) {
    auto const row = std::ranges::find(input_kinds, input.kind, &InputKind::input);
    return {.kind = row->entry, .at = at, .bytes = input.bytes, .address = input.at, .number = input.value};
}

bool LogEntry::is_input() const { return std::ranges::find(input_kinds, kind, &InputKind::entry) != std::end(input_kinds); }

Input LogEntry::input() const {
    auto const row = std::ranges::find(input_kinds, kind, &InputKind::entry);
    CHECK(row != std::end(input_kinds), "an entry that is an input");
    return {.kind = row->input, .bytes = bytes, .at = address, .value = number};
}

std::vector<u8> header_bytes(const LogHeader& header) {
    std::vector<u8> const payload = payload_bytes(header);
    ByteWriter to;
    to.raw(magic);
    to.put(LogHeader::version);
    to.put(static_cast<u32>(payload.size()));
    to.digest(digest_of(payload));
    to.raw(payload);
    return to.finish();
}

Digest header_digest(const LogHeader& header) { return digest_of(payload_bytes(header)); }

Expected<u32> parse_prefix(std::span<const u8> prefix, const std::string& path) {
    ByteReader from{prefix};
    std::span<const u8> const found = from.raw(magic.size());
    if (!std::equal(found.begin(), found.end(), magic.begin(), magic.end())) return file_error(path, 0, "this is no Ramet input log");
    u32 const version = from.get<u32>();
    u32 const length = from.get<u32>();
    if (!from.ok()) return file_error(path, from.at(), "the log ends within its header");
    if (version != LogHeader::version)
        return file_error(path, 8, "log version " + std::to_string(version) + "; this program reads version " + std::to_string(LogHeader::version));
    if (length > LogHeader::bytes_max)
        return file_error(path, 12, "a header of " + std::to_string(length) + " bytes; at most " + std::to_string(LogHeader::bytes_max) + " are possible");
    return length;
}

Expected<LogHeader> parse_header(std::span<const u8> prefix, std::span<const u8> header, const std::string& path) {
    ByteReader digest{prefix.subspan(16)};
    if (digest.digest() != digest_of(header)) return file_error(path, 16, "the header's checksum does not match its bytes");
    LogHeader made;
    ByteReader from{header};
    bool const good = get_machine(from, made) && get_images(from, made.images) && get_disks(from, made) && get_origin(from, made.origin) && from.done();
    if (!good) return file_error(path, LogHeader::prefix_bytes + from.at(), "the header is not one that a recorder writes");
    return made;
}

const Digest& state_schema_digest() {
    static const Digest digest = [] {
        std::string const text = state_schema<MachineState>();
        std::vector<u8> const bytes{text.begin(), text.end()};
        return digest_of(bytes);
    }();
    return digest;
}

ImageRecord image_record(const Image& image) { return {image.name, image.arguments, image.bytes.size(), sha256_of(image.bytes)}; }

LogHeader header_of(const Configuration& configuration, const Images& images, const Machine& machine) {
    LogHeader header{.identity = machine.identity(), .schema = state_schema_digest(), .configuration = configuration, .images = {}, .disks = {}, .origin = {}};
    for (std::size_t i = 0; i < images.disks.size(); ++i) {
        header.configuration.disks[i].bytes = images.disks[i]->byte_count();
        header.disks.push_back(images.disks[i]->sha256());
    }
    header.images.push_back(image_record(images.kernel));
    for (const Image& module : images.modules) header.images.push_back(image_record(module));
    return header;
}

void put_entry(ByteWriter& to, const Moment& before, const LogEntry& entry) {
    to.put(static_cast<u8>(entry.kind));
    to.varint(entry.at.position - before.position);
    to.varint(entry.at.cycles - before.cycles);
    switch (entry.kind) {
    case LogEntry::Kind::serial: return to.block(entry.bytes);
    case LogEntry::Kind::digest: return to.digest(entry.digest);
    case LogEntry::Kind::end:
        to.put(static_cast<u8>(entry.reason));
        to.put(entry.value);
        return to.digest(entry.digest);
    case LogEntry::Kind::snapshot: to.text(entry.path); return to.digest(entry.digest);
    case LogEntry::Kind::memory: to.varint(entry.address.value); return to.block(entry.bytes);
    case LogEntry::Kind::note: return to.text(entry.path);
    case LogEntry::Kind::disk:
        to.varint(entry.number);
        to.varint(entry.address.value);
        return to.block(entry.bytes);
    case LogEntry::Kind::disk_delay:
    case LogEntry::Kind::interrupt: return to.varint(entry.number);
    }
}

Expected<LogEntry> get_entry(ByteReader& from, const Moment& before) {
    LogEntry entry;
    entry.kind = static_cast<LogEntry::Kind>(from.get<u8>());
    u64 const positions = from.varint();
    u64 const cycles = from.varint();
    if (!from.ok()) return Error{"an entry is cut short"};
    if (positions > ~u64{0} - before.position.value || cycles > ~u64{0} - before.cycles.value) return Error{"an entry beyond the end of time"};
    entry.at = {before.position + positions, Cycles{before.cycles + cycles}};
    if (!get_body(from, entry)) return Error{"an entry of kind " + std::to_string(static_cast<unsigned>(entry.kind)) + " that no recorder writes"};
    return entry;
}

}  // namespace ramet
