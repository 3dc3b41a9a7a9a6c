#include "replay/paths.h"

#include <cstdlib>
#include <filesystem>

#include "replay/file.h"

namespace ramet {

std::string path_beside(const std::string& path, const std::string& from) {
    namespace fs = std::filesystem;
    return fs::absolute(path).lexically_normal().lexically_proximate(fs::absolute(directory_of(from)).lexically_normal()).string();
}

std::string path_from(const std::string& from, const std::string& path) {
    return path.starts_with('/') ? path : directory_of(from) + "/" + path;
}

std::string user_cache() {
    if (const char* const cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/') return std::string{cache} + "/ramet";
    const char* const home = std::getenv("HOME");
    return home != nullptr && *home == '/' ? std::string{home} + "/.cache/ramet" : "";
}

}  // namespace ramet
