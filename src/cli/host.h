// A process that hosts a family of machines: `ramet run --name` and `ramet receive`.
#pragma once

#include <string>

#include "machine/machine.h"
#include "replay/log_format.h"

namespace ramet::cli {

/// Runs a machine under a name until it and its children have ended, with its console on this terminal. An empty log path: beside the control socket.
Expected<int> host(const std::string& name, Machine machine, const LogHeader& header, const std::string& log);

}  // namespace ramet::cli
