#include "remote/control_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ramet {

namespace {

using Json = nlohmann::ordered_json;

/// The document, if it is one of `type` and everything in it is where `read` looks for it.
template <class T>
Expected<T> parse(const std::string& text, auto read) {
    try {
        return read(Json::parse(text));
    } catch (const Json::exception& error) {
        return Error{std::string{"not what docs/openapi.json describes: "} + error.what()};
    }
}

/// Calls visit(key, member) for everything that is told of a machine.
void member_fields(auto& info, auto visit) {
    visit("name", info.name);
    visit("state", info.state);
    visit("detail", info.detail);
    visit("position", info.position);
    visit("cycles", info.cycles);
    visit("memory_bytes", info.memory_bytes);
    visit("private_bytes", info.private_bytes);
    visit("lacking_pages", info.lacking_pages);
    visit("asked_pages", info.asked_pages);
    visit("received_pages", info.received_pages);
    visit("stalled_ns", info.stalled_ns);
    visit("stall_max_ns", info.stall_max_ns);
    visit("stall_p50_ns", info.stall_p50_ns);
    visit("first_run_at_ns", info.first_run_at_ns);
    visit("epoch", info.epoch);
    visit("log", info.log);
}

/// The same for a move, but for its phase.
void move_fields(auto& info, auto visit) {
    visit("number", info.number);
    visit("machine", info.machine);
    visit("to", info.to);
    visit("kind", info.kind);
    visit("error", info.report.error);
    visit("departed_at_ns", info.report.departed_at_ns);
    visit("stopped_ns", info.report.stopped_ns);
    visit("started_ns", info.report.started_ns);
    visit("total_ns", info.report.total_ns);
    visit("bytes", info.report.bytes);
    visit("pages_total", info.report.pages.total);
    visit("pages_confirmed", info.report.pages.confirmed);
    visit("pages_demanded", info.report.pages.demanded);
    visit("pages_pushed", info.report.pages.pushed);
    visit("pages_before_write", info.report.pages.before_write);
    visit("pages_named", info.report.pages.named);
    visit("pages_zero", info.report.pages.zeros);
}

constexpr std::array phases = {Outgoing::Phase::connecting, Outgoing::Phase::serving,    Outgoing::Phase::no_link,
                               Outgoing::Phase::finished,   Outgoing::Phase::taken_back, Outgoing::Phase::failed};

}  // namespace

std::string members_json(const std::vector<MemberInfo>& members) {
    Json list = Json::array();
    for (const MemberInfo& info : members) {
        Json one;
        member_fields(info, [&](const char* key, const auto& value) { one[key] = value; });
        list.push_back(one);
    }
    return list.dump();
}

Expected<std::vector<MemberInfo>> parse_members(const std::string& text) {
    return parse<std::vector<MemberInfo>>(text, [](const Json& list) {
        std::vector<MemberInfo> members;
        for (const Json& one : list) {
            MemberInfo info;
            member_fields(info, [&](const char* key, auto& value) { one.at(key).get_to(value); });
            members.push_back(info);
        }
        return members;
    });
}

std::string moves_json(const std::vector<MoveInfo>& moves) {
    Json list = Json::array();
    for (const MoveInfo& info : moves) {
        Json one;
        move_fields(info, [&](const char* key, const auto& value) { one[key] = value; });
        one["phase"] = phase_text(info.report.phase);
        list.push_back(one);
    }
    return list.dump();
}

Expected<std::vector<MoveInfo>> parse_moves(const std::string& text) {
    return parse<std::vector<MoveInfo>>(text, [](const Json& list) {
        std::vector<MoveInfo> moves;
        for (const Json& one : list) {
            MoveInfo info;
            move_fields(info, [&](const char* key, auto& value) { one.at(key).get_to(value); });
            for (Outgoing::Phase const phase : phases)
                if (one.at("phase").get<std::string>() == phase_text(phase)) info.report.phase = phase;
            moves.push_back(info);
        }
        return moves;
    });
}

std::string move_json(const MoveOptions& options) {
    Json one;
    one["to"] = options.to.text();
    one["kind"] = options.kind == MoveKind::fork ? "fork" : "migrate";
    one["name"] = options.name;
    one["on_write"] = options.serve.on_write == OnWrite::keep ? "keep" : "send";
    one["push_bytes_per_s"] = options.serve.push_bytes_per_s;
    one["key_file"] = options.key_file;
    one["ssh_command"] = options.ssh_command;
    return one.dump();
}

Expected<MoveOptions> parse_move(const std::string& text) {
    struct Words {
        std::string to, kind, name, on_write, key_file, ssh_command;
        u64 push = 0;
    };
    Words const words = TRY(parse<Words>(text, [](const Json& one) {
        return Words{one.at("to").get<std::string>(), one.at("kind").get<std::string>(), one.value("name", ""), one.value("on_write", "keep"),
                     one.value("key_file", ""), one.value("ssh_command", ""), one.value("push_bytes_per_s", ServeOptions::unlimited)};
    }));
    if (words.kind != "fork" && words.kind != "migrate") return Error{"kind is \"fork\" or \"migrate\", not \"" + words.kind + "\""};
    if (words.on_write != "keep" && words.on_write != "send") return Error{"on_write is \"keep\" or \"send\", not \"" + words.on_write + "\""};
    MoveOptions options{.to = TRY(Address::parse(words.to))};
    options.kind = words.kind == "fork" ? MoveKind::fork : MoveKind::migrate;
    options.name = words.name;
    options.key_file = words.key_file;
    options.ssh_command = words.ssh_command;
    options.serve.on_write = words.on_write == "keep" ? OnWrite::keep : OnWrite::send;
    options.serve.push_bytes_per_s = words.push;
    options.packing = options.to.kind == Address::Kind::ssh || !options.to.is_loopback() ? Packing::when_it_helps : Packing::never;
    return options;
}

std::string text_json(const std::string& key, const std::string& value) { return Json{{key, value}}.dump(); }

Expected<std::string> parse_text(const std::string& text, const std::string& key) {
    return parse<std::string>(text, [&](const Json& one) { return one.at(key).get<std::string>(); });
}

Expected<std::vector<std::string>> openapi_operations(const std::string& text) {
    return parse<std::vector<std::string>>(text, [](const Json& document) {
        std::vector<std::string> found;
        for (const auto& [path, item] : document.at("paths").items())
            for (const auto& [method, operation] : item.items()) {
                std::string name = method;
                std::transform(name.begin(), name.end(), name.begin(), [](char c) { return static_cast<char>(std::toupper(c)); });
                found.push_back(name + " " + path);
            }
        return found;
    });
}

}  // namespace ramet
