// Ports: the host's side of a running machine. Bytes come out here; what goes in enters through Machine::apply(). A Ports object
// belongs to the host and is no part of the machine: a fork does not copy it.
#pragma once

#include <string>
#include <vector>

#include "machine/wires.h"

namespace ramet {

class Ports {
public:
    virtual ~Ports() = default;
    /// A byte the guest wrote. True asks the machine to stop right after the instruction that wrote it.
    virtual bool output(Channel channel, u8 byte) = 0;
};

/// Keeps what comes out of the serial port and of the debug console.
class BufferPorts : public Ports {
public:
    bool output(Channel channel, u8 byte) override {
        (channel == Channel::serial ? serial : debug).push_back(static_cast<char>(byte));
        return false;
    }
    std::string serial;
    std::string debug;
};

/// Finds a text in a stream of bytes, one byte at a time (Knuth, Morris, Pratt), so that a run can stop at its last byte.
class TextMatcher {
public:
    explicit TextMatcher(std::string text);
    /// True when `byte` completes the text. An empty text never matches.
    bool feed(u8 byte);
    const std::string& text() const { return text_; }

private:
    std::string text_;
    std::vector<std::size_t> border_;  // of each prefix: its longest proper prefix that is also its suffix
    std::size_t matched_ = 0;
};

}  // namespace ramet
