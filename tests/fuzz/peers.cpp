// What a peer can say past the checksums: a conversation with a server of pages, and the state of a machine that arrives.
#include "base/state.h"
#include "machine/machine.h"
#include "replay/player.h"
#include "remote/page_server.h"
#include "targets.h"

namespace ramet::fuzz {

namespace {

const std::vector<RamRange> small_ranges = {{Frame{0}, 16}, {Frame{32}, 16}};

/// A peer that has said all it will, and takes everything.
class Speech final : public ByteLink {
public:
    explicit Speech(std::vector<u8> bytes) : bytes_(std::move(bytes)) {}
    Expected<std::size_t> read(std::span<u8> to) override {
        if (at_ == bytes_.size()) return Error{"the peer has said all it will"};
        std::size_t const size = std::min(to.size(), bytes_.size() - at_);
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), size, to.begin());
        at_ += size;
        return size;
    }
    Expected<std::size_t> write(std::span<const u8> from) override { return from.size(); }
    int read_fd() const override { return -1; }
    int write_fd() const override { return -1; }
    bool holds_bytes() const override { return true; }

private:
    std::vector<u8> bytes_;
    std::size_t at_ = 0;
};

/// Messages: kind, length, content.
std::vector<u8> frames_of(std::span<const u8> bytes) {
    std::vector<u8> made;
    FrameWriter writer;
    while (bytes.size() >= 2) {
        std::size_t const size = std::min<std::size_t>(bytes[1], bytes.size() - 2);
        writer.put(made, bytes[0] % 24U, bytes.subspan(2, size), Packing::never);
        bytes = bytes.subspan(2 + size);
    }
    return made;
}

}  // namespace

void server_target(std::span<const u8> bytes) {
    if (bytes.empty()) return;
    static auto const pool = std::make_shared<PagePool>();
    Memory parent{pool, small_ranges};
    for (u64 frame = 0; frame < 16; frame += 2) parent.write(Frame{frame}).bytes[frame] = 1;
    ServeOptions options{.on_write = (bytes[0] & 1) != 0 ? OnWrite::send : OnWrite::keep, .push_bytes_per_s = (bytes[0] & 2) != 0 ? ServeOptions::unlimited : 0};
    options.names = (bytes[0] & 4) != 0;
    options.release = (bytes[0] & 8) != 0;
    PageServer server{small_ranges, options};
    server.start(parent.fork());
    Link link{std::make_unique<Speech>(frames_of(bytes.subspan(1)))};
    static_cast<void>(server.serve(link, [](const WireFrame&) -> Expected<bool> { return false; }));
    ServeStats const stats = server.stats();
    require(stats.confirmed <= stats.total && stats.total == 32, "no more is confirmed than there is", bytes);
    require(server.asked().size() <= stats.total, "the history of what was asked for is bounded", bytes);
    static_cast<void>(server.restart({{Frame{bytes[0] % 64U}, 1}}));
}

void state_target(std::span<const u8> bytes) {
    static auto const pool = std::make_shared<PagePool>();
    MachineState state;
    auto const used = read_state(bytes, state);
    if (!used) return require(!used.error().text.empty(), "an error says what is wrong", bytes);
    constexpr u64 instructions = 300, cycles = 1'000'000;
    Machine machine = Machine::restore(state, Memory{pool, small_ranges});
    NullPorts ports;
    auto const until = [](const Machine& of) { return Until{.position = Position{of.position().value + instructions}, .cycles = Cycles{of.cycles().value + cycles}}; };
    Machine child = machine.fork();
    machine.run(until(machine), ports);
    child.run(until(child), ports);
    require(machine.digest() == child.digest(), "a fork runs as its parent does", bytes);
}

}  // namespace ramet::fuzz
