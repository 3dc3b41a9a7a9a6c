#include "remote/relay.h"

#include <filesystem>

#include "remote/address.h"
#include "remote/handshake.h"
#include "remote/host_time.h"

namespace ramet {

namespace {

constexpr std::size_t held_max = 1 << 20;         // bytes that one side has not taken
constexpr u64 sibling_patience_ns = ns_per_s;

/// The link to a process that has the session, and its first answer passed on.
Expected<std::unique_ptr<Link>> ask(const std::string& socket, const Resume& resume, Link& source) {
    auto link = std::make_unique<Link>(TRY(connect_to(TRY(Address::parse("unix:" + socket)))));
    TRY(greet(*link));
    send(*link, MessageKind::resume, resume.bytes());
    WireFrame const answer = TRY(await(*link, sibling_patience_ns));
    if (is(answer, MessageKind::refuse)) return Error{"it has no such session"};
    source.send(answer.kind, answer.bytes);
    return link;
}

Expected<Done> pass(Link& from, Link& to) {
    while (to.unsent() < held_max) {
        auto const message = from.receive();
        if (!message) {
            static_cast<void>(to.flush());
            return message.error();
        }
        if (!*message) break;
        to.send((*message)->kind, (*message)->bytes);
        TRY(to.flush());
    }
    return to.flush();
}

}  // namespace

Expected<Relay> Relay::to_sibling(std::unique_ptr<Link> source, const Resume& resume, const std::string& directory, const std::string& own) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
        if (entry.path().extension() != ".link" || entry.path() == own) continue;
        if (auto sibling = ask(entry.path(), resume, *source)) return Relay{std::move(source), *std::move(sibling)};
    }
    Error const none{"no process of this host has that session (any more)"};
    refuse(*source, none.text);
    return none;
}

bool Relay::pump() {
    bool const there = static_cast<bool>(pass(*source_, *sibling_)), back = static_cast<bool>(pass(*sibling_, *source_));
    return there && back;
}

}  // namespace ramet
