// A machine's console on this terminal, through the control socket of the process that hosts it.
#pragma once

#include <string>

#include "base/result.h"
#include "base/types.h"

namespace ramet::cli {

enum class Detached : u8 { ended, left, signalled };

struct Attached {
    Detached how = Detached::ended;
    int signal = 0;
};

/// Until the machine ends, the user leaves (Ctrl-A x) or a signal comes.
Expected<Attached> attach(const std::string& machine, const std::string& socket);

}  // namespace ramet::cli
