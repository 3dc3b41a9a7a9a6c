#include "replay/paths.h"

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

}  // namespace ramet
