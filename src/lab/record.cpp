#include "lab/record.h"

namespace ramet {

namespace {

/// From power-on to the last.
std::vector<const Record*> line_of(const Record& record) {
    std::vector<const Record*> line;
    for (const Record* at = &record; at != nullptr; at = at->before.get()) line.insert(line.begin(), at);
    return line;
}

}  // namespace

std::vector<LogEntry> entries_of(const Record& record) {
    std::vector<LogEntry> entries;
    for (const Record* const part : line_of(record)) entries.insert(entries.end(), part->entries.begin(), part->entries.end());
    return entries;
}

std::string output_of(const Record& record, Channel channel) {
    std::string text;
    for (const Record* const part : line_of(record)) text += part->output[static_cast<std::size_t>(channel)];
    return text;
}

}  // namespace ramet
