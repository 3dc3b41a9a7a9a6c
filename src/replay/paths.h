// Names of files that are written in other files: relative to the directory of the file that names them, so that a set of files can be moved. And the
// folder of caches.
#pragma once

#include <string>

namespace ramet {

/// `path` as seen from the directory of `from`.
std::string path_beside(const std::string& path, const std::string& from);
/// The other way: where `path`, written in the file `from`, is.
std::string path_from(const std::string& from, const std::string& path);

/// Where the user's programs keep what can be made anew: $XDG_CACHE_HOME/ramet, or ~/.cache/ramet; empty if neither is known.
std::string user_cache();

}  // namespace ramet
