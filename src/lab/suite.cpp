#include "lab/suite.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <toml++/toml.h>

#include "base/quantity.h"
#include "machine/configuration.h"

namespace ramet {

namespace {

constexpr u64 time_default_ns = 60'000'000'000;

/// A table with what is said about it in messages: "suite.toml:12:1: case 3: budget".
class Table {
public:
    using Keys = std::vector<std::string_view>;

    Table(const toml::table& table, const std::string& path, std::string what) : table_(table), path_(path), what_(std::move(what)) {}

    Expected<Done> allow(const Keys& keys) const {
        for (auto const& [key, node] : table_) {
            if (std::ranges::find(keys, key.str()) != keys.end()) continue;
            std::string known;
            for (std::string_view const k : keys) known += (known.empty() ? "" : ", ") + std::string{k};
            return Error{at(key.source()) + what_ + std::string{key.str()} + ": unknown key; known are " + known};
        }
        return Done{};
    }
    bool has(std::string_view key) const { return table_.contains(key); }
    u32 line() const { return table_.source().begin.line; }

    Expected<std::string> text(std::string_view key) const {
        const toml::node* const node = table_.get(key);
        if (node == nullptr) return missing(key, "a text in quotes");
        if (const auto* const value = node->as_string()) return value->get();
        return wrong(key, "a text in quotes");
    }
    Expected<std::string> text_or(std::string_view key, const std::string& otherwise) const {
        if (!has(key)) return otherwise;
        return text(key);
    }
    Expected<u64> number(std::string_view key) const {
        const toml::node* const node = table_.get(key);
        if (node == nullptr) return missing(key, "a number from 0 up");
        const auto* const value = node->as_integer();
        if (value == nullptr || value->get() < 0) return wrong(key, "a number from 0 up");
        return static_cast<u64>(value->get());
    }
    Expected<Budget> budget(std::string_view key, const Budget& otherwise) const {
        if (!has(key)) return otherwise;
        std::string const value = TRY(text(key));
        if (auto const time = parse_duration(value, "")) return nanoseconds(*time);
        if (auto const count = parse_count(value, "")) return instructions(*count);
        return wrong(key, "a time, as \"500ms\" or \"10s\", or a number of instructions, as \"20M\"");
    }
    Expected<const toml::array*> array(std::string_view key, const char* expected) const {
        const toml::node* const node = table_.get(key);
        if (node == nullptr) return missing(key, expected);
        const auto* const value = node->as_array();
        if (value == nullptr) return wrong(key, expected);
        return value;
    }
    const toml::node* get(std::string_view key) const { return table_.get(key); }
    Error wrong(std::string_view key, const std::string& expected) const {
        return Error{at(table_.get(key)->source()) + what_ + std::string{key} + ": expected " + expected};
    }
    Error missing(std::string_view key, const std::string& expected) const {
        return Error{at(table_.source()) + what_ + std::string{key} + ": missing; expected " + expected};
    }
    const std::string& path() const { return path_; }
    const std::string& what() const { return what_; }

private:
    std::string at(const toml::source_region& source) const {
        return path_ + ":" + std::to_string(source.begin.line) + ":" + std::to_string(source.begin.column) + ": ";
    }

