// select: makes the repository's selection of vectors from a full set. Not part of any test; run by hand:
//
//     build/tests/x86/vectors/select SOURCE_DIRECTORY TARGET_DIRECTORY KEEP
//
// Files of groups that no CPU model has are left out. From each other file it keeps, for each encoding (opcode bytes,
// ModRM.reg, operand-size and REP prefixes) and each kind of outcome (exception vector or none, memory or register form),
// KEEP vectors spread evenly over the file. Ordinals are kept, so a vector has the same name in both sets.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iostream>
#include <map>

#include "lz4_file.h"
#include "report.h"

namespace {

using namespace ramet;
using namespace ramet::vectors;

bool is_prefix(u8 byte, Mode mode) {
    constexpr std::string_view prefixes = "\x66\x67\xf0\xf2\xf3\x26\x2e\x36\x3e\x64\x65";
    return prefixes.find(static_cast<char>(byte)) != std::string_view::npos || (mode == Mode::long64 && (byte & 0xf0) == 0x40);
}

/// Equal for vectors that exercise the same row of the instruction table in the same way, as far as bytes tell.
std::string encoding_key(const Vector& vector, Mode mode) {
    std::string key;
    std::size_t at = 0;
    auto const bytes = vector.instruction;
    for (; at < bytes.size() && is_prefix(bytes[at], mode); ++at) {
        if (bytes[at] == 0x66 || bytes[at] == 0xf2 || bytes[at] == 0xf3 || (mode == Mode::long64 && bytes[at] >= 0x48 && bytes[at] < 0x50)) {
            key += static_cast<char>(bytes[at] & 0xf8);
            key += static_cast<char>(bytes[at] == 0xf3);
        }
    }
    std::size_t opcode_size = 1;
    if (at < bytes.size() && bytes[at] == 0x0f) {
        opcode_size = at + 1 < bytes.size() && (bytes[at + 1] == 0x38 || bytes[at + 1] == 0x3a) ? 3 : 2;
    }
    for (std::size_t i = 0; i < opcode_size && at < bytes.size(); ++i) {
        key += static_cast<char>(bytes[at++]);
    }
    if (at < bytes.size()) {
        u8 const modrm = bytes[at];
        key += static_cast<char>(modrm & 0x38);
        key += static_cast<char>(modrm >= 0xc0);
    }
    key += static_cast<char>(vector.flags & raises_exception ? vector.exception : 0xff);
    return key;
}

std::vector<u32> chosen(const VectorFile& file, u32 keep) {
    std::map<std::string, std::vector<u32>> by_encoding;
    for (u32 i = 0; i < file.size(); ++i) {
        by_encoding[encoding_key(file.parse(i), file.header().mode)].push_back(i);
    }
    std::vector<u32> indexes;
    for (auto const& [key, members] : by_encoding) {
        std::size_t const count = std::min<std::size_t>(keep, members.size());
        for (std::size_t i = 0; i < count; ++i) {
            indexes.push_back(members[i * members.size() / count]);
        }
    }
    std::ranges::sort(indexes);
    return indexes;
}

Expected<Done> select_file(const std::string& source, const std::string& target, u32 keep) {
    auto const file = TRY(VectorFile::load(source));
    if (!is_modelled(file.header().group)) {
        return Done{};
    }
    auto const indexes = chosen(file, keep);
    auto const packed = TRY(pack_lz4(file.subset(indexes)));
    std::cout << std::filesystem::path(source).filename().string() << " " << indexes.size() << " of " << file.size()
              << ", " << packed.size() << " bytes\n";
    return write_file(target, packed);
}

}  // namespace

int main(int argc, char** argv) {
    u32 keep = 0;
    std::string const number = argc == 4 ? argv[3] : "";
    if (std::from_chars(number.data(), number.data() + number.size(), keep).ec != std::errc{} || keep == 0) {
        std::cerr << "usage: select SOURCE_DIRECTORY TARGET_DIRECTORY KEEP\n";
        return 2;
    }
    auto const files = find_files(argv[1], "");
    if (!files) {
        std::cerr << files.error().text << "\n";
        return 2;
    }
    for (auto const& file : *files) {
        std::string const target = std::string(argv[2]) + "/" + std::filesystem::path(file.path).filename().string();
        if (auto const done = select_file(file.path, target, keep); !done) {
            std::cerr << done.error().text << "\n";
            return 2;
        }
    }
    return 0;
}
