#include "guest_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace ramet {
namespace {

/// What follows "// KEY: " in a guest's header comment.
std::string expectation(const std::string& line, const std::string& key) {
    std::string const prefix = "// " + key + ": ";
    return line.starts_with(prefix) ? line.substr(prefix.size()) : "";
}

}  // namespace

std::vector<std::string> guest_names() {
    std::istringstream words{RAMET_GUEST_NAMES};
    std::vector<std::string> names;
    for (std::string name; words >> name;) names.push_back(name);
    return names;
}

Guest read_guest(const std::string& name) {
    Guest guest{.name = name, .serial = {}, .input = {}};
    std::ifstream source{RAMET_GUEST_SOURCES "/" + name + ".S"};
    for (std::string line; std::getline(source, line) && line.starts_with("//");) {
        if (auto const text = expectation(line, "exit"); !text.empty()) guest.exits = true, guest.exit_value = static_cast<u32>(std::stoul(text));
        if (auto const text = expectation(line, "serial"); !text.empty()) guest.serial = text;
        if (auto const text = expectation(line, "input"); !text.empty()) guest.input = text;
        if (expectation(line, "disk") == "self") guest.has_disk = true;
        if (expectation(line, "cpu") == "ramet-v2") guest.cpu = CpuModel::ramet_v2;
    }
    return guest;
}

Configuration Guest::configuration() const {
    Configuration configuration;
    configuration.kernel = RAMET_GUEST_IMAGES "/" + name + ".elf";
    configuration.memory_bytes = u64{8} << 20;
    configuration.cpu = cpu;
    if (has_disk) configuration.disks.push_back({.file = configuration.kernel, .read_only = false, .place = 0, .bytes = 0});
    return configuration;
}

std::unique_ptr<Machine> Guest::machine() const {
    auto made = Machine::create(configuration(), std::make_shared<PagePool>());
    if (!made) ADD_FAILURE() << made.error().text;
    return std::make_unique<Machine>(*std::move(made));
}

Trace follow(const Guest& guest, std::unique_ptr<Machine>& machine, const std::vector<u64>& checkpoints, const Way& way, u64 limit) {
    Trace trace;
    BufferPorts ports;
    bool typed = guest.input.empty() || machine->position() > Guest::input_at;
    auto checkpoint = std::ranges::lower_bound(checkpoints, machine->position().value);
    RunResult result;
    while (result.reason == StopReason::position && machine->position().value < limit) {
        u64 const here = machine->position().value;
        u64 const piece = way.piece();
        u64 to = piece < limit - here ? here + piece : limit;
        if (!typed && here == Guest::input_at.value) {
            machine->apply({.bytes = {guest.input.begin(), guest.input.end()}});
            typed = true;
        }
        if (!typed) to = std::min(to, Guest::input_at.value);
        if (checkpoint != checkpoints.end()) to = std::min(to, *checkpoint);
        result = machine->run({.position = Position{to}}, ports);
        way.between(machine);
        if (checkpoint == checkpoints.end() || machine->position().value < *checkpoint) continue;
        trace.digests[*checkpoint++] = machine->digest();
    }
    trace.reason = result.reason;
    trace.exit_value = result.value;
    trace.serial = ports.serial;
    trace.end = machine->position().value;
    trace.digests[trace.end] = machine->digest();
    return trace;
}

std::vector<u64> checkpoints_below(u64 end, unsigned count) {
    std::vector<u64> places;
    for (u64 i = 1; i <= count; ++i)
        if (u64 const at = end * i / (count + 1); at > 0 && (places.empty() || places.back() < at)) places.push_back(at);
    return places;
}

}  // namespace ramet
