#include "cli/replay_words.h"

#include <cstdio>

#include "base/quantity.h"
#include "cli/exit_status.h"

namespace ramet::cli {

void add_image_options(CLI::App& command, ImagePaths& images) {
    command.add_option("-k,--kernel", images.kernel, "where the kernel is now, if not where the log says")->type_name("FILE");
    command.add_option("-i,--initrd", images.initrd, "where the initial RAM disk is now")->type_name("FILE");
    command.add_option("-d,--disk", images.disks, "where the image of disk 0 is now; given twice, of disk 1 as well")->type_name("FILE")->allow_extra_args(false);
}

Expected<Position> parse_position(const std::string& text, const std::string& where) {
    static const std::string prefix = "position:";
    return Position{TRY(parse_count(text.starts_with(prefix) ? text.substr(prefix.size()) : text, where))};
}

void set_action(CLI::App& command, int& status, std::function<Expected<int>()> action) {
    command.callback([action = std::move(action), &status, name = command.get_name()] {
        auto const result = action();
        if (!result) std::fprintf(stderr, "ramet %s: %s\n", name.c_str(), result.error().text.c_str());
        status = result ? *result : int{bad_usage};
    });
}

std::string printable(const std::string& text) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string made;
    for (char const c : text) {
        u8 const byte = static_cast<u8>(c);
        if ((byte >= 0x20 && byte != 0x7f) || c == '\n' || c == '\t') made += c;
        else ((made += "\\x") += digits[byte >> 4]) += digits[byte & 15];
    }
    return made;
}

int report_divergence(const Divergence& divergence) {
    std::fprintf(stderr, "ramet: the run does not repeat at %s\n", divergence_text(divergence).c_str());
    return diverged;
}

}  // namespace ramet::cli
