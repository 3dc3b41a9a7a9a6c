// A machine's console on this terminal, through the control socket of the process that hosts it.
#pragma once

#include <string>

#include "base/result.h"
#include "base/types.h"

namespace ramet::cli {

enum class Detached : u8 { ended, left, signalled };

/// Until the machine ends, the user leaves (Ctrl-A x) or a signal comes.
Expected<Detached> attach(const std::string& machine, const std::string& socket);

}  // namespace ramet::cli
