#include "replay/log_text.h"

#include "base/chars.h"
#include "base/enums.h"
#include "base/hex.h"

namespace ramet {

namespace {

/// Printable ASCII as it is; the rest as \xNN, or \u00NN for JSON, whose readers then have one character per byte.
std::string escaped(std::string_view text, const char* prefix) {
    std::string made;
    for (char const c : text) {
        u8 const byte = static_cast<u8>(c);
        if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\') {
            made += c;
        } else {
            made += prefix + hex_of(byte, 2);
        }
    }
    return made;
}

std::string quoted(std::string_view text) { return "\"" + escaped(text, "\\x") + "\""; }
std::string json_text(std::string_view text) { return "\"" + escaped(text, "\\u00") + "\""; }
std::string number(u64 value) { return std::to_string(value); }

std::string json_moment(const Moment& at) { return "\"position\":" + number(at.position.value) + ",\"cycles\":" + number(at.cycles.value); }

std::string end_text(const InputLog& log) {
    if (log.ended()) return "complete";
    if (log.torn()) return "torn at offset " + number(log.torn()->offset) + ", " + number(log.torn()->bytes) + " bytes left out";
    return "not closed";
}

}  // namespace

std::string header_text(const InputLog& log) {
    const LogHeader& header = log.header();
    const Configuration& c = header.configuration;
    std::string text = "log      " + log.name().hex() + ", " + end_text(log) + "\nmachine  " + header.identity.hex() + "\nmemory   " + number(c.memory_bytes) +
                       "\nappend   " + quoted(c.append) + "\nseed     " + number(c.seed) + "\n";
    for (const ImageRecord& image : header.images) text += "image    " + quoted(image.path) + " " + number(image.size) + " bytes, SHA-256 " + image.sha256.hex() + "\n";
    for (std::size_t i = 0; i < header.disks.size(); ++i) {
        const DiskConfiguration& disk = c.disks[i];
        text += "disk     " + number(disk.place) + " " + quoted(disk.file) + " " + number(disk.bytes) + " bytes, SHA-256 " + header.disks[i].hex() + (disk.read_only ? ", read only" : "") + "\n";
    }
    const LogOrigin& origin = header.origin;
    text += "origin   " + std::string{enum_name(origin.kind)};
    if (origin.kind != LogOrigin::Kind::boot) text += " of " + quoted(origin.path) + " at " + moment_text(origin.at) + ", digest " + origin.digest.hex();
    return text + "\n";
}

std::string entry_text(const LogEntry& entry) {
    std::string const at = number(entry.at.position.value) + " " + number(entry.at.cycles.value) + " ";
    switch (entry.kind) {
    case LogEntry::Kind::serial: return at + "serial " + quoted(text_of(entry.bytes)) + "\n";
    case LogEntry::Kind::digest: return at + "digest " + entry.digest.hex() + "\n";
    case LogEntry::Kind::snapshot: return at + "snapshot " + quoted(entry.path) + " " + entry.digest.hex() + "\n";
    case LogEntry::Kind::memory: return at + "memory " + number(entry.address.value) + " " + quoted(text_of(entry.bytes)) + "\n";
    case LogEntry::Kind::disk: return at + "disk " + number(entry.number) + " byte " + number(entry.address.value) + " " + quoted(text_of(entry.bytes)) + "\n";
    case LogEntry::Kind::disk_delay: return at + "disk_delay " + number(entry.number) + "\n";
    case LogEntry::Kind::interrupt: return at + "interrupt " + number(entry.number) + "\n";
    case LogEntry::Kind::note: return at + "note " + quoted(entry.path) + "\n";
    case LogEntry::Kind::end: return at + "end " + reason_text(entry.reason) + ", value " + number(entry.value) + ", digest " + entry.digest.hex() + "\n";
    }
    return {};
}

std::string header_json(const InputLog& log) {
    const LogHeader& header = log.header();
    const Configuration& c = header.configuration;
    std::string text = "{\"log\":\"" + log.name().hex() + "\",\"version\":" + number(LogHeader::version) + ",\"machine\":\"" + header.identity.hex() +
                       "\",\"memory\":" + number(c.memory_bytes) + ",\"append\":" + json_text(c.append) + ",\"seed\":" + number(c.seed) + ",\"images\":[";
    for (std::size_t i = 0; i < header.images.size(); ++i) {
        const ImageRecord& image = header.images[i];
        text += std::string{i == 0 ? "" : ","} + "{\"path\":" + json_text(image.path) + ",\"bytes\":" + number(image.size) + ",\"sha256\":\"" + image.sha256.hex() + "\"}";
    }
    text += "],\"disks\":[";
    for (std::size_t i = 0; i < header.disks.size(); ++i) {
        const DiskConfiguration& disk = c.disks[i];
        text += std::string{i == 0 ? "" : ","} + "{\"place\":" + number(disk.place) + ",\"path\":" + json_text(disk.file) + ",\"bytes\":" + number(disk.bytes) +
                ",\"read_only\":" + (disk.read_only ? "true" : "false") + ",\"sha256\":\"" + header.disks[i].hex() + "\"}";
    }
    const LogOrigin& origin = header.origin;
    text += "],\"origin\":{\"kind\":\"" + std::string{enum_name(origin.kind)} + "\"";
    if (origin.kind != LogOrigin::Kind::boot)
        text += ",\"file\":" + json_text(origin.path) + "," + json_moment(origin.at) + ",\"entries\":" + number(origin.entries) + ",\"digest\":\"" +
                origin.digest.hex() + "\"";
    return text + "},\"end\":" + json_text(end_text(log)) + "}\n";
}

std::string entry_json(const LogEntry& entry) {
    std::string const text = "{\"kind\":\"" + std::string{enum_name(entry.kind)} + "\"," + json_moment(entry.at);
    switch (entry.kind) {
    case LogEntry::Kind::serial: return text + ",\"bytes\":" + json_text(text_of(entry.bytes)) + "}\n";
    case LogEntry::Kind::digest: return text + ",\"digest\":\"" + entry.digest.hex() + "\"}\n";
    case LogEntry::Kind::snapshot: return text + ",\"file\":" + json_text(entry.path) + ",\"digest\":\"" + entry.digest.hex() + "\"}\n";
    case LogEntry::Kind::memory: return text + ",\"address\":" + number(entry.address.value) + ",\"bytes\":" + json_text(text_of(entry.bytes)) + "}\n";
    case LogEntry::Kind::disk:
        return text + ",\"place\":" + number(entry.number) + ",\"byte\":" + number(entry.address.value) + ",\"bytes\":" + json_text(text_of(entry.bytes)) + "}\n";
    case LogEntry::Kind::disk_delay: return text + ",\"cycles\":" + number(entry.number) + "}\n";
    case LogEntry::Kind::interrupt: return text + ",\"line\":" + number(entry.number) + "}\n";
    case LogEntry::Kind::note: return text + ",\"text\":" + json_text(entry.path) + "}\n";
    case LogEntry::Kind::end:
        return text + ",\"reason\":" + json_text(reason_text(entry.reason)) + ",\"value\":" + number(entry.value) + ",\"digest\":\"" + entry.digest.hex() + "\"}\n";
    }
    return {};
}

}  // namespace ramet
