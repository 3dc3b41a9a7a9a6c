// Session: a machine with somebody at its console, as a value that forks: types, waits for texts, looks at registers and memory. Everything that enters is
// written into its record, so that whatever was found can be replayed.
//
// A child is forked, type("ls /\n") types, run_until(serial("# "), seconds(5)) waits, read<u32>("event_count") looks.
//
// A text is waited for in what came out and was not waited for yet: after a match, `unread()` begins behind it. Since the machine stops at the very byte
// that completes a text, nothing runs ahead of a script.
// Threads: as Machine. Cost: fork() is a fork of the machine and two small allocations. Tests: tests/lab/session_test.cpp.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "lab/condition.h"
#include "lab/record.h"
#include "machine/machine.h"
#include "replay/symbols.h"

namespace ramet {

/// How a run went.
struct Outcome {
    enum class Kind : u8 {
        met,        ///< the condition
        exhausted,  ///< the budget ended first
        ended,      ///< the guest ended, or will never go on
    };
    Kind kind = Kind::exhausted;
    std::size_t which = 0;  ///< of several conditions, the one that was met
    RunResult result = {};
    Position position = {};

    explicit operator bool() const { return kind == Kind::met; }
};

/// "the budget ended first at position 12", for messages.
std::string outcome_text(const Outcome& outcome);

/// Where the record of the session that was last worked with is found when the session itself is gone: a property fails by an exception.
struct Witness {
    std::shared_ptr<const Record> last;
};

bool is_register(std::string_view name);

class Session {
public:
    static constexpr Budget default_budget = seconds(60);

    /// `header` gives configuration and images; `record` what happened so far.
    Session(Machine machine, std::shared_ptr<const LogHeader> header, std::shared_ptr<const Record> record = nullptr);

    /// A second one with the same past.
    Session fork();

    /// Enters at the machine's present Position; what the serial port has no room for follows while the machine runs.
    void type(std::string_view text);
    Outcome run_until(const Condition& condition, const Budget& budget = default_budget);
    Outcome run(const Budget& budget) { return run_until(never(), budget); }

    /// For several that watch one machine: a condition, and how far the watcher has read the channel.
    struct Watch {
        Condition condition = {};
        std::size_t read = 0;
    };
    /// The first watch that is met; of several at once, the first in the list. Its `read` moves behind the text.
    Outcome run_until(std::span<Watch> watches, const Until& until);
    /// All that came out since the fork, with what the parent had not read then.
    std::string_view output(Channel channel) const { return record_->output[index(channel)]; }
    std::string_view unread(Channel channel = Channel::serial) const { return output(channel).substr(read_[index(channel)]); }
    /// How far the session has read a channel: where unread() begins in output().
    std::size_t read_so_far(Channel channel) const { return read_[index(channel)]; }
    void set_read(Channel channel, std::size_t read) { read_[index(channel)] = std::min(read, output(channel).size()); }

    /// Addresses are linear, as the guest's kernel uses them now; a symbol's is its value. Absent pages and unknown names are errors.
    Expected<Done> read(GuestVirt from, std::span<u8> to);
    Expected<Done> write(GuestVirt to, std::span<const u8> bytes);
    Expected<GuestVirt> address(const std::string& symbol) const;
    template <std::unsigned_integral T>
    Expected<T> read(GuestVirt from);
    template <std::unsigned_integral T>
    Expected<T> read(const std::string& symbol) { return read<T>(TRY(address(symbol))); }
    template <std::unsigned_integral T>
    Expected<Done> write(GuestVirt to, T value);
    template <std::unsigned_integral T>
    Expected<Done> write(const std::string& symbol, T value) { return write<T>(TRY(address(symbol)), value); }
    /// Bytes of the disk in a place, as the guest's writes have left it; any range on it.
    Expected<Done> read_disk(std::size_t place, u64 from, std::span<u8> to);
    /// Past the drive, as if the disk had always been so; what the guest has read already, it does not read again.
    Expected<Done> write_disk(std::size_t place, u64 to, std::span<const u8> bytes);
    /// From now on, and for the command under way, a disk takes this long before it moves the first sector.
    Expected<Done> delay_disk(u64 cycles);
    /// The disk completes nothing until delay_disk() says otherwise: so a completion comes at any Position that one likes.
    Expected<Done> hold_disk() { return delay_disk(~u64{0}); }
    /// A pulse on an ISA interrupt line, now.
    Expected<Done> interrupt(unsigned line);

    void set_symbols(std::shared_ptr<const Symbols> symbols) { symbols_ = std::move(symbols); }
    /// "rax" … "r15", "rip", "rflags", "cr0", "cr2", "cr3", "cr4"; nothing for a name that is no register.
    std::optional<u64> reg(std::string_view name) const;

    Position position() const { return machine_.position(); }
    Cycles cycles() const { return machine_.cycles(); }
    Digest digest() { return machine_.digest(); }
    const Machine& machine() const { return machine_; }
    Machine& machine() { return machine_; }
    const LogHeader& header() const { return *header_; }
    const std::shared_ptr<const LogHeader>& shared_header() const { return header_; }
    std::shared_ptr<const Record> record() const { return record_; }
    /// The last record of this session and its forks will be found there.
    void set_witness(std::shared_ptr<Witness> witness) { witness_ = std::move(witness); }
    /// A remark or a snapshot for the log, at the present moment.
    void note(LogEntry entry);

private:
    static std::size_t index(Channel channel) { return static_cast<std::size_t>(channel); }
    Outcome advance(std::span<Watch> watches, Until until);
    void offer();
    bool waits_for_room() const { return !typed_.empty(); }
    void stamp();
    Expected<Done> enter(const Input& input, const std::string& what);

    Machine machine_;
    std::shared_ptr<const LogHeader> header_;
    std::shared_ptr<Record> record_;
    std::shared_ptr<const Symbols> symbols_;
    std::shared_ptr<Witness> witness_;
    std::array<std::size_t, 2> read_ = {};
    std::vector<u8> typed_;  // what the serial port had no room for yet
};

template <std::unsigned_integral T>
Expected<T> Session::read(GuestVirt from) {
    std::array<u8, sizeof(T)> bytes;
    TRY(read(from, std::span<u8>{bytes}));
    return load_le<T>(bytes.data());
}

template <std::unsigned_integral T>
Expected<Done> Session::write(GuestVirt to, T value) {
    std::array<u8, sizeof(T)> bytes;
    store_le(bytes.data(), value);
    return write(to, std::span<const u8>{bytes});
}

}  // namespace ramet
