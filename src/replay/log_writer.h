// LogWriter: appends entries to an input log without holding up the machine. Entries gather in memory; a thread of the writer's own frames, writes
// and syncs them at the latest `flush_ms` after the first of them came, and sleeps while there are none. What a crash can lose is what
// was not yet framed.
//
// An error (a full disk) is kept and returned by every later call, so that a run stops rather than goes on unrecorded.
// Threads: one thread appends. Tests: tests/replay/input_log_test.cpp.
#pragma once

#include <memory>
#include <string>

#include "replay/input_log.h"

namespace ramet {

class LogWriter {
public:
    static constexpr unsigned flush_ms = 50;  // half of the 100 ms that a crash may cost: the rest is for the disk

    /// Writes the header at once. An existing file is replaced.
    static Expected<LogWriter> create(const std::string& path, const LogHeader& header);
    ~LogWriter();
    LogWriter(LogWriter&&) noexcept;
    LogWriter& operator=(LogWriter&&) = delete;

    Expected<Done> append(const LogEntry& entry);
    /// Frames, writes and syncs what there is.
    Expected<Done> flush();
    u64 bytes_written() const;
    const Digest& name() const;
    const std::string& path() const;

private:
    struct State;
    explicit LogWriter(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// A whole log, as a recorder would have written these entries.
std::vector<u8> log_bytes(const LogHeader& header, std::span<const LogEntry> entries);
/// The same as a file that appears complete or not at all.
Expected<Done> write_log(const std::string& path, const LogHeader& header, std::span<const LogEntry> entries);

}  // namespace ramet
