// Words that the commands over recorded runs share: where the images are, and Positions.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "replay/player.h"

namespace ramet::cli {

/// --kernel, --initrd and --disk, for images that are no longer where the log says.
void add_image_options(CLI::App& command, ImagePaths& images);

/// "position:2000000", "2000000", "2M".
Expected<Position> parse_position(const std::string& text, const std::string& where);

/// Runs a command and turns an error into a message and exit status.
void set_action(CLI::App& command, int& status, std::function<Expected<int>()> action);

/// For a terminal: control characters, which a guest may have written, as \\xNN; line ends and tabs as they are.
std::string printable(const std::string& text);

/// Prints a divergence to standard error; the exit status.
int report_divergence(const Divergence& divergence);

}  // namespace ramet::cli