    const toml::table& table_;
    const std::string& path_;
    std::string what_;
};

/// What steps of this suite have unless they say otherwise.
struct Defaults {
    std::string prompt;
    Budget budget = nanoseconds(time_default_ns);
};

/// One kind of step: its key, what else it may have, and how it is read.
struct StepKind {
    std::string_view key;
    Table::Keys options;
    std::function<Expected<Step>(const Table&, const Defaults&)> read;
};

Expected<Step> read_expect(const Table& table, const Defaults& defaults) {
    std::string const text = TRY(table.text("expect"));
    if (text.empty()) return table.wrong("expect", "what to wait for, not an empty text");
    std::string const channel = TRY(table.text_or("on", "serial"));
    if (channel != "serial" && channel != "debug") return table.wrong("on", "\"serial\" or \"debug\"");
    Budget const budget = TRY(table.budget("within", defaults.budget));
    return expect(channel == "debug" ? debug(text) : serial(text), budget);
}

Expected<Step> read_command(const Table& table, const Defaults& defaults) {
    Step step;
    step.kind = Step::Kind::command;
    step.text = TRY(table.text("command"));
    step.budget = TRY(table.budget("within", defaults.budget));
    step.prompt = TRY(table.text_or("prompt", defaults.prompt));
    if (step.prompt.empty()) return table.missing("prompt", "the text that the guest prints when it waits for a command, here or for the whole suite, as \"# \"");
    if (table.has("prints")) step.prints = TRY(table.text("prints"));
    if (table.has("contains")) step.contains = TRY(table.text("contains"));
    return step;
}

Expected<Step> read_wait(const Table& table, const Defaults&) { return wait(TRY(table.budget("wait", {}))); }

Expected<Step> read_exit(const Table& table, const Defaults& defaults) {
    Budget const budget = TRY(table.budget("within", defaults.budget));
    const auto* const word = table.get("exit")->as_string();
    if (word != nullptr && word->get() == "any") return expect(ended(), budget);
    auto const value = table.number("exit");
    if (!value || *value > ~u32{0}) return table.wrong("exit", "the value that the guest writes to port F4h, as 0, or \"any\" for any end");
    return expect(ended(static_cast<u32>(*value)), budget);
}

/// Of a number: 4 bytes unless it says otherwise.
Expected<u32> read_size(const Table& table) {
    if (!table.has("size")) return u32{4};
    u64 const size = TRY(table.number("size"));
    if (size != 1 && size != 2 && size != 4 && size != 8) return table.wrong("size", "1, 2, 4 or 8");
    return static_cast<u32>(size);
}

Expected<Step> read_memory(const Table& table, const Defaults&) {
    Step step;
    step.kind = Step::Kind::memory;
    step.text = TRY(table.text("memory"));
    step.value = TRY(table.number("equals"));
    step.size = TRY(read_size(table));
    return step;
}

Expected<Step> read_register(const Table& table, const Defaults&) {
    Step step;
    step.kind = Step::Kind::reg;
    step.text = TRY(table.text("register"));
    step.value = TRY(table.number("equals"));
    if (!is_register(step.text)) return table.wrong("register", "rax to r15, rip, rflags, cr0, cr2, cr3 or cr4");
    return step;
}

/// A number, as many bytes long as `size` says, least significant first; a text; or an array of bytes.
Expected<std::vector<u8>> read_bytes(const Table& table) {
    constexpr const char* expected = "a number, a text, or an array of bytes, as [0x53, 0xef]; at most 4096 bytes";
    std::vector<u8> bytes;
    if (table.has("equals") && table.get("equals")->is_integer()) {
        u64 const value = TRY(table.number("equals"));
        u32 const size = TRY(read_size(table));
        if (size < 8 && value >> (8 * size) != 0) return table.wrong("equals", "a number of " + std::to_string(size) + " bytes");
        for (u32 i = 0; i < size; ++i) bytes.push_back(static_cast<u8>(value >> (8 * i)));
        return bytes;
    }
    if (table.has("size")) return table.wrong("size", "no size; equals is not a number and has its own");
    const toml::node* const node = table.get("equals");
    if (node == nullptr) return table.missing("equals", expected);
    if (const auto* const text = node->as_string()) bytes.assign(text->get().begin(), text->get().end());
    if (const auto* const array = node->as_array()) {
        for (const toml::node& one : *array) {
            auto const byte = one.value_exact<i64>();
            if (!byte || *byte < 0 || *byte > 0xff) return table.wrong("equals", expected);
            bytes.push_back(static_cast<u8>(*byte));
        }
    }
    if (bytes.empty() || bytes.size() > page_size) return table.wrong("equals", expected);
    return bytes;
}

Expected<Step> read_disk(const Table& table, const Defaults&) {
    Step step;
    step.kind = Step::Kind::disk;
    auto const place = table.number("disk");
    if (!place || *place >= Disk::count_max) return table.wrong("disk", "the place of a disk, 0 or 1");
    step.value = *place;
    step.offset = TRY(table.number("offset"));
    step.bytes = TRY(read_bytes(table));
    return step;
}

Expected<Step> read_send(const Table& table, const Defaults&) { return send(TRY(table.text("send"))); }

const std::vector<StepKind>& step_kinds() {
    static const std::vector<StepKind> kinds = {
        {"send", {}, read_send},           {"expect", {"within", "on"}, read_expect},          {"command", {"prints", "contains", "within", "prompt"}, read_command},
        {"wait", {}, read_wait},           {"exit", {"within"}, read_exit},                     {"memory", {"equals", "size"}, read_memory},
        {"register", {"equals"}, read_register}, {"disk", {"offset", "equals", "size"}, read_disk},
    };
    return kinds;
}

Expected<Step> read_step(const Table& table, const Defaults& defaults) {
    Table::Keys names;
    for (const StepKind& kind : step_kinds()) {
        names.push_back(kind.key);
        if (!table.has(kind.key)) continue;
        Table::Keys keys = kind.options;
        keys.insert(keys.begin(), kind.key);
        TRY(table.allow(keys));
        Step step = TRY(kind.read(table, defaults));
        step.line = table.line();
        return step;
    }
    TRY(table.allow(names));
    return table.missing("a step", "one of send, expect, command, wait, exit, memory, register, disk");
}

Expected<Script> read_script(const toml::array& array, const Table& owner, const Defaults& defaults) {
    Script script;
    for (const toml::node& node : array) {
        const auto* const table = node.as_table();
        if (table == nullptr) return owner.wrong("script", "an array of steps, as [{ send = \"ls\\n\" }, { expect = \"# \" }]");
        script.push_back(TRY(read_step(Table{*table, owner.path(), owner.what() + "script: "}, defaults)));
    }
    return script;
}

/// `script`, or `scripts` for several at once.
Expected<std::vector<Script>> read_scripts(const Table& table, const Defaults& suite) {
    Defaults defaults = suite;
    defaults.budget = TRY(table.budget("budget", suite.budget));
    if (table.has("script") && table.has("scripts")) return table.wrong("scripts", "either script or scripts");
    std::vector<Script> scripts;
    if (!table.has("scripts")) {
        scripts.push_back(TRY(read_script(*TRY(table.array("script", "an array of steps")), table, defaults)));
        return scripts;
    }
    for (const toml::node& node : *TRY(table.array("scripts", "an array of scripts"))) {
        const auto* const script = node.as_array();
        if (script == nullptr) return table.wrong("scripts", "an array of scripts, each an array of steps");
        scripts.push_back(TRY(read_script(*script, table, defaults)));
    }
    return scripts;
}

std::string beside(const std::string& suite, const std::string& path) {
    return path.empty() || path.starts_with('/') ? path : (std::filesystem::path{suite}.parent_path() / path).string();
}

/// States that a case may require, by the cases so far.
struct Known {
    std::set<std::string> names;
    std::set<std::string> states = {"power-on"};

