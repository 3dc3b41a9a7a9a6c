#include "base/state.h"

#include <cstring>

namespace ramet {

void StateHasher::add(std::span<const u8> bytes) {
    if (bytes.size() > block_.size() - used_) {
        stream_.add(std::span<const u8>{block_}.first(used_));
        used_ = 0;
    }
    if (bytes.size() > block_.size()) return stream_.add(bytes);
    if (!bytes.empty()) std::memcpy(block_.data() + used_, bytes.data(), bytes.size());
    used_ += bytes.size();
}

Digest StateHasher::finish() {
    stream_.add(std::span<const u8>{block_}.first(used_));
    used_ = 0;
    return stream_.finish();
}

void StateReader::take(const char* name, std::span<u8> to) {
    if (!ok_) return;
    if (to.size() > bytes_.size() - at_) return fail(name, "is cut short");
    if (!to.empty()) std::memcpy(to.data(), bytes_.data() + at_, to.size());
    at_ += to.size();
}

void StateReader::fail(const char* name, const char* what) {
    if (!ok_) return;
    ok_ = false;
    text_ = std::string{"saved state: field \""} + name + "\" before byte " + std::to_string(at_) + " " + what;
}

void StateSchema::line(const std::string& name, const std::string& type) {
    text_ += std::string(std::size_t{2} * depth_, ' ') + name + " " + type + "\n";
}

namespace detail {

std::string join_path(const std::string& path, const char* name) { return path.empty() ? name : path + "." + name; }

std::string index_path(const std::string& path, std::size_t index) { return path + "[" + std::to_string(index) + "]"; }

std::vector<Difference> unequal(const std::vector<StateLeaf>& a, const std::vector<StateLeaf>& b) {
    CHECK(a.size() == b.size(), "values of one type have the same leaves");
    std::vector<Difference> found;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (a[i].value != b[i].value) found.push_back({a[i].path, a[i].value, b[i].value});
    return found;
}

}  // namespace detail

}  // namespace ramet
