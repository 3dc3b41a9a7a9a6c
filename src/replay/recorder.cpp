#include "replay/recorder.h"

#include <algorithm>

#include "replay/paths.h"
#include "replay/snapshot.h"

namespace ramet {

namespace {

/// The first multiple of `every` after `at`; never for 0.
Position next_multiple(Position at, u64 every) {
    if (every == 0 || at.value > ~u64{0} - every) return Position{~u64{0}};
    return Position{(at.value / every + 1) * every};
}

Moment moment_of(const Machine& machine) { return {machine.position(), machine.cycles()}; }

}  // namespace

Recorder::Recorder(LogWriter writer, const LogHeader& header, const RecorderOptions& options)
    : writer_(std::move(writer)),
      header_(header),
      options_(options),
      next_digest_(next_multiple(header.origin.at.position, options.digest_every)),
      next_snapshot_(next_multiple(header.origin.at.position, options.snapshot_every)) {}

Expected<Recorder> Recorder::create(const std::string& path, const LogHeader& header, const RecorderOptions& options) {
    return Recorder{TRY(LogWriter::create(path, header)), header, options};
}

Expected<Done> Recorder::append(const LogEntry& entry) {
    ++entries_;
    TRY(writer_.append(entry));
    for (const auto& [number, tap] : taps_) tap(entry);
    return Done{};
}

std::size_t Recorder::add_tap(Tap tap) {
    std::size_t const number = taps_.empty() ? 0 : taps_.rbegin()->first + 1;
    taps_.emplace(number, std::move(tap));
    return number;
}

Expected<RunResult> Recorder::run(Machine& machine, const Until& until, Ports& ports) {
    for (;;) {
        Until piece = until;
        piece.position = std::min({until.position, next_digest_, next_snapshot_});
        RunResult const result = machine.run(piece, ports);
        TRY(look(machine));
        if (result.reason != StopReason::position || machine.position() >= until.position) return result;
    }
}

/// Writes down a digest, and a snapshot, where one is due.
Expected<Done> Recorder::look(Machine& machine) {
    Position const at = machine.position();
    if (at >= next_snapshot_) {
        std::string const path = writer_.path() + "." + std::to_string(at.value) + ".rsnap";
        TRY(save_snapshot(machine, header_, path));
        TRY(append({.kind = LogEntry::Kind::snapshot, .at = moment_of(machine), .digest = TRY(machine.whole_digest()), .path = path_beside(path, writer_.path())}));
        next_snapshot_ = next_multiple(at, options_.snapshot_every);
    }
    if (at < next_digest_) return Done{};
    next_digest_ = next_multiple(at, options_.digest_every);
    if (!digests_on_) return Done{};
    return append({.kind = LogEntry::Kind::digest, .at = moment_of(machine), .digest = TRY(machine.whole_digest())});
}

Expected<std::size_t> Recorder::apply(Machine& machine, const Input& input) {
    Input taken = input;
    if (input.kind == Input::Kind::serial) {
        taken.bytes.resize(std::min({input.bytes.size(), std::size_t{machine.input_room()}, LogEntry::input_bytes_max}));
        if (taken.bytes.empty()) return std::size_t{0};
    }
    if (taken.bytes.size() > LogEntry::input_bytes_max)
        return Error{"an input of " + std::to_string(taken.bytes.size()) + " bytes is too long for a log, which takes " + std::to_string(LogEntry::input_bytes_max) + " at once"};
    std::size_t const size = std::max<std::size_t>(taken.bytes.size(), 1);
    if (input.kind != Input::Kind::serial && machine.fork().apply(taken) != size) return std::size_t{0};  // what it refuses is no part of the run
    TRY(append(LogEntry::of(moment_of(machine), taken)));
    CHECK(machine.apply(taken) == size, "the machine takes what it has room for");
    return size;
}

Expected<Done> Recorder::finish(Machine& machine, const RunResult& result) {
    bool const of_the_run = result.reason != StopReason::lost && result.reason != StopReason::exhausted;  // elsewhere it goes on: a log without an end
    if (of_the_run) TRY(append({.kind = LogEntry::Kind::end, .at = moment_of(machine), .digest = TRY(machine.whole_digest()), .reason = result.reason, .value = result.value}));
    return writer_.flush();
}

Expected<LogHeader> Recorder::fork_header(Machine& child, const std::string& child_path) {
    TRY(writer_.flush());
    LogHeader header = fork_header_without_digest(child, child_path);
    header.origin.digest = child.digest();
    return header;
}

LogHeader Recorder::fork_header_without_digest(const Machine& child, const std::string& child_path) const {
    ByteWriter name;
    name.digest(writer_.name());
    LogHeader header = header_;
    header.origin = {LogOrigin::Kind::fork, path_beside(writer_.path(), child_path), name.finish(), entries_, moment_of(child), {}};
    return header;
}

}  // namespace ramet