    std::string states_text() const {
        std::string text;
        for (const std::string& state : states) text += (text.empty() ? "\"" : ", \"") + state + "\"";
        return text;
    }
};

Expected<SuiteCase> read_case(const Table& table, const Defaults& defaults, Known& known) {
    TRY(table.allow({"name", "requires", "provides", "script", "scripts", "budget", "golden", "digest"}));
    SuiteCase made;
    made.line = table.line();
    made.name = TRY(table.text("name"));
    if (made.name.empty() || !known.names.insert(made.name).second) return table.wrong("name", "a name that no other case has");
    made.requires_state = TRY(table.text_or("requires", known.states.contains("warm") ? "warm" : "power-on"));
    if (!known.states.contains(made.requires_state)) return table.wrong("requires", "a state that an earlier case provides; known are " + known.states_text());
    made.provides = TRY(table.text_or("provides", ""));
    if (!made.provides.empty() && !known.states.insert(made.provides).second) return table.wrong("provides", "a name that no other state has");
    made.scripts = TRY(read_scripts(table, defaults));
    made.golden = beside(table.path(), TRY(table.text_or("golden", "")));
    made.digest = beside(table.path(), TRY(table.text_or("digest", "")));
    return made;
}

Expected<Suite> read_tables(const toml::table& toml, const std::string& path) {
    Table const table{toml, path, ""};
    TRY(table.allow({"machine", "symbols", "prompt", "budget", "warm", "case"}));
    Suite suite;
    suite.name = std::filesystem::path{path}.stem().string();
    suite.machine = beside(path, TRY(table.text("machine")));
    suite.symbols = beside(path, TRY(table.text_or("symbols", "")));
    Defaults defaults;
    defaults.prompt = TRY(table.text_or("prompt", ""));
    defaults.budget = TRY(table.budget("budget", defaults.budget));
    Known known;
    if (table.has("warm")) {
        const auto* const warm = table.get("warm")->as_table();
        if (warm == nullptr) return table.wrong("warm", "a table with a script, as [warm]");
        Table const reader{*warm, path, "warm: "};
        TRY(reader.allow({"script", "scripts", "budget"}));
        suite.warm = TRY(read_scripts(reader, defaults));
        known.states.insert("warm");
    }
    for (const toml::node& node : *TRY(table.array("case", "at least one [[case]]"))) {
        const auto* const entry = node.as_table();
        if (entry == nullptr) return table.wrong("case", "tables, each begun with [[case]]");
        if (suite.cases.size() == Suite::case_count_max) return table.wrong("case", "at most " + std::to_string(Suite::case_count_max) + " cases");
        suite.cases.push_back(TRY(read_case(Table{*entry, path, "case " + std::to_string(suite.cases.size() + 1) + ": "}, defaults, known)));
    }
    return suite;
}

}  // namespace

Expected<Suite> parse_suite(const std::string& text, const std::string& path) {
    try {
        toml::table const table = toml::parse(text, path);
        return read_tables(table, path);
    } catch (const toml::parse_error& error) {
        return Error{path + ":" + std::to_string(error.source().begin.line) + ":" + std::to_string(error.source().begin.column) + ": " +
                     std::string{error.description()}};
    }
}

Expected<Suite> read_suite(const std::string& path) {
    auto const bytes = TRY(read_file(path, "suite"));
    if (bytes.size() > Suite::bytes_max) return Error{path + ": " + std::to_string(bytes.size()) + " bytes are too many for a suite"};
    return parse_suite({bytes.begin(), bytes.end()}, path);
}

}  // namespace ramet
