#include "cli/until.h"

#include <algorithm>
#include <charconv>
#include <span>

namespace ramet::cli {

namespace {

struct Unit {
    const char* name;
    u64 factor;
};

constexpr Unit count_units[] = {{"", 1}, {"k", 1'000}, {"M", 1'000'000}, {"G", 1'000'000'000}};
constexpr Unit time_units[] = {{"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000}};

Expected<u64> parse_quantity(const std::string& text, std::span<const Unit> units, const std::string& failure) {
    u64 number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    std::string const name{end, text.data() + text.size()};
    if (error == std::errc{})
        for (const Unit& unit : units)
            if (name == unit.name && number <= ~u64{0} / unit.factor) return number * unit.factor;
    return Error{failure};
}

}  // namespace

Expected<u64> parse_count(const std::string& text, const std::string& where) {
    return parse_quantity(text, count_units, where + ": \"" + text + "\" is not a count; expected a number, as \"2000000000\", \"100M\" or \"2G\"");
}

Expected<u64> parse_duration(const std::string& text, const std::string& where) {
    return parse_quantity(text, time_units, where + ": \"" + text + "\" is not a duration; expected a number with ns, us, ms, s, m or h, as \"60s\"");
}

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
