// Link: messages to and from one peer over a ByteLink. Nothing blocks: send() queues, flush() writes what the peer takes, receive() gives the
// next message that is complete. wait() sleeps until the link can go on.
//
// Threads: a Link belongs to one thread at a time.
// Tests: tests/remote/frame_test.cpp, page_server_test.cpp.
#pragma once

#include <memory>
#include <optional>

#include "remote/byte_link.h"
#include "remote/frame.h"

namespace ramet {

class Link {
public:
    explicit Link(std::unique_ptr<ByteLink> bytes, Packing packing = Packing::never) : bytes_(std::move(bytes)), packing_(packing) {}

    void send(u32 kind, std::span<const u8> message) { send(kind, {&message, 1}); }
    /// A message that lies in several places.
    void send(u32 kind, std::span<const std::span<const u8>> parts);
    /// Ahead of nothing: frames are ordered. What cannot be written now stays queued.
    Expected<Done> flush();
    std::size_t unsent() const { return out_.size() - out_begin_; }

    /// Nothing: no message is complete yet. Its bytes are valid until the next call.
    Expected<std::optional<WireFrame>> receive();

    /// Until the peer has sent or can take something, `wakeup` (if any) is signalled, which is cleared then, or the time is over.
    void wait(u64 limit_ns, Wakeup* wakeup = nullptr);

    int read_fd() const { return bytes_->read_fd(); }
    int write_fd() const { return bytes_->write_fd(); }
    u64 bytes_sent() const { return sent_; }
    u64 bytes_received() const { return received_; }
    /// A message has begun and not ended: a peer that is slow, or malicious.
    bool within_message() const { return reader_.within_frame(); }

private:
    std::unique_ptr<ByteLink> bytes_;
    Packing packing_;
    FrameWriter writer_;
    FrameReader reader_;
    std::vector<u8> out_;
    std::size_t out_begin_ = 0;
    u64 sent_ = 0;
    u64 received_ = 0;
};

}  // namespace ramet
