#include "replay/bisect.h"

#include <algorithm>
#include <cstring>

#include "base/hex.h"

namespace ramet {

namespace {

constexpr std::size_t memory_differences_max = 32;
constexpr u64 shown_bytes_max = 16;

/// The place of the disk whose changes a frame holds.
std::optional<u64> disk_of(Frame frame) {
    for (u64 place = Disk::count_max; place-- > 0;)
        if (frame >= Disk::frames(0, place).first) return place;
    return std::nullopt;
}

std::string place_text(const MemoryDifference& d) {
    if (!d.disk) return "memory " + hex_of(d.at.value, 12) + (d.symbol.empty() ? "" : " " + d.symbol);
    return "disk " + std::to_string(*d.disk) + " block " + std::to_string(d.at.value / page_size) + ", offset " + std::to_string(d.at.value);
}

/// A page of a disk holds what is to be toggled in the image's bytes.
const char* content_text(const MemoryDifference& d) { return d.disk ? " bytes, as toggled in the image: a " : " bytes: a "; }

class MemoryComparison {
public:
    MemoryComparison(const Symbols& symbols, BisectReport& report) : symbols_(symbols), report_(report) {}

    void compare(Memory& a, Memory& b) {
        for (const RamRange& range : a.ranges())
            for (u64 i = 0; i < range.count; ++i) compare_page(range.first + i, a, b);
    }

private:
    void compare_page(Frame frame, Memory& a, Memory& b) {
        const u8* const left = a.read(frame);
        const u8* const right = b.read(frame);
        if (left == right || left == nullptr || right == nullptr || std::memcmp(left, right, page_size) == 0) return;
        for (u64 i = 0; i < page_size; ++i) {
            if (left[i] == right[i]) continue;
            u64 end = i + 1;
            while (end < page_size && left[end] != right[end]) ++end;
            report_.memory_bytes += end - i;
            if (report_.memory.size() < memory_differences_max) add(address_of(frame) + i, {left + i, left + end}, {right + i, right + end});
            i = end;
        }
    }

    void add(GuestPhys at, std::span<const u8> a, std::span<const u8> b) {
        u64 const shown = std::min<u64>(a.size(), shown_bytes_max);
        std::string const text_a = hex_of(a.first(shown)), text_b = hex_of(b.first(shown));
        if (auto const disk = disk_of(frame_of(at))) {
            u64 const offset = at.value - address_of(Disk::frames(0, *disk).first).value;
            report_.memory.push_back({GuestPhys{offset}, disk, a.size(), text_a, text_b});
            return;
        }
        report_.memory.push_back({at, std::nullopt, a.size(), text_a, text_b, symbols_.physical_name(at)});
    }

    const Symbols& symbols_;
    BisectReport& report_;
};

std::string code_text(const Machine& machine, const Symbols& symbols) {
    u64 const address = machine.cpu().rip;
    std::string const name = symbols.name(address);
    return hex_of(address, 16) + (name.empty() ? "" : " " + name);
}

void describe(Player& a, Player& b, const Symbols& symbols, BisectReport& report) {
    report.state = state_differences(a.machine().state(), b.machine().state());
    report.code_a = code_text(a.machine(), symbols);
    report.code_b = code_text(b.machine(), symbols);
    MemoryComparison{symbols, report}.compare(a.machine().memory(), b.machine().memory());
}

/// Why a run stops before the Position it was asked for; empty when it got there.
std::string obstacle(const char* which, const Progress& progress, const Player& player) {
    switch (progress.kind) {
    case Progress::Kind::reached: return {};
    case Progress::Kind::ended: return std::string{"the log of "} + which + " ends at " + moment_text(player.moment());
    case Progress::Kind::diverged: return std::string{"the log of "} + which + " does not repeat: " + divergence_text(*progress.divergence);
    }
    return {};
}

std::string next_text(const LogEntry* entry) {
    if (entry == nullptr) return "nothing more";
    if (!entry->is_input()) return "no input at " + moment_text(entry->at);
    std::size_t const shown = std::min<std::size_t>(entry->bytes.size(), shown_bytes_max);
    return std::string{enum_name(entry->kind)} + " input " + hex_of(std::span{entry->bytes}.first(shown)) + " at " + moment_text(entry->at);
}

/// What the logs hold next, where both machines are still equal.
Expected<std::string> next_inputs(Player& a, Player& b) {
    const LogEntry* const left = TRY(a.cursor().peek());
    const LogEntry* const right = TRY(b.cursor().peek());
    std::string const text_a = next_text(left), text_b = next_text(right);
    return text_a == text_b ? std::string{} : "next in the log of a: " + text_a + "; of b: " + text_b;
}

}  // namespace

Expected<BisectReport> bisect(Player a, Player b, const Symbols& symbols, u64 stride) {
    BisectReport report;
    if (a.machine().identity() != b.machine().identity())
        return Error{"two different machines: a is " + a.machine().identity().hex() + ", b is " + b.machine().identity().hex()};
    a.set_digest_check(DigestCheck::skip);
    b.set_digest_check(DigestCheck::skip);
    NullPorts ports;
    std::optional<std::pair<Player, Player>> equal{std::in_place, a.fork(), b.fork()};
    for (;;) {
        auto& [equal_a, equal_b] = *equal;
        Player next_a = equal_a.fork(), next_b = equal_b.fork();
        Position const target = equal_a.position() + stride;
        Progress const progress_a = TRY(next_a.run_to(target, ports));
        Progress const progress_b = TRY(next_b.run_to(target, ports));
        std::string const why = obstacle("a", progress_a, next_a) + obstacle("b", progress_b, next_b);
        Digest const digest_a = TRY(next_a.machine().whole_digest()), digest_b = TRY(next_b.machine().whole_digest());
        bool const same = next_a.moment() == next_b.moment() && digest_a == digest_b;
        report.last_equal = equal_a.position();
        if (same && why.empty()) {
            equal.emplace(std::move(next_a), std::move(next_b));
            continue;
        }
        if (same) {
            report.reason = why;
            report.last_equal = next_a.position();
            return report;
        }
        if (stride > 1) {
            stride = (stride + 1) / 2;
            continue;
        }
        report.equal = false;
        report.first_different = std::min(next_a.position(), next_b.position());
        report.reason = why + TRY(next_inputs(equal_a, equal_b));
        describe(next_a, next_b, symbols, report);
        return report;
    }
}

std::string bisect_text(const BisectReport& report) {
    std::string text;
    if (report.equal) {
        text = "equal up to position " + std::to_string(report.last_equal.value) + "\n";
        return report.reason.empty() ? text : text + report.reason + "\n";
    }
    text = "equal at position " + std::to_string(report.last_equal.value) + ", different at position " + std::to_string(report.first_different->value) + "\n";
    if (!report.reason.empty()) text += report.reason + "\n";
    text += "code: a " + report.code_a + ", b " + report.code_b + "\n";
    for (const Difference& d : report.state) text += d.path + ": a " + d.a + ", b " + d.b + "\n";
    for (const MemoryDifference& d : report.memory)
        text += place_text(d) + ", " + std::to_string(d.bytes) + content_text(d) + d.a + ", b " + d.b + "\n";
    if (report.memory_bytes != 0) text += "memory and disks: " + std::to_string(report.memory_bytes) + " bytes differ\n";
    return text;
}

}  // namespace ramet
