#include "remote/messages.h"

#include <algorithm>

namespace ramet {

namespace {

constexpr u64 refuse_bytes_max = 4096;

Error malformed(const char* what) { return Error{std::string{"the peer sent a message that is no "} + what}; }

template <class T>
Expected<T> whole(const ByteReader& from, T value, const char* what) {
    if (!from.done()) return malformed(what);
    return value;
}

void put_moment(ByteWriter& to, const Moment& at) {
    to.varint(at.position.value);
    to.varint(at.cycles.value);
}

Moment get_moment(ByteReader& from) {
    u64 const position = from.varint();
    return {Position{position}, Cycles{from.varint()}};
}

std::vector<u8> copy_of(std::span<const u8> bytes) { return {bytes.begin(), bytes.end()}; }

SessionName get_session(ByteReader& from) {
    SessionName made = {};
    std::span<const u8> const bytes = from.raw(made.size());
    std::copy(bytes.begin(), bytes.end(), made.begin());
    return made;
}

void put_frames(ByteWriter& to, std::span<const Frame> frames) {
    to.varint(frames.size());
    for (Frame const frame : frames) to.varint(frame.value);
}

/// No more than `limit`; whether they are RAM is for who knows the machine.
std::vector<Frame> get_frames(ByteReader& from, u64 limit, bool& ok) {
    std::vector<Frame> frames;
    u64 const count = from.varint();
    ok = count > 0 && count <= limit;
    for (u64 i = 0; ok && i < count && from.ok(); ++i) frames.push_back(Frame{from.varint()});
    return frames;
}

}  // namespace

std::vector<u8> Hello::bytes() const {
    ByteWriter to;
    for (char const c : {'R', 'a', 'm', 'e', 't', 'W', 'i', 'r'}) to.put(static_cast<u8>(c));
    to.put(lowest);
    to.put(highest);
    return to.finish();
}

Expected<Hello> Hello::parse(std::span<const u8> bytes) {
    ByteReader from{bytes};
    for (char const c : {'R', 'a', 'm', 'e', 't', 'W', 'i', 'r'})
        if (from.get<u8>() != static_cast<u8>(c)) return malformed("greeting of Ramet");
    Hello made;
    made.lowest = from.get<u16>();
    made.highest = from.get<u16>();
    return whole(from, made, "greeting of Ramet");
}

Expected<u16> common_version(const Hello& peer) {
    u16 const version = std::min(peer.highest, wire_version_max);
    if (version >= std::max(peer.lowest, wire_version_min)) return version;
    return Error{"the peer speaks versions " + std::to_string(peer.lowest) + " to " + std::to_string(peer.highest) + " of the protocol, this program " +
                 std::to_string(wire_version_min) + " to " + std::to_string(wire_version_max) + "; use the same release on both hosts"};
}

std::vector<u8> Refuse::bytes() const {
    ByteWriter to;
    to.text(std::string_view{text}.substr(0, refuse_bytes_max));
    return to.finish();
}

Expected<Refuse> Refuse::parse(std::span<const u8> bytes) {
    ByteReader from{bytes};
    Refuse made{from.text(refuse_bytes_max)};
    for (char& c : made.text)
        if (static_cast<u8>(c) < ' ' || c == 0x7f) c = '?';  // it will be shown on a terminal
    return whole(from, std::move(made), "refusal");
}

std::vector<u8> Propose::bytes() const {
    ByteWriter to;
    to.raw(session);
    to.put(static_cast<u8>(kind));
    to.put(epoch);
    to.text(name);
    to.put(lease_ms);
    to.put(static_cast<u8>(has_log ? 1 : 0));
    to.block(header_bytes(header));
    return to.finish();
}

Expected<Propose> Propose::parse(std::span<const u8> bytes) {
    ByteReader from{bytes};
    Propose made;
    made.session = get_session(from);
    u8 const kind = from.get<u8>();
    made.epoch = from.get<u64>();
    made.name = from.text(name_bytes_max);
    made.lease_ms = from.get<u32>();
    u8 const has_log = from.get<u8>();
    std::span<const u8> const header = from.block(LogHeader::prefix_bytes + LogHeader::bytes_max);
    if (!from.done() || kind > 1 || has_log > 1 || made.lease_ms == 0 || made.lease_ms > Propose::lease_ms_max || header.size() < LogHeader::prefix_bytes) return malformed("proposal");
    made.kind = static_cast<MoveKind>(kind);
    made.has_log = has_log == 1;
    std::span<const u8> const prefix = header.first(LogHeader::prefix_bytes), rest = header.subspan(LogHeader::prefix_bytes);
    if (TRY(parse_prefix(prefix, "the peer's machine")) != rest.size()) return malformed("proposal");
    made.header = TRY(parse_header(prefix, rest, "the peer's machine"));
    return made;
}

std::vector<u8> LogPiece::bytes() const {
    ByteWriter to;
    to.digest(log);
    to.varint(offset);
    to.block(data);
    return to.finish();
}

Expected<LogPiece> LogPiece::parse(std::span<const u8> bytes) {
    ByteReader from{bytes};
    LogPiece made;
    made.log = from.digest();
    made.offset = from.varint();
    made.data = copy_of(from.block(bytes_max));
    return whole(from, std::move(made), "piece of a log");
}

std::vector<u8> Ready::bytes() const { return {static_cast<u8>(knows_pages ? 1 : 0)}; }

Expected<Ready> Ready::parse(std::span<const u8> bytes) {
    if (bytes.size() != 1 || bytes[0] > 1) return malformed("answer to a proposal");
    return Ready{bytes[0] == 1};
}

std::vector<u8> Go::bytes() const {
    ByteWriter to;
    to.put(epoch);
    put_moment(to, at);
    to.varint(log_entries);
    to.block(log_tail);
    to.block(typed);
    to.block(state);
    return to.finish();
}

Expected<Go> Go::parse(std::span<const u8> bytes) {
    ByteReader from{bytes};
    Go made;
    made.epoch = from.get<u64>();
    made.at = get_moment(from);
    made.log_entries = from.varint();
    made.log_tail = copy_of(from.block(Inputs::bytes_max));
    made.typed = copy_of(from.block(typed_bytes_max));
    made.state = copy_of(from.block(state_bytes_max));
    return whole(from, std::move(made), "machine state");
}

std::vector<u8> Want::bytes() const {
    ByteWriter to;
    put_frames(to, frames);
    return to.finish();
}

Expected<Want> Want::parse(std::span<const u8> bytes) {
    ByteReader from{bytes};
    bool ok = false;
    Want made{get_frames(from, count_max, ok)};
    if (!ok) return malformed("list of wanted pages");
    return whole(from, std::move(made), "list of wanted pages");
}

std::vector<u8> Runs::bytes() const {
    ByteWriter to;
    to.put(sequence);
    to.put(static_cast<u8>(more ? 1 : 0));
    to.varint(runs.size());
    u64 at = 0;
    for (const RamRange& run : runs) {
        to.varint(run.first.value - at);
        to.varint(run.count);
        at = run.first.value + run.count;
    }
    return to.finish();
}

Expected<Runs> Runs::parse(std::span<const u8> bytes) {
    ByteReader from{bytes};
    Runs made;
    made.sequence = from.get<u64>();
    u8 const more = from.get<u8>();
    u64 const count = from.varint();
    if (more > 1 || count > count_max) return malformed("list of runs");
    made.more = more == 1;
    u64 at = 0;
    for (u64 i = 0; i < count && from.ok(); ++i) {
        u64 const gap = from.varint(), length = from.varint();
        if (gap > frame_count_max - at || length == 0 || length > frame_count_max - at - gap) return malformed("list of runs");
        made.runs.push_back({Frame{at + gap}, length});
        at += gap + length;
    }
    return whole(from, std::move(made), "list of runs");
}

void Pages::begin(ByteWriter& to, u64 sequence, std::span<const Frame> frames) {
    to.put(sequence);
    put_frames(to, frames);
}

Expected<Pages> Pages::parse(std::span<const u8> bytes) {
    ByteReader from{bytes};
    Pages made;
    made.sequence = from.get<u64>();
    bool ok = false;
    made.frames = get_frames(from, count_max, ok);
    made.content = from.raw(made.frames.size() * page_size);
    if (!ok) return malformed("batch of pages");
    return whole(from, std::move(made), "batch of pages");
}

std::vector<u8> Names::bytes() const {
    ByteWriter to;
    to.put(sequence);
    to.varint(names.size());
    for (const Name& name : names) {
        to.varint(name.frame.value);
        to.raw(name.sha256.bytes);
    }
    return to.finish();
}

Expected<Names> Names::parse(std::span<const u8> bytes) {
    ByteReader from{bytes};
    Names made;
    made.sequence = from.get<u64>();
    u64 const count = from.varint();
    if (count == 0 || count > count_max) return malformed("list of page names");
    for (u64 i = 0; i < count && from.ok(); ++i) {
        Name name{.frame = Frame{from.varint()}, .sha256 = {}};
        std::span<const u8> const hash = from.raw(name.sha256.bytes.size());
        std::copy(hash.begin(), hash.end(), name.sha256.bytes.begin());
        made.names.push_back(name);
    }
    return whole(from, std::move(made), "list of page names");
}

std::vector<u8> Inputs::bytes() const {
    ByteWriter to;
    put_moment(to, at);
    to.block(entries);
    return to.finish();
}

Expected<Inputs> Inputs::parse(std::span<const u8> bytes) {
    ByteReader from{bytes};
    Inputs made;
    made.at = get_moment(from);
    made.entries = copy_of(from.block(bytes_max));
    return whole(from, std::move(made), "list of inputs");
}

std::vector<u8> Resume::bytes() const {
    ByteWriter to;
    to.raw(session);
    to.put(epoch);
    return to.finish();
}

Expected<Resume> Resume::parse(std::span<const u8> bytes) {
    ByteReader from{bytes};
    Resume made;
    made.session = get_session(from);
    made.epoch = from.get<u64>();
    return whole(from, made, "request to resume");
}

std::vector<u8> number_bytes(u64 number) {
    ByteWriter to;
    to.put(number);
    return to.finish();
}

Expected<u64> parse_number(std::span<const u8> bytes) {
    ByteReader from{bytes};
    u64 const number = from.get<u64>();
    return whole(from, number, "number");
}

std::vector<u8> entries_bytes(std::span<const LogEntry> entries) {
    ByteWriter to;
    Moment before;
    for (const LogEntry& entry : entries) {
        put_entry(to, before, entry);
        before = entry.at;
    }
    return to.finish();
}

Expected<std::vector<LogEntry>> parse_entries(std::span<const u8> bytes) {
    ByteReader from{bytes};
    std::vector<LogEntry> entries;
    Moment before;
    while (from.left() != 0) {
        entries.push_back(TRY(get_entry(from, before)));
        if (entries.back().at < before) return malformed("list of log entries: one goes back in time");
        before = entries.back().at;
    }
    return entries;
}

}  // namespace ramet
