// The wire: any bytes are frames or an error; any message of a peer is applied, asked about, or refused, and never goes beyond the machine's memory.
#include <cstring>

#include "remote/page_server.h"
#include "remote/pager.h"
#include "targets.h"

namespace ramet::fuzz {

namespace {

void parse_all(std::span<const u8> bytes) {
    static_cast<void>(Hello::parse(bytes));
    static_cast<void>(Refuse::parse(bytes));
    static_cast<void>(Propose::parse(bytes));
    static_cast<void>(LogPiece::parse(bytes));
    static_cast<void>(Ready::parse(bytes));
    static_cast<void>(Go::parse(bytes));
    static_cast<void>(Want::parse(bytes));
    static_cast<void>(Names::parse(bytes));
    static_cast<void>(Inputs::parse(bytes));
    static_cast<void>(Resume::parse(bytes));
    static_cast<void>(parse_entries(bytes));
}

}  // namespace

void frames_target(std::span<const u8> bytes) {
    FrameReader reader;
    for (std::size_t at = 0; at < bytes.size();) {
        std::span<u8> const room = reader.room();
        std::size_t const size = std::min(room.size(), bytes.size() - at);
        std::memcpy(room.data(), bytes.data() + at, size);
        reader.took(size);
        at += size;
        auto const frame = reader.next();
        if (!frame) return require(!frame.error().text.empty(), "an error says what is wrong", bytes);
    }
    parse_all(bytes);
}

/// A pager and a server past the checksums: the first byte is the kind of the message, the rest the message.
void messages_target(std::span<const u8> bytes) {
    if (bytes.empty()) return;
    static auto const pool = std::make_shared<PagePool>();
    std::vector<RamRange> const ranges = {{Frame{0}, 16}, {Frame{32}, 16}};
    Pager pager{pool, ranges, std::make_shared<KnownPages>()};
    WireFrame const message{bytes[0] % 24U, bytes.subspan(1)};
    if (Pager::is_mine(message.kind)) {
        static_cast<void>(pager.handle(message));
        require(pager.absent() <= pager.total(), "no more is lacking than there is", bytes);
        require(pager.absent() == pager.store().absent_frames(Frame{}, 100).size(), "what is lacking is counted", bytes);
    }
}

}  // namespace ramet::fuzz
