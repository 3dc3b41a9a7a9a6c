// machine.toml: one row for each key says how its value gets into the configuration. The only file that knows toml++.
#include <cstdio>
#include <toml++/toml.h>

#include "machine/configuration.h"

namespace ramet {

namespace {

/// Where a value stands, for messages, and its file, beside which other files are looked for.
struct Place {
    const std::string& path;
    std::string where;
};

std::string at_line(const std::string& path, const toml::source_region& source) {
    return path + ":" + std::to_string(source.begin.line) + ":" + std::to_string(source.begin.column);
}

std::string beside(const std::string& path, const std::string& file) {
    if (file.empty() || file.starts_with('/')) return file;
    return path.substr(0, path.rfind('/') + 1) + file;
}

Expected<std::string> text_of(const toml::node& node, const Place& place) {
    const auto* const text = node.as_string();
    if (!text) return Error{place.where + ": expected a text in quotes"};
    return text->get();
}

template <auto Member>
Expected<Done> text(Configuration& to, const toml::node& node, const Place& place) {
    to.*Member = TRY(text_of(node, place));
    return Done{};
}

template <auto Member>
Expected<Done> file(Configuration& to, const toml::node& node, const Place& place) {
    to.*Member = beside(place.path, TRY(text_of(node, place)));
    return Done{};
}

template <auto Member, auto Parse>
Expected<Done> parsed(Configuration& to, const toml::node& node, const Place& place) {
    to.*Member = TRY(Parse(TRY(text_of(node, place)), place.where));
    return Done{};
}

/// What the machine begins with, and so a key that excludes the other.
template <Boot How>
Expected<Done> start(Configuration& to, const toml::node& node, const Place& place) {
    if (!to.kernel.empty()) return Error{place.where + ": a machine has a kernel or a BIOS, not both"};
    to.boot = How;
    return file<&Configuration::kernel>(to, node, place);
}

Expected<Done> memory(Configuration& to, const toml::node& node, const Place& place) {
    if (node.is_integer()) return Error{place.where + ": expected a size in quotes, as \"512M\""};
    return parsed<&Configuration::memory_bytes, parse_size>(to, node, place);
}

Expected<Done> seed(Configuration& to, const toml::node& node, const Place& place) {
    const auto* const number = node.as_integer();
    if (!number || number->get() < 0) return Error{place.where + ": expected a number from 0 up"};
    to.seed = static_cast<u64>(number->get());
    return Done{};
}

/// TOML has dates of its own; a text does as well.
Expected<Done> rtc(Configuration& to, const toml::node& node, const Place& place) {
    const auto* const value = node.as_date_time();
    if (!value) return parsed<&Configuration::rtc, parse_date>(to, node, place);
    auto const& [date, time, offset] = value->get();
    if (!offset || offset->minutes != 0) return Error{place.where + ": expected UTC, as 2024-01-01T00:00:00Z"};
    std::array<char, 32> spelled;
    std::snprintf(spelled.data(), spelled.size(), "%04u-%02u-%02uT%02u:%02u:%02uZ", date.year, date.month, date.day, time.hour, time.minute, time.second);
    to.rtc = TRY(parse_date(spelled.data(), place.where));
    return Done{};
}

/// One [[disk]] table.
Expected<Done> disk_key(DiskConfiguration& to, const toml::key& name, const toml::node& node, const std::string& path) {
    std::string const where = at_line(path, node.source()) + ": disk." + std::string{name.str()};
    if (name.str() == "file") {
        to.file = beside(path, TRY(text_of(node, {path, where})));
        return Done{};
    }
    if (name.str() == "read_only") {
        const auto* const yes = node.as_boolean();
        if (!yes) return Error{where + ": expected true or false"};
        to.read_only = yes->get();
        return Done{};
    }
    if (name.str() == "place") {
        const auto* const number = node.as_integer();
        if (!number || number->get() < 0 || number->get() >= i64{Disk::count_max}) return Error{where + ": expected 0 or 1, the drive on the IDE channel"};
        to.place = static_cast<u64>(number->get());
        return Done{};
    }
    return Error{at_line(path, name.source()) + ": disk." + std::string{name.str()} + ": unknown key; known are file, place, read_only"};
}

Expected<Done> disks(Configuration& to, const toml::node& node, const Place& place) {
    const auto* const tables = node.as_array();
    if (!tables) return Error{place.where + ": expected [[disk]] tables"};
    for (const toml::node& each : *tables) {
        const auto* const table = each.as_table();
        std::string const where = at_line(place.path, each.source()) + ": disk";
        if (!table) return Error{where + ": expected a table"};
        DiskConfiguration disk;
        disk.place = to.free_disk_place();
        for (auto const& [key, value] : *table) TRY(disk_key(disk, key, value, place.path));
        if (disk.file.empty()) return Error{where + ".file: missing; expected the path of a disk image"};
        to.disks.push_back(std::move(disk));
        TRY(check_disks(to.disks, where));
    }
    return Done{};
}

struct Key {
    std::string_view name;
    Expected<Done> (*read)(Configuration& to, const toml::node& node, const Place& place);
};

constexpr Key keys[] = {
    {"append", text<&Configuration::append>},
    {"bios", start<Boot::bios>},
    {"console", parsed<&Configuration::console, parse_console>},
    {"cpu", parsed<&Configuration::cpu, parse_cpu>},
    {"disk", disks},
    {"initrd", file<&Configuration::initrd>},
    {"kernel", start<Boot::kernel>},
    {"memory", memory},
    {"rtc", rtc},
    {"seed", seed},
    {"unpack", parsed<&Configuration::unpack, parse_unpack>},
};

Expected<Done> read_key(Configuration& to, const toml::key& name, const toml::node& node, const std::string& path) {
    std::string known;
    for (const Key& key : keys) {
        if (key.name == name.str()) return key.read(to, node, {path, at_line(path, node.source()) + ": " + std::string{key.name}});
        known += (known.empty() ? "" : ", ") + std::string{key.name};
    }
    return Error{at_line(path, name.source()) + ": " + std::string{name.str()} + ": unknown key; known are " + known};
}

}  // namespace

Expected<Configuration> parse_configuration(const std::string& text, const std::string& path) {
    Configuration configuration;
    try {
        toml::table const table = toml::parse(text, path);
        for (auto const& [key, node] : table) TRY(read_key(configuration, key, node, path));
    } catch (const toml::parse_error& error) {
        return Error{at_line(path, error.source()) + ": " + std::string{error.description()}};
    }
    return configuration;
}

}  // namespace ramet
