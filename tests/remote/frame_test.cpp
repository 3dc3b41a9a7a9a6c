// Frames: whatever arrives in whatever pieces comes out as it went in, or is refused.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>

#include "base/bytes.h"
#include "remote/frame.h"

namespace ramet {
namespace {

using Bytes = std::vector<u8>;

/// Feeds the bytes in pieces; the messages, and the error that ended it.
struct Outcome {
    std::vector<std::pair<u32, Bytes>> messages;
    std::string error;
};

Outcome read_frames(const Bytes& bytes, std::size_t piece) {
    FrameReader reader;
    Outcome outcome;
    for (std::size_t at = 0; at < bytes.size();) {
        std::span<u8> const room = reader.room();
        std::size_t const size = std::min({room.size(), piece, bytes.size() - at});
        std::memcpy(room.data(), bytes.data() + at, size);
        reader.took(size);
        at += size;
        for (;;) {
            auto const frame = reader.next();
            if (!frame) {
                outcome.error = frame.error().text;
                return outcome;
            }
            if (!*frame) break;
            outcome.messages.push_back({(*frame)->kind, {(*frame)->bytes.begin(), (*frame)->bytes.end()}});
        }
    }
    return outcome;
}

RC_GTEST_PROP(Frames, ComeOutAsTheyWentInWhateverThePieces, (std::vector<Bytes> messages, u16 piece, bool pack)) {
    FrameWriter writer;
    Bytes bytes;
    for (std::size_t i = 0; i < messages.size(); ++i) writer.put(bytes, static_cast<u32>(i), messages[i], pack ? Packing::when_it_helps : Packing::never);
    Outcome const outcome = read_frames(bytes, 1 + piece % 100);
    RC_ASSERT(outcome.error.empty());
    RC_ASSERT(outcome.messages.size() == messages.size());
    for (std::size_t i = 0; i < messages.size(); ++i) RC_ASSERT(outcome.messages[i] == std::pair(static_cast<u32>(i), messages[i]));
}

Bytes two_frames() {
    FrameWriter writer;
    Bytes bytes;
    writer.put(bytes, 1, Bytes(100, 7), Packing::never);
    writer.put(bytes, 2, Bytes(50, 9), Packing::never);
    return bytes;
}

TEST(Frames, AFlippedBitIsFound) {
    Bytes const good = two_frames();
    for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
        Bytes bad = good;
        bad[bit / 8] = static_cast<u8>(bad[bit / 8] ^ 1 << bit % 8);
        Outcome const outcome = read_frames(bad, 1);
        EXPECT_FALSE(outcome.error.empty()) << "bit " << bit;
        EXPECT_EQ(outcome.messages.size(), bit / 8 < 124 ? 0U : 1U);
    }
}

TEST(Frames, ARepeatedOrMissingFrameIsFound) {
    Bytes const good = two_frames();
    Bytes twice{good.begin(), good.begin() + 124};
    twice.insert(twice.end(), good.begin(), good.begin() + 124);
    EXPECT_FALSE(read_frames(twice, 1000).error.empty());
    EXPECT_FALSE(read_frames({good.begin() + 124, good.end()}, 1000).error.empty());
}

TEST(Frames, PackingHelpsWhereItCan) {
    FrameWriter writer;
    Bytes bytes;
    writer.put(bytes, 1, Bytes(100'000, 7), Packing::when_it_helps);
    EXPECT_LT(bytes.size(), 2000U);
    Outcome const outcome = read_frames(bytes, 10'000);
    ASSERT_EQ(outcome.messages.size(), 1U);
    EXPECT_EQ(outcome.messages[0].second, Bytes(100'000, 7));
}

TEST(Frames, TheLargestMessageFits) {
    FrameWriter writer;
    Bytes bytes;
    writer.put(bytes, 1, Bytes(WireFrame::bytes_max, 7), Packing::never);
    EXPECT_EQ(read_frames(bytes, 65'536).messages.size(), 1U);
}

}  // namespace
}  // namespace ramet
