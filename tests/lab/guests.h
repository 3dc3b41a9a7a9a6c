// Machines for the tests of this folder: the guests of tests/guests/buggy, and a folder of states of the test's own.
#pragma once

#include <string>

#include "../replay/machines.h"
#include "buggy.h"
#include "lab/state.h"

namespace ramet {

/// A session of the store that has said "ready".
inline Session ready_store() {
    auto const root = must(State::power_on(kv_store(), std::make_shared<StateStore>("")));
    return must(root->after("ready", {{expect(serial("ready\n"), seconds(1))}})->fork());
}

/// What the store answers.
inline std::string ask(Session& session, const std::string& line) {
    session.type(line + "\n");
    std::size_t const before = session.read_so_far(Channel::serial);
    EXPECT_TRUE(session.run_until(serial("\n"), milliseconds(100))) << line;
    return std::string{session.output(Channel::serial).substr(before, session.read_so_far(Channel::serial) - before)};
}

}  // namespace ramet
