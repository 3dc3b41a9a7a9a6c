#include "replay/input_log.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "machines.h"
#include "replay/log_text.h"
#include "replay/log_writer.h"

namespace ramet {
namespace {

using Log = std::shared_ptr<const InputLog>;

LogHeader some_header() {
    LogHeader header;
    header.identity = {1, 2};
    header.schema = state_schema_digest();
    header.configuration.kernel = "kernel";
    header.images = {{"kernel", "", 3, Sha256{}}};
    return header;
}

LogEntry serial_at(u64 position, u64 cycles, const std::string& bytes) {
    return {.kind = LogEntry::Kind::serial, .at = {Position{position}, Cycles{cycles}}, .bytes = {bytes.begin(), bytes.end()}};
}

LogEntry end_at(u64 position, u64 cycles) {
    return {.kind = LogEntry::Kind::end, .at = {Position{position}, Cycles{cycles}}, .digest = {3, 4}, .reason = StopReason::exit, .value = 7};
}

std::vector<u8> frame_of(const std::vector<LogEntry>& entries, u64& check) {
    ByteWriter to;
    Moment before;
    for (const LogEntry& entry : entries) {
        put_entry(to, before, entry);
        before = entry.at;
    }
    FrameBytes const frame = make_frame(check, to.bytes());
    check = frame.check;
    return frame.bytes;
}

/// A log of one frame per list.
std::vector<u8> log_of(const std::vector<std::vector<LogEntry>>& frames) {
    std::vector<u8> bytes = header_bytes(some_header());
    u64 check = header_digest(some_header()).lo;
    for (auto const& entries : frames) {
        std::vector<u8> const frame = frame_of(entries, check);
        bytes.insert(bytes.end(), frame.begin(), frame.end());
    }
    return bytes;
}

Expected<Log> read_log(const std::vector<u8>& bytes) { return InputLog::read(must(File::in_memory(bytes, "test.rlog"))); }

std::vector<LogEntry> entries_of(const Log& log) {
    std::vector<LogEntry> entries;
    LogCursor cursor{log};
    while (const LogEntry* const entry = must(cursor.peek())) {
        entries.push_back(*entry);
        cursor.advance();
    }
    return entries;
}

const std::vector<LogEntry> first = {serial_at(5, 6, "a"), serial_at(5, 9, "bc")};
const std::vector<LogEntry> second = {serial_at(70, 90, std::string(1000, 'x')), end_at(80, 99)};

TEST(InputLog, GivesBackWhatWasWritten) {
    Log const log = must(read_log(log_of({first, second})));
    std::vector<LogEntry> expected = first;
    expected.insert(expected.end(), second.begin(), second.end());
    EXPECT_EQ(entries_of(log), expected);
    EXPECT_TRUE(log->ended());
    EXPECT_FALSE(log->torn());
    EXPECT_EQ(log->header().identity, some_header().identity);
    EXPECT_EQ(log->header().images, some_header().images);
}

TEST(InputLog, CarriesMemoryAndNotes) {
    std::vector<LogEntry> const entries = {LogEntry::of({Position{3}, Cycles{4}}, {.kind = Input::Kind::memory, .bytes = {1, 2}, .at = GuestPhys{0x1234}}),
                                           {.kind = LogEntry::Kind::note, .at = {Position{3}, Cycles{5}}, .path = "what \"failed\""}};
    std::vector<u8> const bytes = log_bytes(some_header(), entries);
    EXPECT_EQ(bytes, log_of({entries}));
    Log const log = must(read_log(bytes));
    EXPECT_EQ(entries_of(log), entries);
    EXPECT_TRUE(entries[0].is_input());
    EXPECT_EQ(entries[0].input().at, GuestPhys{0x1234});
    EXPECT_FALSE(entries[1].is_input());
    EXPECT_EQ(entry_text(entries[0]), "3 4 memory 4660 \"\\x01\\x02\"\n");
    EXPECT_EQ(entry_json(entries[1]), "{\"kind\":\"note\",\"position\":3,\"cycles\":5,\"text\":\"what \\u0022failed\\u0022\"}\n");
}

TEST(InputLog, LosesOnlyTheTornFrameWhereverItIsCut) {
    std::vector<u8> const whole = log_of({first, second});
    std::size_t const one = log_of({first}).size();
    for (std::size_t cut = one; cut < whole.size(); ++cut) {
        Log const log = must(read_log({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut)}));
        EXPECT_EQ(entries_of(log), first) << cut;
        EXPECT_EQ(log->torn().has_value(), cut != one) << cut;
        EXPECT_EQ(log->torn().value_or(InputLog::Torn{one, 0}).offset, one);
    }
}

TEST(InputLog, TakesZerosAfterAPowerCutForATornTail) {
    std::vector<u8> bytes = log_of({first});
    std::size_t const end = bytes.size();
    bytes.resize(end + 5000);
    Log const log = must(read_log(bytes));
    EXPECT_EQ(entries_of(log), first);
    ASSERT_TRUE(log->torn());
    EXPECT_EQ(log->torn()->bytes, 5000U);
}

TEST(InputLog, RefusesAFlippedBitBeforeTheLastFrame) {
    std::vector<u8> const whole = log_of({first, second});
    std::size_t const one = log_of({first}).size();
    for (std::size_t bit = 0; bit < one * 8; ++bit) {
        std::vector<u8> bytes = whole;
        bytes[bit / 8] ^= static_cast<u8>(1 << bit % 8);
        auto const log = read_log(bytes);
        ASSERT_FALSE(log) << bit;
        EXPECT_NE(log.error().text.find("test.rlog: offset "), std::string::npos) << log.error().text;
    }
}

TEST(InputLog, RefusesFramesOfAnotherLogAndFramesOutOfOrder) {
    u64 check = 12345;
    std::vector<u8> foreign = log_of({});
    std::vector<u8> const frame = frame_of(first, check);
    foreign.insert(foreign.end(), frame.begin(), frame.end());
    EXPECT_FALSE(read_log(foreign));
    EXPECT_FALSE(read_log(log_of({second, first})));
    EXPECT_FALSE(read_log(log_of({{end_at(1, 1)}, {serial_at(2, 2, "late")}})));
}

TEST(InputLog, NamesTheVersionItCannotRead) {
    std::vector<u8> bytes = log_of({first});
    bytes[8] = 9;
    auto const log = read_log(bytes);
    ASSERT_FALSE(log);
    EXPECT_EQ(log.error().text, "test.rlog: offset 8: log version 9; this program reads version 3");
}

TEST(InputLog, RefusesImpossibleLengthsWithoutMakingRoomForThem) {
    ByteWriter prefix;
    std::vector<u8> const good = header_bytes(some_header());
    prefix.raw(std::span{good}.first(12));
    prefix.put(~u32{0});
    prefix.raw(std::span{good}.subspan(16));
    EXPECT_FALSE(read_log(prefix.finish()));
    for (u64 const position : {u64{1} << 63, ~u64{0}}) {
        std::vector<LogEntry> const entries = {serial_at(position, position, "a")};
        EXPECT_TRUE(read_log(log_of({entries})));
    }
    ByteWriter bomb;  // 256 KiB of one byte, which no list of entries is
    bomb.raw(std::vector<u8>(LogFrame::bytes_max, 0xff));
    std::vector<u8> bytes = log_of({});
    std::vector<u8> const frame = make_frame(header_digest(some_header()).lo, bomb.bytes()).bytes;
    bytes.insert(bytes.end(), frame.begin(), frame.end());
    EXPECT_FALSE(read_log(bytes));
}

TEST(InputLog, IsShownAsTextAndAsJson) {
    Log const log = must(read_log(log_of({first, second})));
    EXPECT_EQ(entry_text(first[1]), "5 9 serial \"bc\"\n");
    EXPECT_EQ(entry_json(first[0]), "{\"kind\":\"serial\",\"position\":5,\"cycles\":6,\"bytes\":\"a\"}\n");
    EXPECT_EQ(entry_json(serial_at(1, 2, "\"\n")), "{\"kind\":\"serial\",\"position\":1,\"cycles\":2,\"bytes\":\"\\u0022\\u000a\"}\n");
    EXPECT_NE(header_text(*log).find("complete"), std::string::npos);
    EXPECT_NE(header_json(*log).find("\"origin\":{\"kind\":\"boot\"}"), std::string::npos);
}

TEST(LogWriter, WritesWithinItsFlushTime) {
    Directory const directory;
    std::string const path = directory / "run.rlog";
    LogWriter writer = must(LogWriter::create(path, some_header()));
    must(writer.append(first[0]));
    for (unsigned i = 0; i < 200 && writer.bytes_written() == header_bytes(some_header()).size(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    EXPECT_EQ(entries_of(must(InputLog::open(path))), std::vector<LogEntry>{first[0]});
}

TEST(LogWriter, WritesTheRestWhenItIsClosed) {
    Directory const directory;
    std::string const path = directory / "run.rlog";
    std::vector<LogEntry> entries;
    {
        LogWriter writer = must(LogWriter::create(path, some_header()));
        for (u64 i = 0; i < 5000; ++i) {
            entries.push_back(serial_at(i * 100, i * 100, std::string(i % 300 + 1, 'y')));
            must(writer.append(entries.back()));
        }
    }
    Log const log = must(InputLog::open(path));
    EXPECT_EQ(entries_of(log), entries);
    EXPECT_GT(log->frame_count(), 1U);
}

// The writer's thread once ended without another look when it was told to in the middle of writing a frame.
TEST(LogWriter, WritesWhatCameWhileAFrameWasWritten) {
    Directory const directory;
    for (int round = 0; round < 20; ++round) {
        std::string const path = directory / ("run" + std::to_string(round));
        std::vector<LogEntry> const entries = {serial_at(1, 1, "a"), serial_at(2, 2, "b")};
        {
            LogWriter writer = must(LogWriter::create(path, some_header()));
            u64 const empty = writer.bytes_written();
            must(writer.append(entries[0]));
            while (std::filesystem::file_size(path) == empty) {  // then it is being synced
            }
            must(writer.append(entries[1]));
        }
        EXPECT_EQ(entries_of(must(InputLog::open(path))), entries);
    }
}

RC_GTEST_PROP(InputLog, NeverFailsOtherThanByAnError, (std::vector<u8> tail, u16 at, u8 flip)) {
    std::vector<u8> bytes = log_of({first, second});
    bytes[at % bytes.size()] ^= flip;
    bytes.insert(bytes.end(), tail.begin(), tail.end());
    auto const log = read_log(bytes);
    if (log) entries_of(*log);
}

}  // namespace
}  // namespace ramet
