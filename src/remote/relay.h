// Relay: passes messages between a source that calls again and the process of this host that has its machine already. A connection by ssh needs it: each
// starts a process of its own.
// Tests: tests/remote/ssh_test.cpp.
#pragma once

#include <memory>
#include <string>

#include "remote/link.h"
#include "remote/messages.h"

namespace ramet {

class Relay {
public:
    /// Looks for the session among the sockets *.link of a directory, but for one: the caller's own. An error if no process there has it.
    static Expected<Relay> to_sibling(std::unique_ptr<Link> source, const Resume& resume, const std::string& directory, const std::string& own);

    /// Passes on what has come; never waits. False: one of the two has ended, and what it said before was passed on.
    bool pump();
    Link* source() { return source_.get(); }
    Link* sibling() { return sibling_.get(); }

private:
    Relay(std::unique_ptr<Link> source, std::unique_ptr<Link> sibling) : source_(std::move(source)), sibling_(std::move(sibling)) {}

    std::unique_ptr<Link> source_;
    std::unique_ptr<Link> sibling_;
};

}  // namespace ramet
