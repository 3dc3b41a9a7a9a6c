#include "cli/until.h"

#include <algorithm>

#include "base/quantity.h"

namespace ramet::cli {

Expected<Done> add_condition(Conditions& conditions, const std::string& text) {
    auto const colon = std::min(text.find(':'), text.size());
    std::string const kind = text.substr(0, colon);
    std::string const rest = colon < text.size() ? text.substr(colon + 1) : "";
    std::string const where = "--until " + kind;
    if (text == "exit") {
        conditions.exit = true;
    } else if (kind == "position" && colon < text.size()) {
        conditions.position = std::min(conditions.position, Position{TRY(parse_count(rest, where))});
    } else if (kind == "time" && colon < text.size()) {
        conditions.time = std::min(conditions.time, Cycles{TRY(parse_duration(rest, where))});
    } else if ((kind == "serial" || kind == "debug") && colon < text.size()) {
        if (rest.empty()) return Error{where + ": an empty text; expected what to wait for, as \"serial:login: \""};
        conditions.texts.push_back({kind == "serial" ? Channel::serial : Channel::debug, rest});
    } else {
        return Error{"--until: \"" + text + "\" is not known; expected serial:TEXT, debug:TEXT, position:N, time:T or exit"};
    }
    return Done{};
}

}  // namespace ramet::cli
