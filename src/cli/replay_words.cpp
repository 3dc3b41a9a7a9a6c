#include "cli/replay_words.h"

#include <cstdio>

#include "base/hex.h"
#include "base/quantity.h"
#include "cli/exit_status.h"

namespace ramet::cli {

void add_image_options(CLI::App& command, ImagePaths& images) {
    command.add_option("-k,--kernel", images.kernel, "where the kernel is now, if not where the log says")->type_name("FILE");
    command.add_option("-i,--initrd", images.initrd, "where the initial RAM disk is now")->type_name("FILE");
    command.add_option("-d,--disk", images.disks, "where the image of disk 0 is now; given twice, of disk 1 as well")->type_name("FILE")->allow_extra_args(false);
    command.add_option("--from", images.snapshot, "where the snapshot is now that the run began with, if it did")->type_name("FILE");
}

Expected<Position> parse_position(const std::string& text, const std::string& where) {
    static const std::string prefix = "position:";
    return Position{TRY(parse_count(text.starts_with(prefix) ? text.substr(prefix.size()) : text, where))};
}

namespace {

/// "ramet cache prune".
std::string whole_name(const CLI::App& command) {
    return command.get_parent() == nullptr ? command.get_name() : whole_name(*command.get_parent()) + " " + command.get_name();
}

}  // namespace

void set_action(CLI::App& command, int& status, std::function<Expected<int>()> action) {
    command.callback([action = std::move(action), &status, name = whole_name(command)] {
        auto const result = action();
        if (!result) std::fprintf(stderr, "%s: %s\n", name.c_str(), result.error().text.c_str());
        status = result ? *result : int{bad_usage};
    });
}

std::string printable(const std::string& text) {
    std::string made;
    for (char const c : text) {
        u8 const byte = static_cast<u8>(c);
        if ((byte >= 0x20 && byte != 0x7f) || c == '\n' || c == '\t') made += c;
        else made += "\\x" + hex_of(byte, 2);
    }
    return made;
}

int report_divergence(const Divergence& divergence) {
    std::fprintf(stderr, "ramet: the run does not repeat at %s\n", divergence_text(divergence).c_str());
    return diverged;
}

}  // namespace ramet::cli
