#include "replay/log_writer.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace ramet {

namespace {

constexpr std::size_t full = LogFrame::bytes_max - LogEntry::input_bytes_max - 64;  // bytes of entries that leave room for one more of any size

}  // namespace

struct LogWriter::State {
    State(File log_file, Digest log_name, u64 header_size) : file(std::move(log_file)), name(log_name), check(log_name.lo), offset(header_size) {}

    std::mutex mutex;
    std::condition_variable wake;
    ByteWriter pending;
    Moment last;  // of the entries in `pending`
    bool closing = false;
    std::optional<Error> error;

    std::mutex file_mutex;  // taken before `mutex`: frames reach the file in the order they were taken
    File file;
    const Digest name;
    u64 check;
    u64 offset;

    std::thread thread;

    Expected<Done> status() const {
        if (error) return *error;
        return Done{};
    }

    Expected<Done> flush() {
        std::lock_guard const file_lock(file_mutex);
        std::vector<u8> entries;
        {
            std::lock_guard const lock(mutex);
            if (error || pending.size() == 0) return status();
            entries = pending.finish();
            last = {};
        }
        Expected<Done> result = write(entries);
        if (result) return result;
        std::lock_guard const lock(mutex);
        error = result.error();
        return result;
    }

    Expected<Done> write(std::span<const u8> entries) {
        FrameBytes const frame = make_frame(check, entries);
        TRY(file.write(offset, frame.bytes));
        check = frame.check;
        offset += frame.bytes.size();
        return file.sync();
    }

    void flush_until_closed() {
        std::unique_lock lock(mutex);
        while (!closing) {
            wake.wait(lock, [this] { return closing || pending.size() != 0; });
            wake.wait_for(lock, std::chrono::milliseconds{flush_ms}, [this] { return closing; });
            lock.unlock();
            static_cast<void>(flush());  // an error stays in `error`
            lock.lock();
        }
        lock.unlock();
        static_cast<void>(flush());  // what came during the last one
    }
};

Expected<LogWriter> LogWriter::create(const std::string& path, const LogHeader& header) {
    std::vector<u8> const bytes = header_bytes(header);
    if (bytes.size() > LogHeader::prefix_bytes + LogHeader::bytes_max)
        return Error{path + ": the configuration is too long for a log header (" + std::to_string(bytes.size()) + " bytes)"};
    File file = TRY(File::create(path));
    TRY(file.write(0, bytes));
    TRY(file.sync());
    auto state = std::make_unique<State>(std::move(file), header_digest(header), bytes.size());
    state->thread = std::thread{[raw = state.get()] { raw->flush_until_closed(); }};
    return LogWriter{std::move(state)};
}

std::vector<u8> log_bytes(const LogHeader& header, std::span<const LogEntry> entries) {
    std::vector<u8> bytes = header_bytes(header);
    u64 check = header_digest(header).lo;
    ByteWriter pending;
    auto const frame = [&] {
        if (pending.size() == 0) return;
        FrameBytes const made = make_frame(check, pending.finish());
        check = made.check;
        bytes.insert(bytes.end(), made.bytes.begin(), made.bytes.end());
    };
    Moment last;
    for (const LogEntry& entry : entries) {
        put_entry(pending, last, entry);
        last = entry.at;
        if (pending.size() < full) continue;
        frame();
        last = {};
    }
    frame();
    return bytes;
}

Expected<Done> write_log(const std::string& path, const LogHeader& header, std::span<const LogEntry> entries) {
    AtomicFile target = TRY(AtomicFile::create(path));
    TRY(target.file().write(0, log_bytes(header, entries)));
    return target.commit();
}

LogWriter::LogWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
LogWriter::LogWriter(LogWriter&&) noexcept = default;

LogWriter::~LogWriter() {
    if (state_ == nullptr) return;
    {
        std::lock_guard const lock(state_->mutex);
        state_->closing = true;
    }
    state_->wake.notify_one();
    state_->thread.join();
}

Expected<Done> LogWriter::append(const LogEntry& entry) {
    bool overflow = false;
    {
        std::lock_guard const lock(state_->mutex);
        TRY(state_->status());
        put_entry(state_->pending, state_->last, entry);
        state_->last = entry.at;
        overflow = state_->pending.size() >= full;
    }
    if (overflow) return flush();
    state_->wake.notify_one();
    return Done{};
}

Expected<Done> LogWriter::flush() { return state_->flush(); }

u64 LogWriter::bytes_written() const {
    std::lock_guard const lock(state_->file_mutex);
    return state_->offset;
}

const Digest& LogWriter::name() const { return state_->name; }
const std::string& LogWriter::path() const { return state_->file.path(); }

}  // namespace ramet
