#include "remote/handshake.h"

#include "remote/host_time.h"

namespace ramet {

Expected<WireFrame> await(Link& link, u64 limit_ns) {
    u64 const until = host_ns() + limit_ns;
    for (;;) {
        TRY(link.flush());
        auto const message = TRY(link.receive());
        if (message) return *message;
        u64 const now = host_ns();
        if (now >= until) return Error{"the peer does not answer"};
        link.wait(until - now);
    }
}

Expected<WireFrame> await(Link& link, MessageKind kind, u64 limit_ns) {
    WireFrame const message = TRY(await(link, limit_ns));
    if (is(message, kind)) return message;
    if (is(message, MessageKind::refuse)) return Error{"the peer says: " + TRY(Refuse::parse(message.bytes)).text};
    return Error{"the peer answered with a message of kind " + std::to_string(message.kind) + ", which has no meaning now"};
}

Expected<u16> greet(Link& link) {
    send(link, MessageKind::hello, Hello{}.bytes());
    WireFrame const answer = TRY(await(link, MessageKind::hello));
    return common_version(TRY(Hello::parse(answer.bytes)));
}

void refuse(Link& link, const std::string& why) {
    send(link, MessageKind::refuse, Refuse{why}.bytes());
    static_cast<void>(link.flush());
}

}  // namespace ramet
