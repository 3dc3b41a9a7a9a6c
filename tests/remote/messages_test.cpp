// Messages: what one side writes the other reads, and nothing shorter, longer or out of bounds.
#include "remote/messages.h"

#include <gtest/gtest.h>

namespace ramet {
namespace {

using Bytes = std::vector<u8>;

Propose proposal() {
    Propose made;
    made.session[3] = 7;
    made.kind = MoveKind::migrate;
    made.epoch = 5;
    made.name = "web";
    made.header.configuration.kernel = "vmlinuz";
    return made;
}

/// Every message once, with its parser.
struct Sample {
    const char* name;
    Bytes bytes;
    bool (*parses)(std::span<const u8>);
};

template <class T>
bool parses(std::span<const u8> bytes) {
    return static_cast<bool>(T::parse(bytes));
}

std::vector<Sample> samples() {
    ByteWriter pages;
    Pages::begin(pages, 9, std::vector{Frame{7}, Frame{3}});
    pages.raw(Bytes(2 * page_size, 1));
    return {
        {"hello", Hello{}.bytes(), parses<Hello>},
        {"refuse", Refuse{"no"}.bytes(), parses<Refuse>},
        {"propose", proposal().bytes(), parses<Propose>},
        {"log", LogPiece{{1, 2}, 3, {4, 5}}.bytes(), parses<LogPiece>},
        {"ready", Ready{true}.bytes(), parses<Ready>},
        {"go", Go{1, {Position{2}, Cycles{3}}, 4, {5}, {8, 9}, {6, 7}}.bytes(), parses<Go>},
        {"want", Want{{Frame{1}, Frame{0}}}.bytes(), parses<Want>},
        {"runs", Runs{1, true, {{Frame{3}, 4}, {Frame{9}, 1}}}.bytes(), parses<Runs>},
        {"pages", pages.finish(), parses<Pages>},
        {"names", Names{1, {{Frame{4}, sha256_of(Bytes{1})}}}.bytes(), parses<Names>},
        {"inputs", Inputs{{Position{1}, Cycles{2}}, {3}}.bytes(), parses<Inputs>},
        {"resume", Resume{{1}, 2}.bytes(), parses<Resume>},
        {"number", number_bytes(77), [](std::span<const u8> bytes) { return static_cast<bool>(parse_number(bytes)); }},
    };
}

TEST(Messages, AreReadAsTheyWereWritten) {
    for (const Sample& sample : samples()) EXPECT_TRUE(sample.parses(sample.bytes)) << sample.name;
    EXPECT_EQ(Propose::parse(proposal().bytes())->name, "web");
    EXPECT_EQ(Propose::parse(proposal().bytes())->header.configuration.kernel, "vmlinuz");
    auto const runs = Runs::parse(Runs{1, true, {{Frame{3}, 4}, {Frame{9}, 1}}}.bytes());
    EXPECT_EQ(runs->runs[1].first, Frame{9});
    EXPECT_TRUE(runs->more);
}

TEST(Messages, ShortByOneOrLongByOneIsRefused) {
    for (const Sample& sample : samples()) {
        EXPECT_FALSE(sample.parses(std::span{sample.bytes}.first(sample.bytes.size() - 1))) << sample.name;
        Bytes longer = sample.bytes;
        longer.push_back(0);
        EXPECT_FALSE(sample.parses(longer)) << sample.name;
    }
}

TEST(Messages, CountsAreBounded) {
    EXPECT_TRUE(parses<Want>(Want{std::vector<Frame>(Want::count_max)}.bytes()));
    EXPECT_FALSE(parses<Want>(Want{std::vector<Frame>(Want::count_max + 1)}.bytes()));
    EXPECT_FALSE(parses<Want>(Want{}.bytes()));
    EXPECT_TRUE(parses<Runs>(Runs{0, false, {{Frame{0}, frame_count_max}}}.bytes()));
    EXPECT_FALSE(parses<Runs>(Runs{0, false, {{Frame{0}, frame_count_max + 1}}}.bytes()));
    EXPECT_FALSE(parses<Runs>(Runs{0, false, {{Frame{1}, frame_count_max}}}.bytes()));
}

TEST(Messages, ARefusalCannotPlayTricksOnATerminal) { EXPECT_EQ(Refuse::parse(Refuse{"a\x1b[2J"}.bytes())->text, "a?[2J"); }

TEST(Messages, TheHighestCommonVersionIsSpoken) {
    EXPECT_EQ(*common_version({wire_version_min, 900}), wire_version_max);
    EXPECT_FALSE(common_version({wire_version_max + 1, 900}));
    EXPECT_FALSE(common_version({0, wire_version_min - 1}));
}

}  // namespace
}  // namespace ramet
