// Input logs: any bytes are a log, a torn log, or an error; whatever is read can be shown.
#include "replay/log_text.h"
#include "targets.h"

namespace ramet::fuzz {

void log_target(std::span<const u8> bytes) {
    auto file = File::in_memory(bytes, "fuzz.rlog");
    require(static_cast<bool>(file), "a file in memory", bytes);
    auto const log = InputLog::read(*std::move(file));
    if (!log) return require(!log.error().text.empty(), "an error says what is wrong", bytes);
    LogCursor cursor{*log};
    u64 entries = 0;
    for (auto entry = cursor.peek(); entry && *entry != nullptr; entry = cursor.peek()) {
        require(!entry_json(**entry).empty() && !entry_text(**entry).empty(), "an entry can be shown", bytes);
        cursor.advance();
        ++entries;
    }
    require(entries == (*log)->entry_count(), "the log has the entries that it counted", bytes);
    header_json(**log);
}

/// The same past the checksum: bytes as the entries of a frame that is in order.
void log_entries_target(std::span<const u8> bytes) {
    if (bytes.empty() || bytes.size() > LogFrame::bytes_max) return;
    LogHeader const header;
    std::vector<u8> file = header_bytes(header);
    std::vector<u8> const frame = make_frame(header_digest(header).lo, bytes).bytes;
    file.insert(file.end(), frame.begin(), frame.end());
    log_target(file);
}

}  // namespace ramet::fuzz
