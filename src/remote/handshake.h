// The first words on a new link, and waiting for an answer with a limit.
// Tests: tests/remote/migration_test.cpp.
#pragma once

#include "remote/link.h"
#include "remote/messages.h"

namespace ramet {

inline constexpr u64 patience_ns = 10'000'000'000;  ///< with a peer that has to answer

inline void send(Link& link, MessageKind kind, std::span<const u8> message = {}) { link.send(static_cast<u32>(kind), message); }
inline bool is(const WireFrame& message, MessageKind kind) { return message.kind == static_cast<u32>(kind); }

/// The next message, waiting for it; an error after `limit_ns`.
Expected<WireFrame> await(Link& link, u64 limit_ns = patience_ns);
/// The same, of one kind; an error when the peer says something else, or refuses.
Expected<WireFrame> await(Link& link, MessageKind kind, u64 limit_ns = patience_ns);
/// Says hello and agrees on a version.
Expected<u16> greet(Link& link);
/// Tells the peer why it is not served, as far as it listens.
void refuse(Link& link, const std::string& why);

}  // namespace ramet
