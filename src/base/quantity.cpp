#include "base/quantity.h"

#include <charconv>
#include <span>

namespace ramet {

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

}  // namespace ramet
