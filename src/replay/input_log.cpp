#include "replay/input_log.h"

#include <algorithm>
#include <array>

#include "cow/codec.h"

namespace ramet {

namespace {

bool all_zero(const File& file, u64 offset, u64 end) {
    std::array<u8, 4096> block;
    for (; offset < end; offset += block.size()) {
        std::span<u8> const part = std::span{block}.first(static_cast<std::size_t>(std::min<u64>(block.size(), end - offset)));
        if (!file.read(offset, part) || std::any_of(part.begin(), part.end(), [](u8 byte) { return byte != 0; })) return false;
    }
    return true;
}

}  // namespace

u32 LogFrame::header_check(u64 before, std::span<const u8> first_16) {
    DigestStream stream;
    stream.add(before);
    stream.add(first_16);
    return static_cast<u32>(stream.finish().lo);
}

LogFrame::Checks LogFrame::checks(u64 before, u32 raw, std::span<const u8> stored) {
    DigestStream stream;
    stream.add(before);
    stream.add(stored);
    std::array<u8, 16> head;
    store_le(head.data(), static_cast<u32>(stored.size()));
    store_le(head.data() + 4, raw);
    u64 const payload = stream.finish().lo;
    store_le(head.data() + 8, payload);
    return {payload, header_check(before, head)};
}

FrameBytes make_frame(u64 check_before, std::span<const u8> entries) {
    std::vector<u8> const stored = compress(entries);
    LogFrame::Checks const checks = LogFrame::checks(check_before, static_cast<u32>(entries.size()), stored);
    ByteWriter to;
    to.put(static_cast<u32>(stored.size()));
    to.put(static_cast<u32>(entries.size()));
    to.put(checks.payload);
    to.put(checks.header);
    to.raw(stored);
    return {to.finish(), checks.payload};
}

Expected<std::shared_ptr<const InputLog>> InputLog::open(const std::string& path) { return read(TRY(File::open(path))); }

Expected<std::shared_ptr<const InputLog>> InputLog::read(File file) {
    std::shared_ptr<InputLog> log{new InputLog{std::move(file)}};
    TRY(log->scan());
    return std::shared_ptr<const InputLog>{std::move(log)};
}

Expected<Done> InputLog::scan() {
    u64 const end = TRY(file_.size());
    std::vector<u8> const prefix = TRY(file_.read(0, std::min<u64>(end, LogHeader::prefix_bytes)));
    u32 const length = TRY(parse_prefix(prefix, path()));
    if (prefix.size() < LogHeader::prefix_bytes) return file_error(path(), prefix.size(), "the log ends within its header");
    std::vector<u8> const header = TRY(file_.read(LogHeader::prefix_bytes, length));
    header_ = TRY(parse_header(prefix, header, path()));
    name_ = digest_of(header);
    last_ = header_.origin.at;
    u64 offset = LogHeader::prefix_bytes + length;
    u64 check = name_.lo;
    while (offset < end && TRY(scan_frame(offset, end, check))) {}
    last_check_ = check;
    return Done{};
}

/// Checks one frame and goes on to the next. False: this one is torn.
Expected<bool> InputLog::scan_frame(u64& offset, u64 end, u64& check) {
    if (end - offset < LogFrame::header_size) return tear(offset, end);
    std::vector<u8> const head = TRY(file_.read(offset, LogFrame::header_size));
    ByteReader from{head};
    LogFrame frame{.offset = offset + LogFrame::header_size, .stored = from.get<u32>(), .raw = from.get<u32>()};
    u64 const payload_check = from.get<u64>();
    if (LogFrame::header_check(check, std::span{head}.first(16)) != from.get<u32>()) {
        if (all_zero(file_, offset, end)) return tear(offset, end);
        return file_error(path(), offset, "the frame's header does not match its checksum");
    }
    if (frame.raw == 0 || frame.raw > LogFrame::bytes_max || frame.stored > frame.raw)
        return file_error(path(), offset, "a frame with impossible lengths: " + std::to_string(frame.stored) + " stored, " + std::to_string(frame.raw) + " unpacked");
    if (frame.stored > end - frame.offset) return tear(offset, end);
    std::vector<u8> const stored = TRY(file_.read(frame.offset, frame.stored));
    if (LogFrame::checks(check, frame.raw, stored).payload != payload_check) {
        if (frame.offset + frame.stored == end || all_zero(file_, frame.offset + frame.stored, end)) return tear(offset, end);
        return file_error(path(), frame.offset, "the frame's bytes do not match their checksum");
    }
    TRY(check_entries(TRY(decode(frame, stored)), frame.offset));
    frames_.push_back(frame);
    offset = frame.offset + frame.stored;
    check = payload_check;
    return true;
}

bool InputLog::tear(u64 offset, u64 end) {
    torn_ = Torn{offset, end - offset};
    return false;
}

Expected<Done> InputLog::check_entries(const std::vector<LogEntry>& entries, u64 offset) {
    for (const LogEntry& entry : entries) {
        if (ended_) return file_error(path(), offset, "entries after the end of the run");
        if (entry.at.position < last_.position || entry.at.cycles < last_.cycles)
            return file_error(path(), offset, "an entry at " + moment_text(entry.at) + " after one at " + moment_text(last_));
        last_ = entry.at;
        ended_ = entry.kind == LogEntry::Kind::end;
    }
    entries_ += entries.size();
    return Done{};
}

Expected<std::vector<LogEntry>> InputLog::decode(const LogFrame& frame, std::span<const u8> stored) const {
    std::vector<u8> raw(frame.raw);
    if (!decompress(stored, raw)) return file_error(path(), frame.offset, "the frame does not unpack to " + std::to_string(frame.raw) + " bytes");
    std::vector<LogEntry> entries;
    ByteReader from{raw};
    Moment before;
    while (from.left() > 0) {
        auto entry = get_entry(from, before);
        if (!entry) return file_error(path(), frame.offset, entry.error().text + ", at byte " + std::to_string(from.at()) + " of the unpacked frame");
        before = entry->at;
        entries.push_back(*std::move(entry));
    }
    return entries;
}

Expected<std::vector<LogEntry>> InputLog::frame(std::size_t index) const {
    CHECK(index < frames_.size(), "a frame of this log");
    const LogFrame& frame = frames_[index];
    return decode(frame, TRY(file_.read(frame.offset, frame.stored)));
}

Expected<const LogEntry*> LogCursor::peek() {
    while (loaded_ == nullptr || entry_ == loaded_->size()) {
        if (frame_ == log_->frame_count()) return static_cast<const LogEntry*>(nullptr);
        loaded_ = std::make_shared<const std::vector<LogEntry>>(TRY(log_->frame(frame_)));
        ++frame_;
        entry_ = 0;
    }
    return &(*loaded_)[entry_];
}

}  // namespace ramet
